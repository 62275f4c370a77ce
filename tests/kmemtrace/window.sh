#!/usr/bin/env bash
# A window holds every event of a known number between its two ends. usage: window.sh BUILD
set -u
build=$1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
[ "$(id -u)" -eq 0 ] || { echo "SKIP: needs root"; exit 77; }
[ -d /sys/kernel/slab/msg_msg-192 ] || { echo "SKIP: this kernel has no private caches msg_msg-*"; exit 77; }
# 40 checks of a script in the kernel: 6000 objects of msg_msg-192 come and go.
echo 'cache c size=192; repeat 40 { alloc a1..a150 c; free a1..a150 }' >"$work/script"
"$build/kmemtrace" predict -a --csv -- "$build/slabscope" compare --json "$work/script" >"$work/out" 2>"$work/err"
row=$(grep '^msg_msg-192,' "$work/out") || { cat "$work/err"; grep -q 'BPF\|CONFIG\|try sudo' "$work/err" && exit 77; echo "FAIL: no row"; exit 1; }
IFS=, read -r _ allocs frees _ <<<"$row"
[ "$allocs" = 6000 ] && [ "$frees" = 6000 ] || { echo "FAIL: $allocs allocations, $frees frees of 6000"; exit 1; }
exit 0
