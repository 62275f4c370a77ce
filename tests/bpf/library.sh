#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# library.sh - the library collector counts exactly what a process fires.
#
# usage: [SHORT=1] library.sh BUILD-FOLDER     exit 0 pass, 1 fail, 77 skip
set -u
bin=$1/tests/bpf
dir=$(mktemp -d) || exit 1
out=$dir/out
pids=
trap 'kill $pids 2>/dev/null; rm -rf "$dir"' EXIT

ROUNDS=${SHORT:+400} ROUNDS=${ROUNDS:-4000} THREADS=3
N=$((ROUNDS * THREADS))

fail() { echo "FAIL: $*"; cat "$out"; exit 1; }

# Starts a fake process; its line for watch is then in $dir/INDEX.
start() { # PROGRAM INDEX [SITE]
	rm -f "$dir/$2"
	"$1" $ROUNDS $THREADS ${3:-} > "$dir/$2" &
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
done

objects() { # PID: pages, call sites and sizes of its objects
	awk -v pid="$1" '$1 == "object" && $2 == pid { printf "%s ", $3 "," $4 "," $5 }' "$out"
}

if [ -z "${SHORT:-}" ]; then
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

	# Too few counters.
	start "$bin/fake" 1
	watch -a -m 3 $(cat "$dir/1")
	awk -v n=$N '$1 == "row" { got += $7 } $1 == "total" && /events/ { seen += $3 }
		$1 == "total" && $2 == "map_full" { full = $3 }
		END { if (!full || got + full != seen || seen != 10 * n) { print got, full, seen; exit 1 } }' "$out" ||
		fail "counted + without room != seen"

	# Who allocated what is live: frees remove, a second allocation replaces, processes with the
	# same addresses do not mix. Nobody asked, nothing is known.
	start "$bin/fake" 1 0xa000
	start "$bin/fake-O0" 2 0xb000
	watch -a -o 100 $(cat "$dir/1" "$dir/2")
	wait "$pid1" "$pid2"
	[ "$(cut -d' ' -f3 "$dir/1")" = "$(cut -d' ' -f3 "$dir/2")" ] || fail "the heaps are not at the same address"
	for i in 1 2; do
		eval "pid=\$pid$i"
		site=$([ $i = 1 ] && echo 0xa00 || echo 0xb00)
		[ "$(objects "$pid")" = "3,0x1005,9000 5,${site}2,41 6,${site}3,60 " ] || fail "objects: $(objects "$pid")"
		check_rows "$pid"
	done
	total lost 0
	start "$bin/fake" 1 0xa000
	watch -a -o 2 $(cat "$dir/1")
	lost=$(awk '$2 == "objects_lost" { print $3 }' "$out")
	[ "$lost" -gt 0 ] || fail "too many objects for the map, and none is lost"
	total map_full 0
	total lost "$lost"
	start "$bin/fake" 1 0xa000
	watch -a $(cat "$dir/1")
	total objects_lost 0
	[ -z "$(objects "$pid1")" ] || fail "objects are recorded though nobody asked"
	echo "objects: call sites and sizes of two processes, exact"
fi

# The library itself: each call is one event, with the right cache.
start "$bin/real" 1
watch -a $(head -n 1 "$dir/1")
wait "$pid1"
key=$(printf '0x%x' $(($(tail -n 1 "$dir/1") + 16)))
cache() { # TYPE: events in the cache "real", and bytes
	awk -v key="$key" -v type="$1" '$1 == "row" && $2 == key && $6 == type { n += $7; b += $8 }
		END { print n + 0, b + 0 }' "$out"
}
[ "$(cache 0)" = "$((9 * N)) $((9 * 72 * N))" ] || fail "kmem_cache_alloc: $(cache 0)"
[ "$(cache 1)" = "$((9 * N)) 0" ] || fail "kmem_cache_free: $(cache 1)"
for type in 2 3; do
	large=$(awk -v type=$type '$1 == "row" && $2 == "0x1" && $6 == type { print $7 }' "$out")
	[ "$large" = $N ] || fail "large objects, type $type: $large"
	total events$type $((2 * N))
done
total unreadable 0
total lost 0
echo "libkmem: $((22 * N)) calls, all counted"

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
