#!/usr/bin/env bash
# Four threads that allocate, move and free at full speed: 30 scans, each exact to the object.
. "$(dirname "$0")/lib.bash"

start "$build/tests/kmemleak/mutator" 4 20000
for i in $(seq 30); do
	expect 23 "$kmemleak" -p "$target" --csv
	[ "$(caches <<<"$out" | uniq -c | xargs)" = "10 lost" ] || fail "scan $i: $out"
done

# A repeated scan reports what is new, once.
"$kmemleak" -p "$target" scan=0.2 >"$work/watch" &
watch=$!
sleep 1
kill -USR1 "$target"
sleep 1
kill -INT "$watch"
wait "$watch"
check "exit code of an interrupted watch" [ $? -eq 23 ]
check "ten old ones, once" [ "$(grep -c 'cache lost' "$work/watch")" -eq 10 ]
check "one new one, once" [ "$(grep -c 'cache late' "$work/watch")" -eq 1 ]

# However the scanner dies, the target goes on.
for delay in 0.001 0.004 0.007 0.01 0.015 0.02 0.03; do
	for signal in KILL INT TERM; do
		"$kmemleak" -p "$target" -s >/dev/null 2>&1 &
		scanner=$!
		sleep "$delay"
		kill -$signal "$scanner" 2>/dev/null
		wait "$scanner" 2>/dev/null
	done
done
sleep 0.1
check "nobody traces it" grep -q "^TracerPid:.0" "/proc/$target/status"
for task in /proc/"$target"/task/*; do
	letter=$(sed -n 's/^State:\t\(.\).*/\1/p' "$task/status" 2>/dev/null)
	case $letter in
	[tT]) fail "thread ${task##*/} is still stopped" ;;
	esac
done

# A stopped target stays stopped, and is scanned all the same.
kill -STOP "$target"
expect 23 "$kmemleak" -p "$target" -s
check "still stopped" [ "$(state "$target")" = T ]
kill -CONT "$target"
sleep 0.1
check "goes on" [ "$(state "$target")" != T ]
