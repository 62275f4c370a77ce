#!/usr/bin/env bash
# views.sh - the files about another process: true numbers, formats that procps' programs parse, bad input.
. "$(dirname "$0")/../slabtop/helpers.bash"
scope=$build/slabscope

start "$build/tests/holder"
for view in buddyinfo pcpinfo pagetypeinfo extfrag vmstat zoneinfo slabinfo; do
	"$scope" $view $pid >"$tmp/$view" 2>"$tmp/err" || fail "$view: $(cat "$tmp/err")"
	[ -s "$tmp/$view" ] && [ ! -s "$tmp/err" ] || fail "$view prints nothing"
done
"$scope" extfrag $pid unusable >"$tmp/unusable" || fail "unusable"

# The holder has 12000 objects of 200 bytes, and pages for them.
grep -qE '^holder-cache +12000 ' "$tmp/slabinfo" || fail "slabinfo: $(grep holder "$tmp/slabinfo")"
pages=$(awk '$1 == "nr_slab_unreclaimable" { print $2 }' "$tmp/vmstat")
[ "$pages" -ge 600 ] || fail "vmstat: $pages pages in slabs"
total=$(awk '$1 == "kmem_present_pages" { p = $2 } $1 ~ /^(nr_free|nr_slab|kmem_pcp|kmem_large|kmem_alloc)/ { n += $2 } END { print p - n }' "$tmp/vmstat")
[ "$total" = 0 ] || fail "vmstat: $total pages are missing"
free=$(awk '{ for (i = 5; i <= NF; i++) n += $i * 2 ^ (i - 5) } END { print n }' "$tmp/buddyinfo")
[ "$free" = "$(awk '$1 == "nr_free_pages" { print $2 }' "$tmp/vmstat")" ] || fail "buddyinfo has $free pages"
parked=$(awk '{ for (i = 5; i <= NF; i++) n += $i * 2 ^ (i - 5) } END { print n }' "$tmp/pcpinfo")
[ "$parked" = "$(awk '$1 == "kmem_pcp_pages" { print $2 }' "$tmp/vmstat")" ] || fail "pcpinfo has $parked pages"
[ "$(awk '/type/ && $1 == "Node" { for (i = 7; i <= NF; i++) n += $i * 2 ^ (i - 7) } END { print n }' "$tmp/pagetypeinfo")" = "$free" ] ||
	fail "pagetypeinfo"

# procps reads /proc/slabinfo: ours in its place, in a mount namespace of its own.
if unshare -m true 2>/dev/null && mount=$(unshare -m sh -c "mount --bind $tmp/slabinfo /proc/slabinfo && slabtop -o" 2>&1); then
	echo "$mount" | awk '$NF == "holder-cache" && $2 == 12000 { found = 1 } END { exit !found }' ||
		fail "procps slabtop: $mount"
	unshare -m sh -c "mount --bind $tmp/slabinfo /proc/slabinfo && vmstat -m" >"$tmp/vm" 2>&1 || fail "vmstat -m: $(cat "$tmp/vm")"
	awk '$1 == "holder-cache" && $2 == 12000 && $4 == 200 { found = 1 } END { exit !found }' "$tmp/vm" ||
		fail "vmstat -m: $(grep holder "$tmp/vm")"
	[ "$(wc -l <"$tmp/vm")" -ge "$(($(wc -l <"$tmp/slabinfo") - 1))" ] || fail "vmstat -m: rows are missing"
else
	echo "leg procps: skipped: a bind mount over /proc/slabinfo is not possible here (needs root)"
fi

expect_code 2 "$scope" buddyinfo
expect_line "usage: slabscope buddyinfo PID"
expect_code 2 "$scope" extfrag $pid nonsense
expect_line "usage: slabscope extfrag PID [unusable]"
expect_code 2 "$scope" vmstat 12x
expect_line "'12x' is no process number"
expect_code 1 "$scope" vmstat 99999999
expect_line "no process with PID 99999999"
expect_code 1 "$scope" vmstat $$
expect_line "does not carry libkmem"
"$scope" slabinfo $pid >/dev/full 2>"$tmp/err"
[ $? = 1 ] || fail "full disk not noticed"
exit 0
