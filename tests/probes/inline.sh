#!/usr/bin/env bash
# A program with inline fast paths under the preloaded library: its probes are the ones that count.
set -u
program=$1/tests/probes/inline
"$program" || { echo "FAIL: linked with libkmem"; exit 1; }
case $1 in */san-*) exit 0 ;; esac
LD_PRELOAD=$1/libkmem-malloc.so "$program" | grep -q "^functions of .*libkmem-malloc.so, semaphores of .*libkmem-malloc.so" || {
	LD_PRELOAD=$1/libkmem-malloc.so "$program"; echo "FAIL: preloaded"; exit 1; }
