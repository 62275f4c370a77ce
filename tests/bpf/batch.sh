#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# batch.sh - the event stream has every event once: in each mode, whatever the process's end.
#
# usage: [SHORT=1] batch.sh BUILD-FOLDER     exit 0 pass, 1 fail, 77 skip
set -u
bin=$1/tests/bpf

run() { # ROUNDS THREADS MODE HOW
	local out
	out=$("$bin/stream" "$bin/stream_work" "$@" 2>&1)
	case $? in
	0) ;;
	77) echo "SKIP: $out"; exit 77 ;;
	*) echo "FAIL: stream $*"; echo "$out"; exit 1 ;;
	esac
}

if [ -n "${SHORT:-}" ]; then
	run 5000 2 0 live
	exit 0
fi
for how in live exit kill; do
	run 100000 4 0 $how
done
for mode in 1 2 3; do
	run 20000 8 $mode live
done
run 100000 2 0 exec
run 20000 2 1 fork
run 100000 4 1 tiny
run 20000 2 0 again
run 20000 2 6 live
# Fewer events than fit into one buffer.
run 1 1 0 live
run 1 1 0 exit
# Without per-CPU memory they share one buffer, under a lock.
KMEM_OPTIONS=rseq=off run 5000 4 0 live
KMEM_OPTIONS=rseq=off run 5000 4 0 exit
