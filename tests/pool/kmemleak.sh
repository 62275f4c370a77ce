#!/usr/bin/env bash
# What pools and per-CPU memory hold is no leak, and what was taken out of them and lost is one.
. "$(dirname "$0")/../kmemleak/lib.bash"

start "$build/tests/pool/holding"
expect 23 "$kmemleak" -p "$target" --csv
check "the two that were lost and nothing else" [ "$(caches <<<"$out" | tr '\n' ' ')" = "element percpu " ]
