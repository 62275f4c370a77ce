#!/usr/bin/env bash
# slabscope compare -c: exact about a program whose allocations are known. usage: compare_command.sh BUILD
set -u
build=$(realpath "$1")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
mkfifo "$work/input"
"$build/slabscope" compare --csv -n 500 -c "$build/tests/holder" <"$work/input" >"$work/csv" 2>"$work/err" &
exec 3>"$work/input"
# It holds 12000 objects of holder-cache until its input ends; a sample is taken every 20 ms.
sleep 3
exec 3>&-
wait $!
[ -n "${SANITIZED:-}" ] && exit 0
row=$(grep '^libkmem,holder-cache,' "$work/csv") || { echo "FAIL: no row"; cat "$work/err" "$work/csv"; exit 1; }
held=$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } $2 == "holder-cache" { print $at["in_use"], $at["residue"] }' "$work/csv")
[ "$held" = "12000 0" ] || { echo "FAIL: in use and residue: $held; $row"; exit 1; }
exit 0
