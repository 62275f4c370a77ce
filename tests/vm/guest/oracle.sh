#!/bin/bash
# oracle.sh - kmemleak --kernel and the kernel's own kmemleak, which scans memory, about the same objects.
# usage: oracle.sh BUILD-FOLDER
#
# Both list what the module leaker loses, address by address. What it keeps on a list only ours reports: events do not
# tell of references. What kfree_rcu() frees neither does.
set -u
build=$1
theirs=/sys/kernel/debug/kmemleak
dir=$(mktemp -d) || exit 1
fail() { echo "FAIL: $*"; head -n 20 "$dir"/*; exit 1; }

[ -w $theirs ] || { echo "SKIP: this kernel has no CONFIG_DEBUG_KMEMLEAK"; exit 77; }
[ -e /proc/leaker ] || insmod "$build/leaker.ko" || fail "the module leaker cannot be loaded"
echo scan=off > $theirs
echo clear > $theirs
"$build/kmemleak" --kernel --min-age 8 -n 0 --csv -c 'echo 1 > /proc/leaker' > "$dir/ours" 2> "$dir/err"
ours() { awk -F, -v site="^leaker_$1" '$9 ~ site { print substr($4, 3) }' "$dir/ours" | sort; }
theirs() {
	awk -v site="leaker_$1" '/^unreferenced object/ { address = substr($3, 3) }
		index($0, site) { print address }' "$dir/theirs" | sort -u
}
# A stale pointer somewhere may hide an object from a scan of memory, for ever or for a while.
found=0
for _ in 1 2 3 4 5; do
	echo scan > $theirs
	sleep 1
	cat $theirs > "$dir/theirs"
	found=$(theirs lose_ | wc -l)
	[ "$found" -ge 100 ] && break
done
for which in lose_kmalloc lose_thing; do
	ours $which > "$dir/ours-$which"
	theirs $which > "$dir/theirs-$which"
	[ "$(wc -l < "$dir/ours-$which")" -eq 50 ] || fail "leaker_$which: $(wc -l < "$dir/ours-$which") of 50"
	[ -z "$(grep -vxF -f "$dir/ours-$which" "$dir/theirs-$which")" ] || fail "leaker_$which: the kernel finds others"
done
[ "$found" -ge 90 ] || fail "the kernel finds $found of 100"
[ "$(theirs keep | wc -l)" -eq 0 ] || fail "the kernel calls leaks what is on a list"
[ "$(ours keep | wc -l)" -eq 50 ] || fail "leaker_keep: $(ours keep | wc -l) of 50"
[ "$(ours free_later | wc -l)" -eq 0 ] && [ "$(theirs free_later | wc -l)" -eq 0 ] || fail "what kfree_rcu() freed"
echo "kmemleak: of our 100 objects CONFIG_DEBUG_KMEMLEAK has the same $found, and no other; 50 that are still referenced are ours only"
