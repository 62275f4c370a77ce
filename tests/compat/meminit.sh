#!/usr/bin/env bash
# The kernel's lib/test_meminit.c, unmodified: memory is clear when the options promise it, and only then.
set -u
. "$(dirname "$0")/lib.bash"
need_kernel meminit

flags=(-std=gnu11 -I"$shim/kernel" "${compat[@]}" -I"$kernel/tools/include")
kernel_object meminit "$kernel/lib/test_meminit.c" "${flags[@]}"
kernel_object kunit "$shim/kunit.c" "${flags[@]}"
kernel_program meminit meminit.o kunit.o

for options in init_on_alloc=1 init_on_free=1 init_on_alloc=1,init_on_free=1; do
	text=$(KMEM_OPTIONS=$options "$out/meminit" 2>&1) || fail "$options: $text"
	grep -q 'all 131 tests passed!' <<<"$text" || fail "$options: $text"
	[ "$(wc -l <<<"$text")" -eq 5 ] || fail "$options prints something else: $text"
	echo "leg $options: 131 checks passed"
done
# The checks can fail: nobody promised anything here.
text=$("$out/meminit" 2>&1) && fail "passes without init_on_alloc: $text"
grep -q 'failures: [0-9]* out of 131' <<<"$text" || fail "without options: $text"
