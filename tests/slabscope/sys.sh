#!/usr/bin/env bash
# sys.sh - the caches of another process as /sys/kernel/slab: list, read, dump; bad input.
. "$(dirname "$0")/../slabtop/helpers.bash"
scope=$build/slabscope

start "$build/tests/holder"
expect_code 0 "$scope" sys $pid
grep -qx holder-cache "$tmp/out" || fail "the cache is not listed"
grep -qx kmalloc-rcl-8k "$tmp/out" || fail "kmalloc's are not listed"

value() { "$scope" sys $pid "holder-cache/$1"; }
[ "$(value active)" = 12000 ] || fail "active $(value active)"
[ "$(value object_size)" = 200 ] || fail "object_size $(value object_size)"
[ "$(value order)" = 0 ] && [ "$(value objs_per_slab)" = 20 ] || fail "layout"
[ "$(value slabs_cpu_partial)" = "0(0)" ] || fail "slabs_cpu_partial"
cached=$(value cached) && [ $((12000 + ${cached%% *})) = "$(value objects | sed 's/ .*//')" ] || fail "objects $(value objects), cached $cached"
value objects | grep -qE '^[0-9]+ N0=[0-9]+$' || fail "objects: $(value objects)"

expect_code 0 "$scope" sys $pid holder-cache
grep -qx 'active:12000' "$tmp/out" || fail "listing"
grep -qx 'ctor:' "$tmp/out" || fail "an empty attribute"
! grep -q '^shrink' "$tmp/out" || fail "what is only written is listed"

# Merged caches point to the one whose slabs they use, and have counts of their own.
KMEM_OPTIONS=merge=on start "$build/tests/holder" merged
expect_code 0 "$scope" sys $pid
grep -qx 'holder-alias -> holder-cache' "$tmp/out" || fail "no alias in: $(grep holder "$tmp/out")"
[ "$(value aliases) $(value active)" = "1 12000" ] || fail "aliases, active: $(value aliases) $(value active)"
[ "$("$scope" sys $pid holder-alias/active)" = 0 ] || fail "the alias's objects"
[ "$("$scope" sys $pid holder-alias/slabs)" = "$(value slabs)" ] || fail "the alias's slabs"
"$scope" sys $pid holder-ctor/ctor | grep -qE '^construct\+0x0/0x[0-9a-f]+ \[holder\]$' || fail "ctor: $("$scope" sys $pid holder-ctor/ctor)"
# In a tree, aliases are links, as in /sys/kernel/slab; those of a name that is gone have folders of their own.
expect_code 0 "$scope" sys $pid --dump "$tmp/merged"
[ "$(readlink "$tmp/merged/holder-alias")" = holder-cache ] || fail "dump: no link to holder-cache"
[ "$(cat "$tmp/merged/holder-alias/object_size")" = 200 ] || fail "dump: the link leads nowhere"
[ -d "$tmp/merged/both!left" ] && [ ! -L "$tmp/merged/both!left" ] || fail "dump: no folder of an alias without its root"
[ "$(cat "$tmp/merged/both!left/object_size")" = 300 ] || fail "dump: both!left"
[ "$(find "$tmp/merged" -type l | wc -l)" = 1 ] || fail "dump: links $(find "$tmp/merged" -type l)"

# A process that allocates takes requests; one that does not is given up.
start "$build/tests/holder" churn
set_to() { expect_code "$1" "$scope" sys $pid "holder-cache/$2"; }
[ "$(value min_partial)" = 5 ] || fail "min_partial $(value min_partial)"
set_to 0 min_partial=7
[ "$(value min_partial)" = 7 ] || fail "min_partial is $(value min_partial), not 7"
set_to 0 failslab=1
[ "$(value failslab)" = 1 ] || fail "failslab"
set_to 0 failslab=0
set_to 0 shrink=1
for change in sheaf_capacity=16 sheaf_capacity=60 barn_full=3 barn_empty=0 order=2 remote_node_defrag_ratio=50; do
	set_to 0 $change
	[ "$(value "${change%=*}")" = "${change#*=}" ] || fail "${change%=*} is $(value "${change%=*}"), not ${change#*=}"
done
[ "$(value active)" -ge 12000 ] || fail "objects were lost while the cache changed"
set_to 1 order=11
expect_line "attribute 'order' does not take the value 11"
set_to 1 validate=1
expect_line "attribute 'validate' does not take the value 1"
set_to 1 shrink=2
expect_line "attribute 'shrink' does not take the value 2"
set_to 1 min_partial=-1
expect_line "attribute 'min_partial' does not take the value -1"
set_to 1 object_size=8
expect_line "attribute 'object_size' is read only"
set_to 1 colour=8
expect_line "there is no attribute 'colour'"
set_to 2 min_partial=many
expect_line "'many' is no number"
expect_code 2 "$scope" sys $pid holder-cache=5
expect_line "which attribute?"
expect_code 1 "$scope" sys $pid no-cache/min_partial=5
expect_line "has no cache 'no-cache'"
start "$build/tests/holder"
set_to 1 min_partial=9
expect_line "did not answer within 2000 ms"
[ "$(value min_partial)" = 5 ] || fail "min_partial changed although nobody answered"

# A tree of the kernel's shape.
expect_code 0 "$scope" sys $pid --dump "$tmp/slab"
[ "$(find "$tmp/slab" -mindepth 1 -maxdepth 1 -type d | wc -l)" = "$("$scope" sys $pid | wc -l)" ] || fail "dump: folders"
[ "$(cat "$tmp/slab/holder-cache/active")" = 12000 ] || fail "dump: active"
for file in /sys/kernel/slab/kmalloc-64/*; do
	[ "${file##*/}" = skip_kfence ] || [ ! -e "$file" ] ||
		[ -e "$tmp/slab/kmalloc-64/${file##*/}" ] || fail "dump: no ${file##*/}"
done
expect_code 1 "$scope" sys $pid --dump "$tmp/slab"
expect_line "exists"
expect_code 1 "$scope" sys $pid --dump "$tmp/no/slab"
expect_line "cannot make $tmp/no/slab: No such file"

expect_code 2 "$scope" sys
expect_line "usage: slabscope sys PID"
expect_code 2 "$scope" sys $pid --dump
expect_line "usage: slabscope sys PID"
expect_code 2 "$scope" sys $pid a b
expect_line "usage: slabscope sys PID"
expect_code 2 "$scope" sys nobody
expect_line "'nobody' is no process number"
expect_code 1 "$scope" sys $$
expect_line "does not carry libkmem"
expect_code 1 "$scope" sys $pid no-cache
expect_line "has no cache 'no-cache'; 'slabscope sys $pid' lists them"
expect_code 1 "$scope" sys $pid no-cache/order
expect_line "has no cache 'no-cache'"
expect_code 1 "$scope" sys $pid holder-cache/colour
expect_line "there is no attribute 'colour'; 'slabscope sys $pid holder-cache' lists"
exit 0
