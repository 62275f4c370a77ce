#!/bin/bash
# events.sh - slabscope events counts what a command makes the kernel allocate, and says what it lost.
# usage: events.sh BUILD-FOLDER
set -u
build=$1
work=$build/tests/bpf/kernel_work
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
fail() { echo "FAIL: $*"; head -n 40 "$dir"/*; exit 1; }

"$build/slabscope" events -n 0 -s -c "$work msg 3000" > "$dir/text" 2> "$dir/err"
code=$?
if [ $code -eq 1 ] && grep -qE 'needs CAP_BPF|SLUB|BTF' "$dir/err"; then
	echo "SKIP: $(tail -n 1 "$dir/err")"
	exit 77
fi
[ $code -eq 0 ] && [ ! -s "$dir/err" ] || fail "exit code $code"
# An interrupt may cost single events; they are counted then.
lost=$(awk '/^lost:/ { print $2 + 0 }' "$dir/text")
if ! grep -q 'of unknown caches: [1-9]' "$dir/text"; then
	awk -v lost="$lost" '/^CACHE +KMALLOC/ { sizes = 1 }
		/^(msg_msg|kmalloc-cg)-64 / && !sizes { good += $2 + lost >= 3000 && $3 + lost >= 3000 }
		/^(msg_msg|kmalloc-cg)-64 / && sizes && $2 == 64 { good += $3 + lost >= 3000 }
		END { exit good != 2 }' "$dir/text" || fail "3000 messages"
fi
grep -qE '^[0-9]+ events in [0-9.]+ s, [0-9]+ frees of nothing' "$dir/text" || fail "no totals"
"$build/slabscope" events --json -s 0.2 > "$dir/json" 2> "$dir/err" || fail "--json"
for record in cache size total; do
	grep -q "^{\"record\":\"$record\"" "$dir/json" || fail "no record $record"
done
"$build/slabscope" events --csv 0.2 > "$dir/csv" 2> "$dir/err" || fail "--csv"
[ "$(head -n 1 "$dir/csv")" = record,cache,allocs,frees,bytes_requested,bytes_reserved,residue ] || fail "heading"

usage() { # MESSAGE ARGUMENTS
	local message=$1
	shift
	"$build/slabscope" events "$@" > "$dir/out" 2> "$dir/err"
	[ $? -eq 2 ] && grep -q "$message" "$dir/err" || fail "events $*"
}
usage "not a number of seconds" x
usage "not a number" -n x
"$build/slabscope" events -c /nonexistent > "$dir/out" 2> "$dir/err"
[ $? -eq 1 ] && grep -q "^slabscope: cannot run '/nonexistent'" "$dir/err" || fail "a command that is not there"
echo "slabscope events: 3000 messages counted, lost $lost"
