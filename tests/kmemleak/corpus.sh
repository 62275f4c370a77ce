#!/usr/bin/env bash
# Every way to hide a pointer from a leak scanner: reachable objects stay unreported, lost ones do not.
. "$(dirname "$0")/lib.bash"

start "$build/tests/kmemleak/corpus"
lost="lose-chain-1 lose-chain-2 lose-circle-1 lose-circle-2 lose-coloured lose-direct lose-first-object lose-self lose-stale-stack"
for _ in 1 2 3 4 5; do
	expect 23 "$kmemleak" -p "$target" --csv --all-mappings
	check "with shared mappings" [ "$(caches <<<"$out" | xargs)" = "$lost" ]
done
expect 23 "$kmemleak" -p "$target" --csv
check "without" [ "$(caches <<<"$out" | xargs)" = "$lost shared-anonymous" ]
expect 23 "$kmemleak" -p "$target" -s
check "what is left out is said" grep -q "not scanned: 1 shared mapping" <<<"$out"
