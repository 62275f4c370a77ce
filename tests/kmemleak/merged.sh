#!/usr/bin/env bash
# Caches that share slabs: every lost object is reported once, by the name of the cache whose slabs they are.
. "$(dirname "$0")/lib.bash"

reported() { # prints "ADDRESS CACHE" for each leak
	expect 23 "$kmemleak" -p "$target" --json -n 0
	python3 -c '
import json, sys
for record in map(json.loads, sys.stdin):
    if record["record"] == "leak":
        print(record["address"], record["cache"])' <<<"$out" | sort
}

begin() { # MERGE NAMES...
	KMEM_OPTIONS=merge=$1 start "$build/tests/kmemleak/merged"
	python3 -c '
import sys
for line in open(sys.argv[1]):
    if line.strip() != "READY":
        print("0x%x" % (~int(line, 16) & 2**64 - 1))' "$work/ready" | sort >"$work/lost"
	check "250 are lost" [ "$(wc -l <"$work/lost")" -eq 250 ]
	reported >"$work/reported"
	check "merge=$1: they are reported once, and nothing else" diff "$work/lost" <(cut -d' ' -f1 "$work/reported")
	shift
	check "by name" [ "$(cut -d' ' -f2 "$work/reported" | sort | uniq -c | xargs)" = "$*" ]
}

begin off 50 first 50 last 50 orphan-1 50 orphan-2 50 second
begin on 150 first 100 gone
