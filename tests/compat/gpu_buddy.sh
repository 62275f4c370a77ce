#!/usr/bin/env bash
# The kernel's buddy allocator of drivers/gpu with its KUnit tests, unmodified, on caches of libkmem.
set -u
. "$(dirname "$0")/lib.bash"
need_kernel gpu_buddy

# The driver's header alone: beside it the kernel's others would be found.
mkdir -p "$out/include/linux" && cp "$kernel/include/linux/gpu_buddy.h" "$out/include/linux/" || exit 1
flags=(-std=gnu11 -I"$shim/kernel" "${compat[@]}" -I"$out/include" -I"$kernel/tools/include")
kernel_object kunit "$shim/kunit.c" "${flags[@]}"
kernel_object buddy "$kernel/drivers/gpu/buddy.c" "${flags[@]}"
for name in gpu_buddy_test gpu_random; do
	kernel_object $name "$kernel/drivers/gpu/tests/$name.c" "${flags[@]}"
done
for name in rbtree hweight; do
	kernel_object $name "$kernel/tools/lib/$name.c" "${flags[@]}"
done
kernel_program gpu_buddy kunit.o buddy.o gpu_buddy_test.o gpu_random.o rbtree.o hweight.o

for ((run = 0; run < 20; run++)); do
	text=$("$out/gpu_buddy" 2>&1) || fail "$text"
	[ "$(grep -c '^ok' <<<"$text")" -eq 7 ] || fail "not 7 cases: $text"
	grep -q 'kmem:' <<<"$text" && fail "libkmem had something to report: $text"
done
echo "leg gpu_buddy: 7 cases, $run random seeds"
exit 0
