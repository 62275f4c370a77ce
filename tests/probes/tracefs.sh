#!/usr/bin/env bash
# kmem-tracefs: one perf record of kmem:* has the kernel's events and the program's, whose fields say what it does. Nothing
# is left in uprobe_events, whatever ends it.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=$(cd "${1:-build}" && pwd)
tool=$PWD/tools/tracing/kmem-tracefs events=/sys/kernel/tracing/uprobe_events prefix=t$$_
out=$(mktemp -d) || exit 1
steady=
cleanup() {
	[ "$BASHPID" = "$$" ] || return
	[ -z "$steady" ] || kill $steady 2>/dev/null
	[ ! -w $events ] || "$tool" del --prefix $prefix 2>/dev/null
	rm -rf "$out"
}
trap cleanup EXIT
bad=0
fail() { echo "FAIL: $*"; cat "$out/said" 2>/dev/null | tail -n 20; bad=1; }
says() { # EXIT PATTERN COMMAND...: one line on stderr, or the usage after it
	local rc=$1 pattern=$2
	shift 2
	"$@" >"$out/said" 2>&1
	[ $? -eq "$rc" ] && head -n 1 "$out/said" | grep -q "$pattern" || fail "$*"
}

says 2 'what shall be done' "$tool"
says 2 'unknown command "ad"' "$tool" ad
says 2 'of which library or process' "$tool" add
says 2 'prefix takes a name' "$tool" add --prefix a-b x
says 2 'list takes no "x"' "$tool" list x
[ "$(id -u)" -eq 0 ] && [ -w $events ] || { [ $bad -eq 0 ] && echo "tracefs needs root and $events"; exit $((bad ? 1 : 77)); }
says 1 'nothing cannot be read' "$tool" add nothing
says 1 'no probes of libkmem' "$tool" add /bin/true
says 1 'no process 999999999' "$tool" add 999999999
says 1 'has no library with libkmem' "$tool" add $$
says 1 'no probe "kmallok"' "$tool" add --prefix $prefix "$build/libkmem.so.0" kmallok
says 2 'needs -- and a command' "$tool" run --prefix $prefix "$build/libkmem.so.0" kmalloc
left() { grep -q "kmem/$prefix" $events && fail "left behind by $*: $(grep -c "kmem/$prefix" $events) events"; }
left "refusals"

# Both libraries: each probe but batch.
count=$(($(grep -c '^### kmem:' docs/PROBES.md) - 1))
for library in libkmem.so.0 libkmem-malloc.so; do
	"$tool" add --prefix $prefix "$build/$library" 2>"$out/said" || fail "add $library"
	[ "$("$tool" list --prefix $prefix | grep -c "^kmem:$prefix")" -eq "$count" ] || fail "list after add $library"
	says 1 'there are events .* already' "$tool" add --prefix $prefix "$build/$library"
	"$tool" del --prefix $prefix || fail "del"
	left "del"
done

"$build/tests/probes/steady" >"$out/ready" & steady=$!
for _ in $(seq 300); do [ -s "$out/ready" ] && break; sleep 0.1; done
command -v perf >/dev/null || { [ $bad -eq 0 ] && echo "perf is not installed"; exit $((bad ? 1 : 77)); }
for seconds in 1 5 30; do
	"$tool" run --prefix $prefix $steady -- perf record -q -o "$out/data" -e 'kmem:*' -p $steady -- sleep $seconds >"$out/said" 2>&1 || fail "run perf"
	left "run"
	perf script -i "$out/data" -F event,trace >"$out/said" 2>/dev/null
	missing=
	for want in "kmem:${prefix}kmem_cache_alloc: .*name=\"steady\" bytes_req=100 bytes_alloc=104 gfp_flags=0xcc0 node=-1 accounted=0" \
		"kmem:${prefix}kmalloc: .* bytes_req=1000 bytes_alloc=1024 gfp_flags=0x820 node=-1 accounted=0" "kmem:${prefix}kfree: " \
		"kmem:${prefix}mempool_wait: .*name=\"steady pool\".* waiting=1" \
		"kmem:${prefix}percpu_alloc_percpu: .* size=24 align=8 .* off=32768 .* bytes_alloc=24 gfp_flags=0xcc0" \
		"kmem:${prefix}mm_shrink_slab_start: .* cache_items=7 .* total_scan=14 priority=0" 'kmem:kmalloc: ' 'kmem:kmem_cache_free: '; do
		grep -q -- "$want" "$out/said" || missing=$want
	done
	[ -z "$missing" ] && break
done
[ -z "$missing" ] || fail "perf does not show $missing"

# In the middle of a run it gets a signal; then one that nobody can catch, after which del repairs.
for signal in TERM KILL; do
	"$tool" run --prefix $prefix $steady kmalloc kfree -- sleep 60 & run=$!
	for _ in $(seq 300); do [ "$(grep -c "kmem/$prefix" $events)" -eq 2 ] && break; sleep 0.1; done
	sleeper=$(pgrep -P $run -x sleep)
	kill -$signal $run
	kill $sleeper
	wait $run 2>/dev/null
	[ $signal = TERM ] || { [ "$("$tool" list --prefix $prefix | wc -l)" -eq 2 ] || fail "list after a kill"; "$tool" del --prefix $prefix; }
	left "run after SIG$signal"
done
# What is in use cannot be deleted, and is told so.
"$tool" add --prefix $prefix $steady kfree 2>/dev/null
perf record -q -o "$out/data" -e "kmem:${prefix}kfree" -- sh -c 'touch "$0"; exec sleep 60' "$out/begun" >/dev/null 2>&1 & recorder=$!
for _ in $(seq 300); do [ -e "$out/begun" ] && break; sleep 0.1; done
says 1 "kmem:${prefix}kfree is in use: end what records it" "$tool" del --prefix $prefix
kill -INT $recorder; pkill -P $recorder -x sleep; wait $recorder 2>/dev/null
for _ in $(seq 100); do "$tool" del --prefix $prefix 2>/dev/null && break; sleep 0.1; done
left "the last del"
exit $bad
