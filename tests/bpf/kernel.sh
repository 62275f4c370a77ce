#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# kernel.sh - the kernel collector counts exactly what a command made the kernel allocate.
#
# usage: [SHORT=1] kernel.sh BUILD-FOLDER      exit 0 pass, 1 fail, 77 skip
set -u
watch=$1/tests/bpf/watch
work=$1/tests/bpf/kernel_work
out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT

KMALLOC=2 KFREE=3
N=${SHORT:+400} N=${N:-2000}

fail() { echo "FAIL: $*"; cat "$out"; exit 1; }

run() { # watch's arguments
	"$watch" "$@" > "$out" 2>&1
	case $? in
	0) ;;
	77) echo "SKIP: $(cat "$out")"; exit 77 ;;
	*) fail "watch $*" ;;
	esac
}

# Events of one type in caches that match a pattern, over all call sites that have at least N/2.
events() { # TYPE PATTERN
	awk -v type="$1" -v cache="$2" -v least=$((N / 2)) \
		'$1 == "row" && $6 == type && $3 ~ cache && $7 >= least { n += $7 } END { print n + 0 }' "$out"
}

total() { awk -v name="$1" '$1 == "total" && $2 == name { print $3 }' "$out"; }

# An interrupt may cost single events; they must be counted as missed then.
expect() { # WHAT GOT
	local lost
	lost=$(total lost)
	[ "$2" -le $N ] && [ "$2" -ge $((N - lost)) ] || fail "$1: $2 of $N events, lost $lost"
	echo "$1: $2 of $N, lost $lost"
}

run -s 4096 -k "$work" msg $N
if [ "$(total names_kmalloc)" = 1 ]; then
	expect "msgsnd: kmalloc(64)" "$(events $KMALLOC '^(msg_msg|kmalloc-cg)-64$')"
	expect "msgrcv: kfree" "$(events $KFREE '^(msg_msg|kmalloc-cg)-64$')"
	expect "of 64 bytes" "$(awk '$1 == "size" && $2 ~ /^(msg_msg|kmalloc-cg)-64$/ && $3 == 64 { print $4 }' "$out")"
	# By size or by call site, it is the same sum.
	[ "$(awk '$1 == "size" { n += $4 } END { print n }' "$out")" -eq "$(total events2)" ] || fail "sizes do not add up"
	[ "$(total sizes_full)" -eq 0 ] || fail "$(total sizes_full) sizes found no room"
else
	expect "msgsnd: kmalloc" "$(events $KMALLOC UNKNOWN)"
	[ "$(total unreadable)" -gt 0 ] || fail "caches unknown, but none counted as unreadable"
fi

# Bytes: a message of 16 bytes has a header of 48; slab_debug reserves more.
awk -v type=$KMALLOC -v n=$N '$1 == "row" && $6 == type && $7 > n / 2 {
	exit $8 / $7 != 64 || $9 / $7 < 64 }' "$out" || fail "bytes requested and reserved per message"

# A large kmalloc fires once on 6.1 and twice on 6.12 and 6.18: either way it counts once.
if [ "$(total names_kmalloc)" = 1 ]; then
	run -s 4096 -k "$work" large $N
	expect "datagrams: large kmalloc" "$(events $KMALLOC LARGE)"
	expect "datagrams: large kfree" "$(events $KFREE LARGE)"
	awk '$1 == "size" && $2 == "LARGE" { n += $4 } $1 == "row" && $3 == "LARGE" && $6 == 2 { n -= $7 } END { exit n != 0 }' "$out" ||
		fail "large objects by size are not those by call site"
	echo "duplicates folded: $(total duplicates)"
fi

# kfree(NULL) is filtered and counted.
[ "$(total null_frees)" -gt 0 ] || fail "no kfree(NULL) seen, which the kernel does all the time"
[ -z "${SHORT:-}" ] || exit 0

# Without a filter: at least as many.
run -e -k "$work" msg $N
n=$(events $KMALLOC '^(msg_msg|kmalloc-cg)-64$|UNKNOWN')
[ $((n + $(total lost))) -ge $N ] || fail "unfiltered: $n of $N events"

# Too few counters: what found no room is counted, and events still add up.
run -m 4 -s 1 -k "$work" msg $N
[ "$(total sizes_full)" -gt 0 ] || fail "room for one size was enough?"
[ "$(total map_full)" -gt 0 ] || fail "4 counters were enough?"
counted=$(awk '$1 == "row" { n += $7 } END { print n }' "$out")
seen=$(awk '$1 == "total" && $2 ~ /^events/ { n += $3 } END { print n }' "$out")
full=$(($(total map_full) + $(total map_busy)))
[ $((counted + full)) -eq "$seen" ] || fail "$counted counted + $full without room is not $seen"
echo "4 counters: $counted counted + $full without room = $seen seen"

# Page events.
run -a -k "$work" msg 10
pages=$(awk '$1 == "row" && $3 == "PAGES" { n++ } END { print n + 0 }' "$out")
[ "$pages" -eq 2 ] || fail "page events: $pages rows instead of alloc and free"
exit 0
