#!/usr/bin/env bash
# Under valgrind rseq is not registered: the paths for that, and no error of memcheck in them.
set -u
build=${1:-build}
command -v valgrind >/dev/null || { echo "valgrind is not installed"; exit 77; }
failed=0

run() {
	timeout 200 valgrind -q --error-exitcode=33 --leak-check=no "$@" >"$log" 2>&1 && return
	echo "valgrind $*: exit status $?"; tail -n 40 "$log"; failed=1
}

log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
run "$build/tests/stress/mixed" 1e5 8
run "$build/tests/stress/pages" 5e3
run "$build/tests/stress/fork" 3
exit $failed
