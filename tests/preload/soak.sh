#!/usr/bin/env bash
# Memory of a program that runs for long and changes its ways: bounded, and no creep. 20 seconds; SOAK=SECONDS, for
# which the kinds of sizes change every minute and no more than 3 % are allowed, is for those who have half an hour:
#   SOAK=1800 bash tests/preload/soak.sh build
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${1:-build}
seconds=${SOAK:-20} periods=36 percent=12 # short periods end before memory has settled
if [ "$seconds" -ge 600 ]; then
	periods=$((seconds / 60)) percent=3
	[ "$periods" -ge 24 ] || periods=24
fi
LD_PRELOAD=$PWD/$build/libkmem-malloc.so timeout $((seconds * 2 + 60)) "$build/tests/preload/soak" "$seconds" "$periods" "$percent"
