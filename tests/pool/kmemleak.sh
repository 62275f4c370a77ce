#!/usr/bin/env bash
# What pools and per-CPU memory hold is no leak, and what was taken out of them and lost is one.
. "$(dirname "$0")/../kmemleak/lib.bash"

# Leaks that nothing leaked refers to, by cache: field 8 is "direct".
direct() { tail -n +2 | awk -F, '$8 == "true" { print $6 }' | sort | tr '\n' ' '; }

start "$build/tests/pool/holding"
expect 23 "$kmemleak" -p "$target" --csv
check "the three that were lost, the region pool as its owner's memory" [ "$(direct <<<"$out")" = "element kmalloc-128 percpu " ]
check "all that the lost region refers to" [ "$(caches <<<"$out" | grep -c '^lost$')" = 33 ]
check "nothing that the kept one does" [ "$(caches <<<"$out" | grep -c '^kept$')" = 0 ]
