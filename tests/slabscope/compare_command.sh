#!/usr/bin/env bash
# slabscope compare -c: exact about a program whose allocations are known. usage: compare_command.sh BUILD
set -u
build=$(realpath "$1")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
[ -n "${SANITIZED:-}" ] && { echo "SKIP: no preloading into sanitized programs"; exit 77; }
mkfifo "$work/input"

# It holds 12000 objects of holder-cache until its input ends; samples are taken while it does.
try() { # SECONDS
	"$build/slabscope" compare --csv -n 500 -c "$build/tests/holder" <"$work/input" >"$work/csv" 2>"$work/err" &
	exec 3>"$work/input"
	while ! grep -q ready "$work/csv"; do kill -0 $! 2>/dev/null || break; sleep 0.1; done
	sleep "$1"
	exec 3>&-
	wait $!
	held=$(awk -F, '/^side,/ { for (i = 1; i <= NF; i++) at[$i] = i; next } $2 == "holder-cache" { print $at["in_use"], $at["residue"] }' "$work/csv")
}
# On a machine that is busy a sample may be late.
for seconds in 0.5 2 8 20; do
	try $seconds
	[ "$held" = "12000 0" ] && exit 0
done
echo "FAIL: in use and residue: ${held:-not there}"
cat "$work/err"
exit 1
