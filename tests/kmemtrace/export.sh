#!/usr/bin/env bash
# Exports of a real recording, read by rules of others: folded stacks, SVG, JSON and CSV; and what cannot be exported.
. "$(dirname "$0")/analysis.bash"
need_record
trace=$work/try.kmt
"$kmemtrace" record -q --force -s -o "$trace" -c --preload -- bash -c 'for i in {1..2000}; do a[i]=$i$i; done' || fail "record"

# Folded: no line without a count, no empty function, each stack once; together they are what the report says.
for weight in allocs bytes objects live peak; do
	expect 0 "$kmemtrace" export "$trace" --format folded --weight $weight
	total=$(python3 -c '
import sys
seen, total = set(), 0
for line in sys.stdin:
    stack, _, count = line.rstrip("\n").rpartition(" ")
    frames = stack.split(";")
    assert stack and all(frames) and count.isdigit() and int(count) > 0, line
    assert stack not in seen, line
    seen.add(stack)
    total += int(count)
print(total)' <<<"$out") || fail "folded $weight"
	expect 0 "$kmemtrace" report "$trace" --json
	python3 -c '
import json, sys
key = {"allocs": "allocs", "bytes": "bytes", "objects": "live_objects", "live": "live_bytes", "peak": "peak_bytes"}[sys.argv[1]]
for line in sys.stdin:
    r = json.loads(line)
    if r["type"] == "total":
        assert r[key] == int(sys.argv[2]), (r[key], sys.argv)' $weight "$total" <<<"$out" || fail "the sum of $weight"
done

# SVG: well-formed; boxes lie in the picture and on boxes that are as wide.
# Of a program with frame pointers, so that there is something to stack.
"$kmemtrace" record -q --force -s -o "$work/leaky.kmt" -c -- "$build/examples/leaky" --seconds 0 >/dev/null || fail "record"
expect 0 "$kmemtrace" export "$work/leaky.kmt" -F svg --weight allocs -o "$work/flames.svg"
python3 - "$work/flames.svg" <<'PY' || fail "svg"
import sys, xml.etree.ElementTree as ET
ns = "{http://www.w3.org/2000/svg}"
root = ET.parse(sys.argv[1]).getroot()
width, height = float(root.get("width")), float(root.get("height"))
rows = {}
for g in root.iter(ns + "g"):
    assert g.find(ns + "title").text
    r = g.find(ns + "rect")
    x, y, w = (float(r.get(k)) for k in ("x", "y", "width"))
    assert 0 <= x and x + w <= width and 0 < y < height, (x, y, w)
    rows.setdefault(y, []).append((x, x + w))
ys = sorted(rows, reverse=True)
assert len(ys) > 3 and len(rows[ys[0]]) == 1
for below, above in zip(ys, ys[1:]):
    for x, end in rows[above]:
        assert any(bx - 0.11 <= x and end <= bend + 0.61 for bx, bend in rows[below]), (x, end)
PY

# JSON lines and CSV: as many rows, with the same numbers.
expect 0 "$kmemtrace" export "$trace" -F json -o "$work/rows.json"
expect 0 "$kmemtrace" export "$trace" -F csv -o "$work/rows.csv"
python3 - "$work/rows.json" "$work/rows.csv" <<'PY' || fail "json and csv"
import csv, json, sys
rows = [r for r in map(json.loads, open(sys.argv[1])) if r["type"] == "row"]
lines = list(csv.DictReader(open(sys.argv[2])))
assert len(rows) == len(lines) > 10
for r, l in zip(rows, lines):
    assert r["stack"] == l["stack"] and r["live_bytes"] == int(l["live_bytes"]) and r["allocs"] == int(l["allocs"])
    assert (r["age_p50_ns"] is None) == (l["age_p50_ns"] == "")
PY

# Several processes, filters and bad input.
expect 0 "$kmemtrace" export "$trace" -F folded --filter 'no_such_function'
check "nothing matches" [ -z "$out" ]
expect 2 "$kmemtrace" export "$trace";                        expect_error "no --format given"
expect 2 "$kmemtrace" export -F folded;                       expect_error "no file given"
expect 2 "$kmemtrace" export "$trace" -F png;                 expect_error "unknown 'png'"
expect 2 "$kmemtrace" export "$trace" -F svg -w waste;        expect_error "unknown 'waste'"
expect 2 "$kmemtrace" export "$trace" "$trace" -F svg;        expect_error "more than one file"
expect 1 "$kmemtrace" export /nowhere -F svg -o "$work/new";  expect_error "/nowhere"
check "nothing was made for it" [ ! -e "$work/new" ]
expect 1 "$kmemtrace" export "$trace" -F svg -o /nowhere/x;   expect_error "cannot write /nowhere/x"
for format in pprof folded svg perfetto json csv; do
	expect 1 "$kmemtrace" export "$trace" -F $format -o /dev/full
	expect_error "No space left on device"
	expect 1 bash -c '"$0" export "$1" -F "$2" >/dev/full' "$kmemtrace" "$trace" $format
	expect_error "No space left on device"
done
expect 2 script -qec "$kmemtrace export $trace -F pprof" /dev/null
