#!/usr/bin/env bash
# shadow.sh - AddressSanitizer and memcheck find the use of free objects, and nothing in right use.
set -u
cd "$(dirname "$0")/../.." || exit 1
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
fail() { echo "FAIL: $*"; tail -n 20 "$tmp/out"; exit 1; }

# In folders of their own: the objects differ.
make -j2 SAN=address SHADOW=1 build/san-address-shadow/tests/shadow/shadow >"$tmp/out" 2>&1 || fail "the build for AddressSanitizer"
asan=build/san-address-shadow/tests/shadow/shadow
ASAN_OPTIONS=detect_leaks=0 $asan good >"$tmp/out" 2>&1 || fail "AddressSanitizer reports right use"
for what in after beyond kmalloc piece gap reserve; do
	ASAN_OPTIONS=detect_leaks=0 $asan $what >"$tmp/out" 2>&1 && fail "AddressSanitizer does not see '$what'"
	# What it calls an access to the bytes that an object of 100 leaves of its last word differs.
	grep -qE 'ERROR: AddressSanitizer: (use-after-poison|unknown-crash)' "$tmp/out" || fail "$what: another report"
done

command -v valgrind >/dev/null || { echo "leg valgrind: skipped: it is not installed"; exit 0; }
make -j2 VALGRIND=1 build/valgrind/tests/shadow/shadow >"$tmp/out" 2>&1 || fail "the build for valgrind"
memcheck() { valgrind -q --error-exitcode=9 build/valgrind/tests/shadow/shadow "$1" >"$tmp/out" 2>&1; }
memcheck good || fail "memcheck reports right use"
for what in after beyond kmalloc piece gap reserve; do
	memcheck $what
	[ $? -eq 9 ] && grep -q 'Invalid read of size 1' "$tmp/out" || fail "memcheck does not see '$what'"
done
exit 0
