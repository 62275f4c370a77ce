#!/usr/bin/env bash
# The kernel's list of KASAN tests, as far as pages, mempools and TYPESAFE_BY_RCU go (tests/misuse has the
# others): each is found by KMEM_SLAB_DEBUG=FZPU and, for pages, by page_poison or debug_pagealloc.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${1:-build}
program=$build/tests/kasan/kasan
failed=0 seen=()
survived=0 abort=134 fault=139

expect() { # CASE OPTIONS STATUS, the line that names what is wrong ("" for none)
	local out rc got
	seen+=("$1")
	out=$( (ulimit -c 0; KMEM_OPTIONS=$2 KMEM_SLAB_DEBUG=FZPU exec "$program" "$1") 2>&1)
	rc=$?
	[ $rc -eq "$3" ] || { echo "$1 $2: exit status $rc, not $3"; failed=1; }
	got=$(sed -nE 's/0x[0-9a-f]{6,}/ADDR/g; s/ in process kasan .*//; s/^kmem: (BUG.*|pagealloc: .*|page dumped .*)/\1/p' <<<"$out" |
		grep -vx 'BUG: Bad page state')
	[ "$got" = "$4" ] || { echo "$1 $2: \"$got\" instead of \"$4\""; echo "$out" | tail -n 20; failed=1; }
	grep -q 'not what was written' <<<"$out" && { echo "$1: an object changed while it was free"; failed=1; }
	return 0
}

written='pagealloc: memory corruption: byte 0x78 at ADDR, in a free page, was written'
twice='page dumped because: free of a page that is free already'
small() { echo "BUG $1 (Not tainted): $2"; }

expect page_uaf_read debug_pagealloc=on $fault ''
expect page_uaf_write page_poison=on $abort "$written"
expect page_uaf_write debug_pagealloc=on $fault ''
expect page_oob_right page_poison=on $abort "$written"
expect page_oob_right debug_pagealloc=on $fault ''
expect page_double_free '' $abort "$twice"
expect page_double_free debug_pagealloc=on $abort "$twice"

expect mempool_kmalloc_oob_right '' $survived "$(small kmalloc-128 'kmalloc Redzone overwritten')"
expect mempool_kmalloc_large_oob_right '' $survived "$(small kmalloc-large 'kmalloc Redzone overwritten')"
expect mempool_slab_oob_right '' $survived "$(small elements 'Right Redzone overwritten')"
expect mempool_kmalloc_uaf '' $survived "$(small kmalloc-128 'Poison overwritten')"
expect mempool_kmalloc_large_uaf page_poison=on $abort "$written"
expect mempool_kmalloc_large_uaf debug_pagealloc=on $fault ''
expect mempool_slab_uaf '' $survived "$(small elements 'Poison overwritten')"
expect mempool_pages_uaf page_poison=on $abort "$written"
expect mempool_pages_uaf debug_pagealloc=on $fault ''
expect mempool_pages_uaf_read debug_pagealloc=on $fault ''
expect mempool_kmalloc_double_free '' $survived "$(small kmalloc-128 'Object already free')"
expect mempool_kmalloc_large_double_free '' $abort 'BUG: kfree(ADDR): no allocated object is at this address'
expect mempool_slab_double_free '' $survived "$(small elements 'Object already free')"
expect mempool_pages_double_free '' $abort "$twice"
expect mempool_kmalloc_invalid_free '' $survived "$(small kmalloc-128 'Invalid object pointer ADDR')"
expect mempool_kmalloc_large_invalid_free '' $abort 'BUG: kfree(ADDR): no allocated object is at this address'
expect mempool_slab_invalid_free '' $survived "$(small elements 'Invalid object pointer ADDR')"

# A free object of such a cache may still be looked at, so it holds no poison.
expect typesafe_use_after_free '' $survived ''
expect typesafe_double_free '' $survived "$(small typed 'Object already free')"
expect typesafe_oob_right '' $survived "$(small typed 'Right Redzone overwritten')"

for name in $("$program"); do
	[[ " ${seen[*]} " == *" $name "* ]] || { echo "$name: no expectation"; failed=1; }
done
exit $failed
