#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# stat_counts.sh - the counts are those that a program says it made, exactly; of children, too.
#
# usage: stat_counts.sh BUILD-FOLDER     exit 0 pass, 1 fail, 77 skip
set -u
build=$1
. tests/kmemtrace/lib.bash
worker=$build/tests/bpf/stream_work

# How many allocations of objects `stat` saw.
allocs() { grep -o '"allocs":[0-9]*' "$work/json" | tail -n 1 | cut -d: -f2; }

# The difference of two runs that differ by 10000 rounds: what both do besides cancels out.
count() {
	printf 'go\nend\n' | "$tool" stat --json -c -- "$@" >"$work/all" 2>"$work/err" || fail "stat -c $*"
	grep '^{' "$work/all" >"$work/json"
}
count "$worker" 20000 1; a=$(allocs); read -r cache_a kmalloc_a < <(grep '^[0-9]' "$work/all")
count "$worker" 10000 1; b=$(allocs); read -r cache_b kmalloc_b < <(grep '^[0-9]' "$work/all")
# Objects of 20000 bytes are large: pages, not objects. They are 1 of 17 kmalloc() calls.
large=$(((20000 + 15) / 16 - (10000 + 15) / 16))
expected=$((cache_a - cache_b + kmalloc_a - kmalloc_b - large))
[ $((a - b)) -eq "$expected" ] || fail "$((a - b)) allocations, expected $expected"

# A process that runs, in intervals.
(printf 'go\n'; sleep 1000) | "$worker" 1000 1 >"$work/out" & pids+=($!)
await "$work/out" '^[0-9]'
"$tool" stat --json -I 100 -d 0.35 -p "$(pgrep -n -f "$worker 1000 1")" >"$work/json" 2>"$work/err" || fail "stat -p"
[ "$(grep -c '"interval"' "$work/json")" -ge 1 ] || fail "no interval"
[ "$(allocs)" = 0 ] || fail "$(allocs) allocations of one that does nothing"

# Children count, whether they execute something or not.
"$tool" stat --json -c --preload -- sh -c 'sort /etc/passwd >/dev/null' >"$work/json" 2>"$work/err" || fail "stat of children"
one=$(allocs)
"$tool" stat --json -c --preload -- sh -c 'sort /etc/passwd >/dev/null; sort /etc/passwd >/dev/null; :' >"$work/json" 2>"$work/err"
[ "$(allocs)" -gt "$one" ] || fail "a second child counted nothing: $(allocs), $one"

"$tool" stat --json -k -d 0.3 >"$work/json" 2>"$work/err" || { echo "leg kernel: skipped: $(cat "$work/err")"; exit 0; }
[ "$(allocs)" -gt 0 ] || fail "the kernel allocates nothing"
