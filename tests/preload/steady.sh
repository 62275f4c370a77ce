#!/usr/bin/env bash
# A program in a steady state makes few system calls: with objects of all sizes, for three decay periods, less than
# 100 a second, by looks at what was idle, against some million calls of malloc().
# And the library can be loaded late: its part of the static TLS is small.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${1:-build}
library=$PWD/$build/libkmem-malloc.so
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0
seconds=3

strace -f -o "$work/trace" -E LD_PRELOAD="$library" "$build/tests/preload/steady" $seconds ||
	{ echo "the program failed"; tail -n 5 "$work/trace"; exit 1; }
awk '/getppid/ { warm = 1; next } warm && !/exit_group|\+\+\+/' "$work/trace" >"$work/calls"
calls=$(wc -l <"$work/calls")
# Twice a period, caches that rested are drained (a membarrier each) and pages that did are purged.
[ "$calls" -le $((100 * seconds)) ] || { echo "$calls system calls in $seconds s:"; tail -n 20 "$work/calls"; failed=1; }

tls=$(($(readelf -lW "$library" | awk '$1 == "TLS" { print $6 }')))
[ "$tls" -le 256 ] || { echo "$tls bytes of static TLS: glibc keeps 1664 for all libraries that are loaded late"; failed=1; }
exit $failed
