#!/usr/bin/env bash
# examples/leaky.c: kmemleak names exactly what it loses, in every output format.
. "$(dirname "$0")/lib.bash"

start "$build/examples/leaky"
check "it says how many it loses" grep -q "leaks=7" "$work/ready"

expect 23 "$kmemleak" -p "$target" --csv
names=$(caches <<<"$out" | tr '\n' ' ')
check "the planted leaks and nothing else" \
	[ "$names" = "kmalloc-128 kmalloc-large request request request session session " ]

expect 23 "$kmemleak" -p "$target" scan
check "seven reports" [ "$(grep -c '^unreferenced object 0x' <<<"$out")" -eq 7 ]
check "six direct" grep -q "7 unreferenced objects, .* 6 direct, 1 indirect" <<<"$out"
check "the circle has one leader" grep -q "cache session, .*direct leak, holds 1 more" <<<"$out"
check "contents are shown" grep -q "a lost buffer" <<<"$out"
check "nothing is invented" grep -q 'comm "leaky", pid '"$target"', age unknown' <<<"$out"
check "coverage is said" grep -qE '^scanned [0-9]+ objects' <<<"$out"
check "the pause is said" grep -qE '^stopped for [0-9.]+ ms' <<<"$out"

expect 23 "$kmemleak" -p "$target" --json
check "JSON agrees" python3 - "$out" <<'PY'
import json, sys
records = [json.loads(line) for line in sys.argv[1].splitlines()]
leaks = [r for r in records if r["record"] == "leak"]
scan = [r for r in records if r["record"] == "scan"][0]
assert len(leaks) == scan["leaks"] == 7, scan
assert sum(r["size"] for r in leaks) == scan["leaked_bytes"]
assert sum(r["direct"] for r in leaks) == scan["direct"] == 6
assert scan["objects"] == scan["reached"] + 7, scan
assert scan["unreadable_ranges"] == 0 and scan["in_flux"] == 0, scan
PY

expect 23 "$kmemleak" -p "$target" --cache 'kmalloc*' --csv
check "only these caches" [ "$(caches <<<"$out" | tr '\n' ' ')" = "kmalloc-128 kmalloc-large " ]
expect 23 "$kmemleak" -p "$target" --min-size 1000 --csv
check "only large ones" [ "$(caches <<<"$out")" = kmalloc-large ]
expect 0 "$kmemleak" -p "$target" --cache item -s
expect 23 "$kmemleak" -p "$target" -n 2
check "two shown" [ "$(grep -c '^unreferenced' <<<"$out")" -eq 2 ]
expect 23 "$kmemleak" -p "$target" -p "$target" -s
check "two processes" [ "$(grep -c '^PID' <<<"$out")" -eq 2 ]

# The interior pointer is what keeps two objects of the list and one of kmalloc.
expect 23 "$kmemleak" -p "$target" --no-interior --csv
check "without interior pointers more is reported" [ "$(caches <<<"$out" | grep -c item)" -ge 99 ]

# dump: a lost object, the one it points to, and one that is kept.
lost=$("$kmemleak" -p "$target" --csv --cache session | sed -n 2p | cut -d, -f4)
expect 0 "$kmemleak" -p "$target" dump="$lost"
check "dump of a leak" grep -q "cache session, unreferenced" <<<"$out"
check "its peer refers to it" grep -q "object 0x.* (cache session, unreferenced)" <<<"$out"

# clear: known from now on, but not for another process.
expect 0 "$kmemleak" -p "$target" clear
expect 0 "$kmemleak" -p "$target"
check "cleared" grep -q "no leaks" <<<"$out"
check "said" grep -q "left out: 7 unreferenced objects" <<<"$out"
start "$build/examples/leaky"
expect 23 "$kmemleak" -p "$target" -s

# The target never noticed.
check "it still runs" [ "$(state "$target")" = S ]
