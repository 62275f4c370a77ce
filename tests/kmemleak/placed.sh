#!/usr/bin/env bash
# Objects that do not begin where their place does, behind red zones and between guard
# pages: all that are lost are reported, at their true address and size, and no others.
. "$(dirname "$0")/lib.bash"

lost() {
	python3 -c '
import sys
for line in open(sys.argv[1]):
    if line.strip() != "READY":
        inverted, size = line.split()
        print("0x%x,%s" % (~int(inverted, 16) & 2**64 - 1, size))' "$work/ready" | sort
}

reported() {
	expect 23 "$kmemleak" -p "$target" --json -n 0
	python3 -c '
import json, sys
for record in map(json.loads, sys.stdin):
    if record["record"] == "leak":
        print("%s,%d" % (record["address"], record["size"]))' <<<"$out" | sort
}

begin() { # ENVIRONMENT
	start env "$1" "$build/tests/kmemleak/placed"
	lost >"$work/lost"
	check "200 are lost" [ "$(wc -l <"$work/lost")" -eq 200 ]
	reported >"$work/reported"
	check "$1: they are reported, and nothing else" diff "$work/lost" "$work/reported"
}

begin KMEM_OPTIONS=
begin KMEM_SLAB_DEBUG=FZPU
object=$(sed -n '1s/,.*//p' "$work/lost")
expect 0 "$kmemleak" -p "$target" dump="$object"
check "dump knows it by its address" grep -q "^object $object (size " <<<"$out"
begin KMEM_OPTIONS=guard=1
expect 23 "$kmemleak" -p "$target" -n 0
check "some lay between guard pages" grep -q "cache kmalloc-.*, between guard pages, direct leak" <<<"$out"
