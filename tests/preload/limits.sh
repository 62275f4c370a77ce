#!/usr/bin/env bash
# Programs for which memory ends, or whose rights end after their start: NULL and ENOMEM, no message, and they go on.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${1:-build}
lib=$PWD/$build/libkmem-malloc.so
program=$build/tests/preload/limits
failed=0

# passes VARIABLES... -- MODE
passes() {
	local variables=() out
	while [ "$1" != -- ]; do variables+=("$1"); shift; done
	shift
	out=$(env "${variables[@]}" timeout 100 "$program" "$1" 2>&1) && [ "$out" = "limits: 0 failures" ] ||
		{ echo "${variables[*]} limits $1: $out (exit status $?)"; failed=1; }
}

for mode in data closed sbrk sandbox; do
	passes KMEM_OPTIONS= -- $mode # glibc
done
for mode in data refused closed sbrk sandbox; do
	passes LD_PRELOAD="$lib" -- $mode
	passes LD_PRELOAD="$lib" KMEM_OPTIONS=rseq=off -- $mode
done
for kib in 1000000 400000; do
	(ulimit -v $kib; passes KMEM_OPTIONS= -- as; exit $failed) || failed=1
	(ulimit -v $kib; passes LD_PRELOAD="$lib" -- as; exit $failed) || failed=1
done
exit $failed
