#!/usr/bin/env bash
# --trace: leaks get the call site that allocated them and an age, exactly those that were seen.
. "$(dirname "$0")/lib.bash"

# Start the tool in the background and let the target lose once it traces; then end the wait early.
trace() { # ARG...
	local lost
	lost=$(grep -c LOST "$work/ready")
	"$kmemleak" -p "$target" "$@" >"$work/out" 2>"$work/stderr" &
	tool=$!
	for _ in $(seq 400); do
		grep -q tracing "$work/stderr" && break
		kill -0 "$tool" 2>/dev/null || break
		sleep 0.05
	done
	if ! grep -q "^kmemleak: tracing PID $target (losing) for" "$work/stderr"; then
		wait "$tool"
		code=$?
		if grep -qE "root|CAP_|not permitted" "$work/stderr"; then
			tail -n 1 "$work/stderr"
			exit 77
		fi
		fail "it does not trace (exit code $code): $(cat "$work/stderr")"
	fi
	printf x >&9
	for _ in $(seq 200); do
		[ "$(grep -c LOST "$work/ready")" -gt "$lost" ] && break
		sleep 0.05
	done
	kill -INT "$tool"
	wait "$tool"
	code=$?
	out=$(cat "$work/out")
	[ "$code" -eq 23 ] || fail "exit code $code: $out $(cat "$work/stderr")"
	[ "$(wc -l <"$work/stderr")" -eq 1 ] || fail "more than one line on stderr: $(cat "$work/stderr")"
}

start "$build/tests/kmemleak/losing"
expect 23 "$kmemleak" -p "$target"
check "the way is named" grep -q "not recorded; --trace SECS records call sites from now on" <<<"$out"
check "three lost early" [ "$(grep -c '^unreferenced' <<<"$out")" -eq 3 ]

trace --trace 60
check "both functions" [ "$(grep -cE '^    \[<0000[0-9a-f]{12}>\] lose_requests\+0x[0-9a-f]+/0x[0-9a-f]+ \[losing\]$' <<<"$out")" -eq 5 ]
check "both functions" [ "$(grep -cE '^    \[<0000[0-9a-f]{12}>\] lose_buffers\+0x[0-9a-f]+/0x[0-9a-f]+ \[losing\]$' <<<"$out")" -eq 3 ]
check "no others" [ "$(grep -c '^    \[<' <<<"$out")" -eq 8 ]
check "those from before" [ "$(grep -cF '    not recorded (allocated before the trace)' <<<"$out")" -eq 3 ]
check "ages" [ "$(grep -cE 'age [0-9]\.[0-9]{3} s$' <<<"$out")" -eq 8 ]
check "no age" [ "$(grep -c 'age unknown' <<<"$out")" -eq 3 ]
check "groups by call site" grep -qE ' 5 +0 +[0-9]+ +0  request +lose_requests\+0x[0-9a-f]+/0x[0-9a-f]+ \[losing\]$' <<<"$out"
check "two lines of a function" [ "$(grep -cE '^ .*kmalloc-large +lose_buffers\+' <<<"$out")" -eq 2 ]
check "group without" grep -qE ' 3 +0 +[0-9]+ +0  early +not recorded$' <<<"$out"
check "nothing lost" [ "$(grep -c 'lost during' <<<"$out")" -eq 0 ]

# A second trace: what the first one saw is now from before.
trace -t 60 --json
check "JSON" python3 - "$out" <<'PY'
import json, sys
records = [json.loads(line) for line in sys.argv[1].splitlines()]
leaks = [r for r in records if r["record"] == "leak"]
known = [r for r in leaks if r["call_site"]]
assert len(leaks) == 19 and len(known) == 8, (len(leaks), len(known))
for r in leaks:
    assert (r["call_site"] is None) == (r["symbol"] is None) == (r["age_ns"] is None), r
assert {r["cache"] for r in leaks if not r["call_site"]} == {"early", "request", "kmalloc-large", "kmalloc-256"}
for r in known:
    want = "lose_requests+0x" if r["cache"] == "request" else "lose_buffers+0x"
    assert r["symbol"].startswith(want), r
    assert 0 < r["age_ns"] < 60e9, r
groups = [r for r in records if r["record"] == "group"]
assert sum(g["direct"] for g in groups if g["call_site"]) == 8, groups
assert [r["trace_lost"] for r in records if r["record"] == "scan"] == [0]
PY

# Without a signal it ends by itself; the wait ends with the process, and that is an error as ever.
expect 23 "$kmemleak" -p "$target" --trace 0.2 -s
start "$build/tests/kmemleak/losing"
"$kmemleak" -p "$target" --trace 60 >"$work/out" 2>"$work/stderr" &
tool=$!
for _ in $(seq 400); do grep -q tracing "$work/stderr" && break; sleep 0.05; done
kill -KILL "$target"
wait "$tool"
code=$?
check "the process has ended: $(cat "$work/stderr")" [ "$code" -eq 1 ]
check "said in one more line" [ "$(wc -l <"$work/stderr")" -eq 2 ]

expect 2 "$kmemleak" -p 1 --trace 1 clear
expect 2 "$kmemleak" -p 1 --trace x

# Another user may scan its own process, but not trace it.
[ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null || exit 0
chmod 755 "$work" && cp -r "$build/kmemleak" "$build/libkmem.so.0" "$build/tests/kmemleak/losing" "$work" || fail "copy"
export LD_LIBRARY_PATH=$work
start setpriv --reuid 65534 --regid 65534 --clear-groups "$work/losing"
expect 1 setpriv --reuid 65534 --regid 65534 --clear-groups "$work/kmemleak" -p "$target" --trace 1
expect_error "needs CAP_BPF and CAP_PERFMON (try sudo)"
