#!/usr/bin/env bash
# Any program under the preload with KMEM_SLAB_DEBUG=FZPU: each misuse of malloc() is reported and, with
# KMEM_OPTIONS=misuse=abort, ends it. One line per case: name, end, and the line that names the misuse.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${1:-build}
program=$build/tests/preload/misuse
failed=0 seen=()

run() { # CASE OPTIONS
	(ulimit -c 0; KMEM_OPTIONS=$2 KMEM_SLAB_DEBUG=FZPU LD_PRELOAD=$PWD/$build/libkmem-malloc.so exec "$program" "$1") 2>&1
}

expect() { # CASE STATUS, the line that names the misuse ("" for none)
	local want=$2 out rc
	seen+=("$1")
	out=$(run "$1" misuse=abort)
	rc=$?
	[ "$rc" -eq "$want" ] || { echo "$1: exit status $rc, not $want"; echo "$out" | tail -n 20; failed=1; }
	got=$(sed -nE 's/0x[0-9a-f]+/ADDR/g; s/^kmem: (BUG.*)/\1/p' <<<"$out" | head -n 1)
	[ "$got" = "$3" ] || { echo "$1: \"$got\" instead of \"$3\""; echo "$out" | tail -n 20; failed=1; }
	grep -q 'still there' <<<"$out" && { echo "$1: the old content was read"; failed=1; }
	return 0
}

abort=134 fault=139
small() { echo "BUG malloc-$1 (Not tainted): $2"; }

expect double_free_small $abort "$(small 48 'Object already free')"
expect double_free_delayed $abort "$(small 48 'Object already free')"
expect double_free_large $abort 'BUG: free(ADDR): invalid pointer: no allocated object is at this address'
expect free_interior $abort "$(small 64 'Invalid object pointer ADDR')"
expect free_unaligned $abort "$(small 64 'Invalid object pointer ADDR')"
expect free_interior_large $abort 'BUG: free(ADDR): invalid pointer: no allocated object is at this address'
expect free_unaligned_large $abort 'BUG: free(ADDR): invalid pointer: no allocated object is at this address'
expect free_stack $abort 'BUG: free(ADDR): invalid pointer: no allocated object is at this address'
expect overflow_1 $abort "$(small 48 'kmalloc Redzone overwritten')"
expect overflow_8 $abort "$(small 48 'Right Redzone overwritten')"
expect overflow_1_large $abort 'BUG kmalloc-large (Not tainted): kmalloc Redzone overwritten'
expect overflow_8_large $abort 'BUG kmalloc-large (Not tainted): kmalloc Redzone overwritten'
expect overflow_1_huge $abort 'BUG kmalloc-large (Not tainted): kmalloc Redzone overwritten'
expect zero_size_write $abort "$(small 16 'kmalloc Redzone overwritten')"
expect underflow_1 $abort "$(small 48 'Left Redzone overwritten')"
expect write_after_free $abort "$(small 48 'Poison overwritten')"
expect realloc_freed $abort "$(small 48 'Object already free')"
expect realloc_overflow $abort "$(small 32 'kmalloc Redzone overwritten')"
expect sized_delete $abort "$(small 48 'Wrong size in a sized free: 48, but 40 bytes were asked for')"
expect sized_delete_array $abort "$(small 48 'Wrong size in a sized free: 39, but 40 bytes were asked for')"
expect sized_free $abort "$(small 48 'Wrong size in a sized free: 41, but 40 bytes were asked for')"
# What is read is poison, and no address.
expect read_after_free $fault ''
expect read_after_free_large $fault ''
expect read_zero_size $fault ''
expect uninitialised_read $fault ''
expect uninitialised_free $abort 'BUG: free(ADDR): invalid pointer: no allocated object is at this address'
expect sized_right 0 ''
expect usable_size 0 ''

for name in $("$program"); do
	[[ " ${seen[*]} " == *" $name "* ]] || { echo "$name: no expectation"; failed=1; }
done

# Without a policy damage is repaired, and the program goes on.
for name in double_free_small double_free_delayed free_interior overflow_1 overflow_1_large write_after_free sized_delete; do
	out=$(run $name "") || { echo "$name: exit status $? with repairs"; failed=1; }
	grep -q '^survived' <<<"$out" || { echo "$name: did not survive"; failed=1; }
	grep -q '^kmem: BUG' <<<"$out" || { echo "$name: no report"; failed=1; }
done
exit $failed
