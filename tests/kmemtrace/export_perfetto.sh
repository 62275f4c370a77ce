#!/usr/bin/env bash
# Trace events as Chrome and Perfetto read them: valid JSON, known phases, counters that end at what the report says.
. "$(dirname "$0")/analysis.bash"
need_record
trace=$work/try.kmt
"$kmemtrace" record -q --force -s -o "$trace" -c --preload -- bash -c 'for i in {1..2000}; do a[i]=$i$i; done' || fail "record"
expect 0 "$kmemtrace" export "$trace" --format perfetto -o "$work/events.json"
expect 0 "$kmemtrace" report "$trace" --json --by cache
printf '%s\n' "$out" >"$work/report"
python3 - "$work/events.json" "$work/report" <<'PY' || fail "events"
import json, sys
top = json.load(open(sys.argv[1]))
assert set(top) == {"displayTimeUnit", "traceEvents"} and top["displayTimeUnit"] in ("ms", "ns")
last, times, named, phases = {}, {}, set(), set()
for e in top["traceEvents"]:
    assert {"ph", "name", "pid", "tid", "ts"} <= set(e) and isinstance(e["name"], str) and e["name"], e
    assert isinstance(e["pid"], int) and isinstance(e["ts"], (int, float)) and e["ts"] >= 0
    phases.add(e["ph"])
    if e["ph"] == "C":
        assert e["args"] and all(isinstance(v, int) and v >= 0 for v in e["args"].values())
        key = e["pid"], e["name"]
        assert times.get(key, 0) <= e["ts"]
        times[key] = e["ts"]
        last[key] = list(e["args"].values())[0]
    elif e["ph"] == "i":
        assert e["s"] in "gpt"
    else:
        assert e["ph"] == "M" and e["name"] == "process_name" and e["args"]["name"]
        named.add(e["pid"])
assert phases == {"C", "i", "M"} and {p for p, _ in last} <= named
report = [json.loads(line) for line in open(sys.argv[2])]
total = next(r for r in report if r["type"] == "total")
assert last[0, "live"] == total["live_bytes"]
peak = next(e for e in top["traceEvents"] if e["name"] == "peak")
assert peak["args"]["live bytes"] == total["peak_bytes"] and abs(peak["ts"] * 1000 - total["peak_ns"]) < 2000
caches = {}
for (pid, name), value in last.items():
    if pid:
        caches[name] = caches.get(name, 0) + value
for r in report:
    if r["type"] == "row":
        assert caches.get(r["cache"], 0) == r["live_bytes"], r
PY
expect 1 "$kmemtrace" export /nowhere -F perfetto; expect_error "/nowhere"
check "nothing printed" [ -z "$out" ]
