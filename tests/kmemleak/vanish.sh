#!/usr/bin/env bash
# A target that is killed at any moment of a scan: a report, or one line and exit code 1; never a hang or a crash.
. "$(dirname "$0")/lib.bash"

for i in $(seq 1 25); do
	start "$build/tests/kmemleak/mutator" 2 500000
	pid=$target
	( sleep "$(printf '0.%03d' $((i * 2)))"; kill -KILL "$pid" ) &
	killer=$!
	timeout 60 "$kmemleak" -p "$pid" -s >"$work/out" 2>"$work/stderr"
	code=$?
	wait "$killer"
	wait "$pid" 2>/dev/null
	case $code in
	23) ;;
	1)  [ "$(wc -l <"$work/stderr")" -eq 1 ] || fail "not one line: $(cat "$work/stderr")"
	    # A process that has given up its memory and is not yet a zombie looks like a kernel thread for a moment.
	    grep -qE "has ended|no process with PID|zombie|kernel thread" "$work/stderr" || fail "$(cat "$work/stderr")" ;;
	*)  fail "exit code $code: $(cat "$work/out" "$work/stderr")" ;;
	esac
	echo "$code: $(head -c 200 "$work/stderr")"
done

# Only the main thread has gone: the others hold the process, and its heap, together.
start "$build/tests/kmemleak/orphan"
check "the leader is a zombie" [ "$(state "$target")" = Z ]
expect 23 "$kmemleak" -p "$target" --csv
check "its one leak" [ "$(caches <<<"$out")" = kmalloc-512 ]
