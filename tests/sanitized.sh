#!/usr/bin/env bash
# The stress programs of a sanitizer build, with small sizes: tests/sanitized.sh build/san-thread
set -eu
build=${1:?usage: tests/sanitized.sh BUILD}
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=0}"
export TSAN_OPTIONS="${TSAN_OPTIONS:-halt_on_error=1}"

case $build in
*thread*)
	# With rseq on TSan reports races on the objects themselves: an object goes from
	# one thread to the next through the slot, whose critical sections are assembly
	# that TSan does not see, so for it nothing orders the two threads' accesses. The
	# page layer has no such path: it runs both ways.
	KMEM_OPTIONS=rseq=on "$build/tests/stress/pages" 1e5
	export KMEM_OPTIONS=rseq=off ;;
esac
"$build/tests/stress/mixed" 2e6
"$build/tests/stress/fork" 50
"$build/tests/model/model" -n 2e5
"$build/tests/model/model" -n 1e5 -t 4
"$build/tests/stress/pages" 1e5
"$build/tests/stress/pools" 2e5 # 1e8 before a release
[ -n "${KMEM_OPTIONS:-}" ] || KMEM_OPTIONS=rseq=off "$build/tests/stress/mixed" 5e5
