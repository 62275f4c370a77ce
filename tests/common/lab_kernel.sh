#!/usr/bin/env bash
# The lab in the kernel sets tunables, and sets them back. usage: lab_kernel.sh BUILD
set -u
build=$1
cache=/sys/kernel/slab/msg_msg-192
[ "$(id -u)" -eq 0 ] || { echo "SKIP: needs root"; exit 77; }
[ -d $cache ] || { echo "SKIP: this kernel has no private caches msg_msg-*"; exit 77; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
exec 3<$cache
before="$(cat $cache/cpu_partial) $(cat $cache/min_partial)"
echo 'cache c size=192 cpu_partial=30 min_partial=3; alloc a1..a900 c; free a1..a900' >"$work/script"
"$build/tests/placement" kernel "$work/script" >"$work/out" 2>&1
rc=$?
[ $rc -eq 77 ] && { echo "SKIP: $(head -n 1 "$work/out")"; exit 77; }
[ $rc -eq 0 ] || { echo "FAIL: $(cat "$work/out")"; exit 1; }
[ "$(cat $cache/cpu_partial) $(cat $cache/min_partial)" = "$before" ] || { echo "FAIL: the limits were $before"; exit 1; }
exit 0
