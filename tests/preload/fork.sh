#!/usr/bin/env bash
# fork(), vfork() and posix_spawn() at bad moments; glibc's malloc() as a control where it can do the same.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${1:-build}
lib=$PWD/$build/libkmem-malloc.so
program=$build/tests/preload/fork
failed=0

# passes VARIABLES... -- MODE COUNT
passes() {
	local variables=()
	while [ "$1" != -- ]; do variables+=("$1"); shift; done
	shift
	env "${variables[@]}" timeout 100 "$program" "$@" 2>&1 || { echo "${variables[*]} fork $*: exit status $?"; failed=1; }
}

for mode in "threads 30" "handler 60" "vfork 10" "spawn 10"; do
	# shellcheck disable=SC2086 # words
	passes KMEM_OPTIONS= -- $mode # glibc
done
# From a handler in a program with threads, glibc's child may wait for ever.
for mode in "threads 150" "nested 2" "handler 300" "handler_threads 100" "vfork 20" "spawn 20"; do
	# shellcheck disable=SC2086 # words
	passes LD_PRELOAD="$lib" -- $mode
done
for options in rseq=off purge=now nodes=2; do
	passes LD_PRELOAD="$lib" KMEM_OPTIONS=$options -- threads 20
	passes LD_PRELOAD="$lib" KMEM_OPTIONS=$options -- handler_threads 20
done
exit $failed
