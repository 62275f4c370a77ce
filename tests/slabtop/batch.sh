#!/usr/bin/env bash
# batch.sh - slabtop without a terminal: formats, exact numbers, write errors, ends and refusals.
. "$(dirname "$0")/helpers.bash"

# ---- usage ---------------------------------------------------------------------------------------
expect_code 0 "$top" -h
grep -q 'Usage: slabtop' "$tmp/out" || fail "no help on stdout"
expect_code 0 "$top" -V
for options in "-x" "-s x" "-s" "-s oo" "-d 0" "-d x" "-o -d 3" "-p x" "-p 0" "operand" "--nonsense"; do
	# shellcheck disable=SC2086
	expect_code 2 "$top" $options
	expect_line "slabtop: "
	[ -s "$tmp/out" ] && fail "output for $options"
done

# ---- a process: exact numbers ------------------------------------------------------------------------
start "$build/tests/holder"
expect_code 0 "$top" -o -p "$pid" --json
line=$(grep '"cache":"holder-cache"' "$tmp/out") || fail "cache not shown"
for field in '"active":12000' '"allocs":12345' '"frees":345' '"object_size_bytes":200' '"true_active":true' \
	'"torn":false' '"source":"process"' "\"pid\":$pid" '"allocs_per_second":null'; do
	grep -qF -- "$field" <<<"$line" || fail "$field is not in $line"
done
if python3 -c '' 2>/dev/null; then
	python3 - "$tmp/out" <<-'PY' || fail "the JSON lines do not add up"
	import json, sys
	for line in open(sys.argv[1]):
	    row = json.loads(line)
	    assert row["allocs"] - row["frees"] == row["active"], row
	    assert row["active"] + row["cached"] <= row["objects"], row
	PY
fi
expect_code 0 "$top" -o -p "$pid" --csv
[ "$(awk -F, '{ print NF }' "$tmp/out" | sort -u | wc -l)" = 1 ] || fail "CSV lines differ in length"
expect_code 0 "$top" -o -p "$pid"
grep -q 'holder-cache' "$tmp/out" || fail "cache not in the text"

# Side by side with the kernel, where that may be read.
if [ -r /proc/slabinfo ]; then
	expect_code 0 "$top" -o -p "$pid" --kernel
	grep -qE 'holder:[0-9]+ +holder-cache' "$tmp/out" || fail "no process rows beside the kernel"
	grep -qE ' kernel +kmalloc-64' "$tmp/out" || fail "no kernel rows beside the process"
fi

# ---- no terminal: frames, no escape sequences -----------------------------------------------------
timeout 1 "$top" -p "$pid" -d 0.2 >"$tmp/frames"
[ "$(grep -c 'Active / Total Objects' "$tmp/frames")" -ge 2 ] || fail "fewer than two tables in a second"
grep -q $'\x1b' "$tmp/frames" && fail "escape sequences without a terminal"
TERM='' expect_code 0 "$top" -o -p "$pid"

# ---- the same user needs no privilege ---------------------------------------------------------------
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 755 "$tmp"
	cp "$top" "$build/tests/holder" "$build/libkmem.so.0" "$tmp/"
	as="setpriv --reuid=65534 --regid=65534 --clear-groups"
	expect_code 1 $as "$tmp/slabtop" -o -p "$pid"
	expect_line "belongs to uid 0"
	expect_code 1 $as "$tmp/slabtop" -o
	expect_line "run as root"
	# shellcheck disable=SC2086
	LD_LIBRARY_PATH=$tmp start $as env LD_LIBRARY_PATH="$tmp" "$tmp/holder"
	other=$pid
	expect_code 0 $as "$tmp/slabtop" -o -p "$other"
	grep -q 'holder-cache' "$tmp/out" || fail "own process not shown to its user"
fi

# ---- a busy process: no row is nonsense ------------------------------------------------------------
start "$build/tests/holder" churn
for _ in $(seq 30); do
	expect_code 0 "$top" -o -p "$pid" --csv
	awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) col[$i] = i; next }
		$col["cache"] == "holder-cache" { a = $col["active"]; if (a < 11000 || a > 13000) { print; exit 1 } }' \
		"$tmp/out" || fail "ACTIVE out of bounds on a busy process"
done

# Rates of a process are there in one table when it is measured for a second.
expect_code 0 "$top" -o --rates -p "$pid" --csv
awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) col[$i] = i; next }
	$col["cache"] == "holder-cache" { exit !($col["allocs_per_second"] > 1000 && $col["frees_per_second"] > 1000) }' \
	"$tmp/out" || { cat "$tmp/out"; fail "no rates of a busy process"; }

# ---- write errors ------------------------------------------------------------------------------------
"$top" -o -p "$pid" >/dev/full 2>"$tmp/err"
[ $? = 1 ] || fail "full disk not noticed"
expect_line "write error: No space left on device"
"$top" -o -p "$pid" --json >/dev/full 2>"$tmp/err"
[ $? = 1 ] || fail "full disk not noticed with --json"
( "$top" -p "$pid" -d 0.1 2>"$tmp/err"; echo $? >"$tmp/code" ) | true
[ "$(cat "$tmp/code")" = 1 ] || fail "closed pipe: code $(cat "$tmp/code")"
expect_line "write error: Broken pipe"

# ---- processes that are none, or end ------------------------------------------------------------------
expect_code 1 "$top" -o -p 2147483647
expect_line "no process with PID 2147483647"
expect_code 1 "$top" -o -p $$
expect_line "does not carry libkmem"
( sleep 0.5; kill -9 "$pid" ) &
expect_code 1 "$top" -p "$pid" -d 0.2
expect_line "has ended"
exit 0
