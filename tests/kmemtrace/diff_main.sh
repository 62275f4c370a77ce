#!/usr/bin/env bash
# Two runs of a program whose code lies elsewhere each time: the same sites are matched, and what changed is said.
. "$(dirname "$0")/analysis.bash"
need_record
record() { # FILE ROUNDS
	"$kmemtrace" record -q --force -s -o "$1" -c --preload -- bash -c "for ((i = 0; i < $2; i++)); do a[i]=\$i\$i; done" || fail "record"
}
record "$work/a.kmt" 2000
record "$work/b.kmt" 2000
record "$work/c.kmt" 20000
expect 0 "$kmemtrace" diff "$work/a.kmt" "$work/b.kmt" --all --json
python3 -c '
import json, sys
rows = [json.loads(line) for line in sys.stdin]
both = sum(r["state"] == "both" for r in rows)
assert len(rows) > 10 and both > len(rows) * 0.95, (len(rows), both)' <<<"$out" || fail "the same sites"
expect 0 "$kmemtrace" diff "$work/a.kmt" "$work/c.kmt"
check "heading" grep -q "LIVE A.*LIVE B.*CHANGE.*SITE" <<<"$out"
check "sorted by change: $out" grep -qE '^ +[0-9.]+K +[0-9.]+[KM] +\+[0-9.]+[KM]' <<<"$(grep -A1 'LIVE A' <<<"$out")"
expect 0 "$kmemtrace" diff "$work/a.kmt" "$work/a.kmt"
check "no change" grep -q "nothing changed by more than chance" <<<"$out"
expect 0 "$kmemtrace" diff "$work/a.kmt" "$work/c.kmt" --by cache --sort allocs --csv -n 3
check "csv" [ "$(wc -l <<<"$out")" -eq 4 ]
check "csv heading" grep -q '^key,state,significant,a_allocs,' <<<"$out"
expect 2 "$kmemtrace" diff "$work/a.kmt";                      expect_error "two files are compared"
expect 2 "$kmemtrace" diff a b c;                              expect_error "more than two files"
expect 2 "$kmemtrace" diff a b --by pid;                       expect_error "unknown 'pid'"
expect 2 "$kmemtrace" diff a b --sort age;                     expect_error "unknown 'age'"
expect 2 "$kmemtrace" diff a b -n 0;                           expect_error "not a number"
expect 1 "$kmemtrace" diff "$work/a.kmt" /nowhere;             expect_error "/nowhere"
expect 1 bash -c '"$0" diff "$1" "$2" >/dev/full' "$kmemtrace" "$work/a.kmt" "$work/c.kmt"
expect_error "No space left on device"
