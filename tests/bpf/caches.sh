#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# caches.sh - the kernel cache walker shows what /proc/slabinfo shows, in each of its three ways.
#
# usage: caches.sh BUILD-FOLDER      exit 0 pass, 1 fail, 77 skip
set -u
equal=$1/tests/bpf/caches_equal
out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT

skip() { echo "SKIP: $*"; exit 77; }
fail() { echo "FAIL: $*"; exit 1; }

[ -r /proc/slabinfo ] || skip "/proc/slabinfo cannot be read (needs root)"

# Every way that this kernel has must agree with slabinfo; at least one it must have.
ways=0
for way in iterator list bootstrap; do
	"$equal" $way > "$out" 2>&1
	case $? in
	0) ways=$((ways + 1)) ;;
	77) ;;
	*) cat "$out"; fail "$way: differs from /proc/slabinfo" ;;
	esac
	tail -n 1 "$out"
done
[ $ways -gt 0 ] || skip "no BPF cache walker works here"

for way in iterator bootstrap; do
	"$equal" -t $way > "$out" 2>&1
	case $? in
	0) break ;;
	77) continue ;;
	*) grep 'ADD UP\|add up' "$out"; fail "$way: rows do not add up" ;;
	esac
done
tail -n 1 "$out"

# A cache with N names has N-1 aliases: the kernel's count and sysfs must agree.
if [ -d /sys/kernel/slab ]; then
	awk '{
		match($0, / ref=[0-9]+/); ref = substr($0, RSTART + 5, RLENGTH - 5)
		match($0, / aliases=[0-9]+/); aliases = substr($0, RSTART + 9, RLENGTH - 9)
		if (ref && ref - 1 != aliases) { print "aliases:", $1, ref, aliases; bad++ }
	} END { exit bad > 2 }' "$out" || fail "refcount and aliases differ"
fi

# What slabinfo does not know: how many objects are really in use.
"$1/tests/bpf/in_use" || fail "in_use is not what we hold"
exit 0
