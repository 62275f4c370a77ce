#!/usr/bin/env bash
# pprof's profile, decoded by protoc with the public field numbers: consistent, and what the report says.
. "$(dirname "$0")/analysis.bash"
here=$(cd "$(dirname "$0")" && pwd)
command -v protoc >/dev/null || { echo "SKIP: no protoc"; exit 77; }
need_record
trace=$work/try.kmt
"$kmemtrace" record -q --force -s -o "$trace" -c --preload -- bash -c 'for i in {1..2000}; do a[i]=$i$i; done' || fail "record"

for weight in allocs bytes objects live peak; do
	expect 0 "$kmemtrace" export "$trace" -F pprof -w $weight -o "$work/profile"
	gzip -dc "$work/profile" | protoc --proto_path="$here" --decode=perftools.profiles.Profile "$here/profile.proto" \
		>"$work/text" 2>"$work/stderr" || fail "protoc: $(cat "$work/stderr")"
	# A field that it does not know is printed as a number.
	check "unknown fields" [ "$(grep -cE '^ *[0-9]+[:{ ]' "$work/text")" -eq 0 ]
	expect 0 "$kmemtrace" report "$trace" --json
	printf '%s\n' "$out" >"$work/report"
	python3 - "$work/text" "$work/report" $weight <<'PY' || fail "profile $weight"
import json, re, sys

def parse(lines):
    """The text form of messages: name: value, name { ... }."""
    message = {}
    for line in lines:
        line = line.strip()
        if line == "}":
            return message
        if line.endswith("{"):
            message.setdefault(line[:-1].strip(), []).append(parse(lines))
        else:
            key, _, value = line.partition(": ")
            message.setdefault(key, []).append(value)
    return message

p = parse(iter(open(sys.argv[1])))
strings = [json.loads(s) if "\\" not in s else s[1:-1] for s in p["string_table"]]
assert strings[0] == "" and len(set(strings)) == len(strings)
text = lambda m, k: strings[int(m.get(k, ["0"])[0])]
number = lambda m, k: int(m.get(k, ["0"])[0])
types = [(text(t, "type"), text(t, "unit")) for t in p["sample_type"]]
assert types == [("alloc_objects", "count"), ("alloc_space", "bytes"), ("inuse_objects", "count"), ("inuse_space", "bytes")]
want = {"allocs": "alloc_objects", "bytes": "alloc_space", "objects": "inuse_objects", "live": "inuse_space", "peak": "inuse_space"}
assert text(p, "default_sample_type") == want[sys.argv[3]]
assert number(p, "time_nanos") > 1e18 and number(p, "duration_nanos") > 0
ids = {k: [number(m, "id") for m in p[k]] for k in ("mapping", "location", "function")}
for k, v in ids.items():
    assert sorted(v) == list(range(1, len(v) + 1)), k
names = {number(f, "id"): text(f, "name") for f in p["function"]}
assert all(names.values())
mapped = 0
mappings = {number(m, "id"): m for m in p["mapping"]}
for m in p["mapping"]:
    assert text(m, "filename").startswith("/") or text(m, "filename").startswith("[")
    assert re.fullmatch("[0-9a-f]*", text(m, "build_id"))
assert any(len(text(m, "build_id")) == 40 for m in p["mapping"])
for l in p["location"]:
    assert l["line"] and all(number(line, "function_id") in names for line in l["line"])
    if "mapping_id" in l:
        m = mappings[number(l, "mapping_id")]
        assert number(m, "memory_start") <= number(l, "address") <= number(m, "memory_limit")
        mapped += 1
assert mapped > 10
total = [0, 0, 0, 0]
for s in p["sample"]:
    assert s["location_id"] and all(int(i) in set(ids["location"]) for i in s["location_id"])
    assert len(s["value"]) == 4 and text(s["label"][0], "key") == "cache" and text(s["label"][0], "str")
    total = [a + int(b) for a, b in zip(total, s["value"])]
r = next(r for r in map(json.loads, open(sys.argv[2])) if r["type"] == "total")
live = ["peak_objects", "peak_bytes"] if sys.argv[3] == "peak" else ["live_objects", "live_bytes"]
assert total == [r[k] for k in ["allocs", "bytes"] + live], (total, r)
PY
done
