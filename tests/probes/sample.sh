#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# sample.sh - the sample tier as a profiler sees it: bpftrace on kmem:sample and on otel_memory, of a program that
# allocates a known number of bytes and frees all of them.
set -u
build=$(cd "$1" && pwd) || exit 1
lib=$build/libkmem-malloc.so
out=$(mktemp -d) || exit 1
target=
trap 'kill $target 2>/dev/null; rm -rf "$out"' EXIT
fail() { echo "FAIL: $*"; cat "$out/trace" 2>/dev/null; exit 1; }

# Notes of both providers, with semaphores, in both libraries.
for object in "$build/libkmem.so.0" "$lib"; do
	listed=$(readelf -nW "$object" | awk '/Provider:/ { p = $NF } /Name:/ { n = $2 } /Semaphore:/ { s = $NF }
		/Arguments:/ { if ((p == "otel_memory" || n == "sample") && s != "0x0000000000000000") print p ":" n, NF - 1 }' | sort -u | tr '\n' ' ')
	[ "$listed" = "kmem:sample 6 otel_memory:alloc 3 otel_memory:free 1 " ] || fail "$object lists: $listed"
done

[ "$(id -u)" -eq 0 ] || { echo "bpftrace needs root"; exit 77; }
command -v bpftrace >/dev/null || { echo "bpftrace is not installed"; exit 77; }

mkfifo "$out/in"
KMEM_OPTIONS=sample=64K LD_PRELOAD=$lib "$build/tests/probes/sampled" <"$out/in" >"$out/said" &
target=$!
exec 3>"$out/in"
for _ in $(seq 300); do [ -s "$out/said" ] && break; sleep 0.1; done
bpftrace -p $target -e "
	BEGIN { printf(\"attached\n\"); }
	usdt:$lib:kmem:sample /arg5 == 0/ { @taken = count(); @weight = sum(arg3); @bytes = sum(arg2); if (arg4) { @stacks = count(); } }
	usdt:$lib:kmem:sample /arg5 == 1/ { @freed = count(); @freed_weight = sum(arg3); }
	usdt:$lib:otel_memory:alloc { @otel = count(); @otel_weight = sum(arg2); @live[arg0] = 1; }
	usdt:$lib:otel_memory:free { @otel_freed = count(); if (@live[arg0] == 1) { @known = count(); } delete(@live[arg0]); }" \
	>"$out/trace" 2>&1 3>&- &
tracer=$!
for _ in $(seq 600); do grep -q attached "$out/trace" && break; sleep 0.1; done
grep -q attached "$out/trace" || { echo "bpftrace does not attach here: $(tail -n 1 "$out/trace")"; exit 77; }
echo go >&3
for _ in $(seq 1200); do [ "$(wc -l <"$out/said")" -eq 2 ] && break; sleep 0.1; done
allocated=$(sed -n 2p "$out/said")
kill -INT $tracer
wait $tracer
echo end >&3
wait $target || fail "the program ended with $?"
target=

value() { sed -n "s/^@$1: //p" "$out/trace"; }
[ -n "$allocated" ] && [ "$(value taken)" -gt 100 ] || fail "no samples of ${allocated:-nothing}"
# Every sample is freed once, and the three ways of saying so agree.
[ "$(value taken)" = "$(value otel)" ] && [ "$(value weight)" = "$(value otel_weight)" ] || fail "otel_memory:alloc"
[ "$(value freed)" = "$(value otel_freed)" ] && [ "$(value freed)" = "$(value known)" ] || fail "otel_memory:free"
[ "$(value stacks)" = "$(value taken)" ] || fail "stacks"
lacking=$(($(value taken) - $(value freed)))
[ "$lacking" -ge 0 ] && [ "$lacking" -le 3 ] || fail "$lacking of $(value taken) samples were not freed"
# sqrt(bytes * 64K) is the standard deviation: 5 of them.
awk -v got="$(value weight)" -v want="$allocated" 'BEGIN { d = got - want; exit !(d * d < 25 * want * 65536) }' ||
	fail "samples stand for $(value weight) bytes, allocated were $allocated"
exit 0
