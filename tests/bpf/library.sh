#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# library.sh - the library collector counts exactly what a process fires.
#
# usage: library.sh BUILD-FOLDER     exit 0 pass, 1 fail, 77 skip
set -u
bin=$1/tests/bpf
dir=$(mktemp -d) || exit 1
out=$dir/out
pids=
trap 'kill $pids 2>/dev/null; rm -rf "$dir"' EXIT

ROUNDS=5000 THREADS=3
N=$((ROUNDS * THREADS))

fail() { echo "FAIL: $*"; cat "$out"; exit 1; }

# Starts a fake process; its line for watch is then in $dir/PID-index.
start() { # PROGRAM INDEX
	"$1" $ROUNDS $THREADS > "$dir/$2" &
	pids="$pids $!"
	eval "pid$2=$!"
	for _ in $(seq 100); do
		[ -s "$dir/$2" ] && return
		sleep 0.05
	done
	fail "$1 did not start"
}

watch() { # watch's arguments
	"$bin/watch" "$@" > "$out" 2>&1
	case $? in
	0) ;;
	77) echo "SKIP: $(cat "$out")"; exit 77 ;;
	*) fail "watch $*" ;;
	esac
}

row() { # PID CACHE CALL-SITE TYPE EVENTS BYTES-REQ BYTES-ALLOC
	awk -v pid="$1" -v cache="$2" -v site="$3" -v type="$4" -v want="$5 $6 $7" '
		$1 == "row" && $2 == cache && $4 == site && $5 == pid && $6 == type { got = $7 " " $8 " " $9 }
		END { if (got != want) { print "row", cache, site, type ": want", want, "got", got; exit 1 } }
	' "$out" || fail "counts differ"
}

total() { # NAME VALUE
	local got
	got=$(awk -v name="$1" '$1 == "total" && $2 == name { print $3 }' "$out")
	[ "$got" = "$2" ] || fail "total $1: want $2, got $got"
}

# One round of fake.c, process by process.
check_rows() { # PID
	row "$1" 0x15 0x1001 0 $N $((60 * N)) $((64 * N))
	row "$1" 0x15 0x1002 1 $N 0 0
	row "$1" 0x16 0x1003 2 $((2 * N)) $((128 * N)) $((256 * N))
	row "$1" 0x16 0x1004 3 $N 0 0
	row "$1" 0x1 0x1005 2 $N $((9000 * N)) $((12288 * N))
	row "$1" 0 0x1008 3 $((2 * N)) 0 0
	row "$1" 0x2 0 4 $N $((16384 * N)) $((16384 * N))
	row "$1" 0x2 0 5 $N $((16384 * N)) $((16384 * N))
}

check_totals() { # NUMBER OF PROCESSES
	total events0 $(($1 * N))
	total events2 $((3 * $1 * N))
	total null_frees $((2 * $1 * N))
	total failed $((2 * $1 * N))
	total unreadable $((2 * $1 * N))
	total lost 0
	total used $((8 * $1))
}

# Arguments in registers, and arguments in memory.
for program in fake fake-O0; do
	start "$bin/$program" 1
	watch -a $(cat "$dir/1")
	wait "$pid1" || fail "$program: semaphores were not set"
	check_rows "$pid1"
	check_totals 1
	echo "$program: $((N * 14)) events, all counted"
	rm "$dir/1"
done

# Two processes of the same file at once, and one whose file is gone.
cp "$bin/fake" "$dir/gone"
start "$bin/fake" 1
start "$bin/fake" 2
start "$dir/gone" 3
rm "$dir/gone"
cp "$bin/fake-O0" "$dir/gone" # another file has taken its place
watch -a $(cat "$dir/1" "$dir/2" "$dir/3")
for i in 1 2 3; do
	eval "pid=\$pid$i"
	wait "$pid" || fail "process $i: semaphores were not set"
	check_rows "$pid"
done
check_totals 3
echo "three processes, one of a replaced file: all counted"
rm "$dir"/[123]

# Too few counters.
start "$bin/fake" 1
watch -a -m 3 $(cat "$dir/1")
awk -v n=$N '$1 == "row" { got += $7 } $1 == "total" && /events/ { seen += $3 }
	$1 == "total" && $2 == "map_full" { full = $3 }
	END { if (!full || got + full != seen || seen != 10 * n) { print got, full, seen; exit 1 } }' "$out" ||
	fail "counted + without room != seen"

# A process without libkmem: one line that says so.
sleep 100 &
pids="$pids $!"
if "$bin/watch" $! 0 0 0 0 > "$out" 2>&1; then
	fail "attached to a process without libkmem"
fi
grep -q "has no kmem probes: start it with libkmem" "$out" || fail "unhelpful message"
[ "$(wc -l < "$out")" -eq 1 ] || fail "more than one line"
if "$bin/watch" 999999999 0 0 0 0 > "$out" 2>&1; then
	fail "attached to no process"
fi
grep -q "no process 999999999" "$out" || fail "unhelpful message"
exit 0
