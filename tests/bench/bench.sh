#!/usr/bin/env bash
# The benchmark runner: rows are chosen by name, measured beside the peers, printed and written as JSON; a goal
# is judged; a row of an earlier run is kept when asked for. What it measures is not judged here.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=$(cd "${1:-build}" && pwd)
case $build in */san-*|*/valgrind) echo "figures of a sanitizer build mean nothing"; exit 77 ;; esac
make -s bench-bin || { echo "FAIL: the benchmark programs do not build"; exit 1; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
bad=0
fail() { echo "FAIL: $*"; bad=1; }

# Its own results folder, so that a developer's results stay.
mkdir "$work/build" && ln -s "$build"/* "$work/build/" && rm -f "$work/build/bench.json" "$work/build/bench.svg"
bench/run "$work/build" --launches 1 --rows 'ns/malloc/pair,memory/inline/64' >"$work/out" 2>&1 || fail "bench/run: exit $?"
bench/run "$work/build" --launches 1 --keep --rows 'drain' >>"$work/out" 2>&1 || fail "bench/run --keep: exit $?"
python3 - "$work/build/bench.json" <<'PY' || bad=1
import json, sys
results = json.load(open(sys.argv[1]))
rows = {row["name"]: row for row in results["rows"]}
assert results["machine"] and set(rows) == {"ns/malloc/pair", "memory/inline/64", "drain"}, rows.keys()
for row in rows.values():
    assert {"name", "unit", "ours", "peers", "ratio_best", "goal", "goal_ratio", "spread", "met"} <= row.keys(), row
pair = rows["ns/malloc/pair"]
assert 0.1 < pair["ours"] < 10000 and pair["peers"]["glibc"] > 0.1 and pair["ratio_best"] > 0, pair
assert pair["met"] == (pair["ratio_best"] <= pair["goal_ratio"]), pair
assert rows["memory/inline/64"]["ours"] >= 1, rows["memory/inline/64"]
PY
grep -q '^ns/malloc/pair .* ns .* goal x1 .*glibc' "$work/out" || fail "no line of the table"
[ "$(grep -c 'total [0-9]* s$' "$work/out")" -eq 2 ] || fail "the total time is not said"
find bench -name __pycache__ | grep -q . && fail "bench/run leaves files in the source tree"
[ $bad -eq 0 ] || cat "$work/out"
exit $bad
