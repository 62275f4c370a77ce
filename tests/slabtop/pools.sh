#!/usr/bin/env bash
# pools.sh - pools of a process: exact numbers in every format, a process that makes and destroys them, the screen.
. "$(dirname "$0")/helpers.bash"

start "$build/tests/pooler"
expect_code 0 "$top" -o -p "$pid" --pools --csv
# name, kind, backend, unit, size, current, low, peak, allocs, frees, waiting, waits, failures, fragmentation
got=$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) col[$i] = i; next }
	function f(key) { return $col[key] == "" ? "-" : $col[key] }
	{ print f("pool"), f("kind"), f("backend"), f("unit_bytes"), f("size"), f("current"), f("low_water"), f("peak"), f("allocs"),
		f("frees"), f("waiting"), f("waits"), f("failures"), f("fragmentation_per_mille") }' "$tmp/out")
want='orders mempool kmalloc 200 8 6 5 - 3 1 0 0 0 -
strangled mempool custom - 1 0 0 - 3 2 1 3 1 -
range genpool - 32 65536 8192 - - 16 8 - - 1 142
request mp_pool growing 4096 8192 5000 - 25000 3 1 - - 0 -
'$'\x1b''[31mevil mp_pool fixed 10000 10000 9000 - 9000 1 0 - - 1 -
alloc_percpu percpu - - 65536 1008 - - 2 0 - - - -'
[ "$got" = "$want" ] || { diff <(echo "$want") <(echo "$got"); fail "the pools are others"; }
waited=$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) col[$i] = i; next } $col["pool"] == "strangled" { print int($col["longest_wait_ns"] / 1000) }' "$tmp/out")
[ "$waited" -ge 20000 ] && [ "$waited" -lt 4000000 ] || fail "the longest wait was $waited us"

expect_code 0 "$top" -o -p "$pid" --pools --json
[ "$(grep -c '"pool":' "$tmp/out")" = 6 ] && ! grep -q '"cache"' "$tmp/out" || fail "JSON"
grep -qF '"pool":"\u001b[31mevil","kind":"mp_pool"' "$tmp/out" || fail "a hostile name in JSON"
if python3 -c '' 2>/dev/null; then
	python3 -c 'import json, sys; [json.loads(line) for line in sys.stdin]' <"$tmp/out" || fail "no JSON"
fi

expect_code 0 "$top" -o -p "$pid" --pools -s n
grep -q $'\x1b' "$tmp/out" && fail "a hostile name in the text"
sed -n '/^KIND/,$p' "$tmp/out" | awk 'NR > 1 { print $NF }' | LC_ALL=C sort -c || { cat "$tmp/out"; fail "not sorted by name"; }
grep -qE '^ Threads waiting / Waits / Longest +: 1 / 3 / [0-9.]+m?s$' "$tmp/out" || fail "the sums"
grep -qE '^genpool +32 +64.0K +8.0K +- +16 +8 +- +- +- +1 +14.2% range$' "$tmp/out" || fail "the genpool's line"
timeout 1 "$top" -p "$pid" -d 0.2 --pools >"$tmp/frames"
[ "$(grep -c '^KIND' "$tmp/frames")" -ge 2 ] || fail "fewer than two tables in a second"

expect_code 2 "$top" -o --pools
expect_line "--pools needs a process"

# Two sources.
first=$pid
start "$build/tests/holder"
expect_code 0 "$top" -o -p "$first" -p "$pid" --pools
grep -qE "pooler:$first +orders" "$tmp/out" || fail "no source beside the names"

# Pools that come and go: what is there all the time is always shown, and nothing is nonsense.
start "$build/tests/pooler" churn
for _ in $(seq 50); do
	expect_code 0 "$top" -o -p "$pid" --pools --csv
	[ "$(grep -cE ',(orders|strangled|range|request|alloc_percpu),' "$tmp/out")" = 5 ] || { cat "$tmp/out"; fail "a pool is missing"; }
	awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) col[$i] = i; next }
		$col["size"] > 2000000 || $col["current"] > 1000000 { print; exit 1 }' "$tmp/out" ||
		fail "nonsense"
done

# The screen: --pools, and key t there and back.
command -v tmux >/dev/null || skip "tmux is not installed"
term 130 24 "$top" -p "$first" -d 600 --pools
await '^KIND .* NAME'
await '^mempool/custom .* strangled'
await ' 1-6/6 '
keys / f i x
await '^mp_pool/fixed .* \?\[31mevil'
keys Enter
await ' 1-1/1 '
keys '\'
await ' 1-6/6 '
keys n
await 'sort n'
shot | grep -A1 '^KIND' | grep -q evil || fail "not sorted on the screen"
keys t
await 'OBJS ACTIVE'
shot | grep -q '^KIND' && fail "caches and pools at once"
keys t
await '^KIND .* NAME'
keys h
await 'pools of processes'
keys h q
await_end 0
[ "$(id -u)" = 0 ] || exit 0
term 80 24 "$top"
await 'OBJS ACTIVE'
keys t
await 'pools are those of processes'
keys t
await 'OBJS ACTIVE'
keys q
await_end 0
exit 0
