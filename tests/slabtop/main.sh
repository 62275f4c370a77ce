#!/usr/bin/env bash
# main.sh - plain -o is byte for byte what procps slabtop prints for the same /proc/slabinfo.
. "$(dirname "$0")/helpers.bash"

procps=$(PATH=/usr/local/bin:/usr/bin:/bin command -v slabtop) || skip "procps slabtop is not installed"
"$procps" -V 2>/dev/null | grep -q 'procps-ng 4\.0\.' || skip "no procps-ng 4.0 to compare with"
[ "$(id -u)" = 0 ] || skip "needs root for /proc/slabinfo"
unshare -m true 2>/dev/null || skip "needs a mount namespace of its own"

compare() {
	local snapshot=$1 key
	shift
	for key in "$@"; do
		unshare -m sh -c 'mount --bind "$1" /proc/slabinfo || exit 77
			"$2" -o -s "$4" >"$5/theirs" && "$3" -o -s "$4" >"$5/ours"' \
			sh "$snapshot" "$procps" "$top" "$key" "$tmp" || fail "one of them failed with key $key"
		cmp "$tmp/theirs" "$tmp/ours" || {
			diff "$tmp/theirs" "$tmp/ours" | head -n 5
			fail "$snapshot differs with key $key"
		}
	done
}

all="o a b c l n p s u v O A B C L N P S U V"
cat /proc/slabinfo >"$tmp/real"
compare "$tmp/real" $all

# Ties, wide numbers, long names, inactive slabs, an SLAB kernel's tunables.
{
	echo 'slabinfo - version: 2.1'
	echo '# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>'
	for i in $(seq 60); do
		echo "tie-$i $((i % 3)) $((i % 5 + 3)) $((i % 7 * 64 + 8)) $((i % 4 + 1)) $((1 << i % 4)) : tunables 120 60 8 : slabdata $((i % 2)) $((i % 3 + 1)) 0"
	done
	echo 'a-name-that-is-much-longer-than-the-column-which-shows-it 1 2 3 4 1 : tunables 0 0 0 : slabdata 1 2 0'
	echo 'wide 12345678 23456789 8192 4 8 : tunables 0 0 0 : slabdata 5864198 5864198 0'
	echo 'zero 0 0 4096 8 8 : tunables 0 0 0 : slabdata 0 0 0'
} >"$tmp/synthetic"
compare "$tmp/synthetic" $all

# One cache, and that without objects: the sums must not divide by zero.
{
	sed -n 1,2p "$tmp/synthetic"
	echo 'only 1 1 64 64 1 : tunables 0 0 0 : slabdata 1 1 0'
} >"$tmp/one"
compare "$tmp/one" o n
