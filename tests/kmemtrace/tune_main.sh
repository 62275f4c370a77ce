#!/usr/bin/env bash
# kmemtrace tune: what it predicts for libkmem is what a run with that setting gives; and its messages. usage: BUILD
set -u
build=$(realpath "$1")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
fail() { echo "FAIL: $*"; exit 1; }
export KMEM_OPTIONS=purge=off

body='repeat 6 { alloc a1..a500 c; free shuffle a1..a500 }; alloc b1..b1800 c; free b1..b1500; check'
cpus=$(nproc)
field() { # SCRIPT WHAT FIELD
	"$build/kmemtrace" tune -s "$1" --json | grep -F "\"change\":\"$2" | sed "s/.*\"$3\":\([0-9]*\).*/\1/"
}
real() { # SCRIPT: bytes in slabs at the end
	"$build/slabscope" compare --csv "$1" 2>/dev/null | awk -F, '
		NR == 1 { for (i = 1; i <= NF; i++) if ($i == "held_bytes") at = i } $1 == "libkmem" { print $at }'
}

echo "cache c size=256; $body" >"$work/plain"
for setting in sheaf_capacity=7 sheaf_capacity=112 min_partial=40 barn_full=0; do
	key=${setting%=*}
	key=${key/sheaf_capacity/sheaf}; key=${key/barn_full/barn}
	echo "cache c size=256 $key=${setting#*=}; $body" >"$work/set"
	before=$(field "$work/plain" "$setting " end_bytes)
	then=$(field "$work/plain" "$setting " end_bytes_then)
	[ -n "$before" ] && [ "$before" = "$(real "$work/plain")" ] || fail "as it is: predicted ${before:-nothing}, real $(real "$work/plain")"
	[ "$then" = "$(real "$work/set")" ] || fail "$setting: predicted $then, real $(real "$work/set")"
	echo "$setting: $before -> $then bytes, predicted and real"
done

"$build/kmemtrace" tune -s "$work/plain" >"$work/out" || fail "text"
grep -q "^libkmem, $cpus CPUs: 9300 steps in 1 caches" "$work/out" || fail "$(head -n 1 "$work/out")"
"$build/kmemtrace" tune -k -s "$work/plain" --csv | head -n 1 | grep -q '^cache,change,setting,' || fail "CSV"

refuse() { # CODE MESSAGE ARGUMENTS...
	local code=$1 message=$2
	shift 2
	"$build/kmemtrace" "$@" >/dev/null 2>"$work/err"
	[ $? -eq "$code" ] || fail "$*: exit code"
	[ "$(wc -l <"$work/err")" -eq 1 ] && grep -q "$message" "$work/err" || fail "$*: $(cat "$work/err")"
}
refuse 2 'one of --trace' tune
refuse 2 'one of --trace' tune -t a -s b
refuse 2 'goes with --kernel only' tune -s "$work/plain" true
refuse 1 'No such file' tune -s "$work/none"
refuse 1 'none' tune -t "$work/none"
refuse 2 'bad --limit' tune -n 0 -k
refuse 2 'bad --duration' predict -d x
exit 0
