#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# recorder.sh - recordings are whole: replayed, they lead to what lives in memory at the end, for programs that are
# started, attached to, fork, exec, are killed; and what cannot be whole says so.
#
# usage: recorder.sh BUILD-FOLDER     exit 0 pass, 1 fail, 77 skip
set -u
build=$1
. tests/kmemtrace/lib.bash
need_bpf
worker=$build/tests/bpf/stream_work
trace=$work/t.kmt

record() { "$tool" record -q --force -o "$trace" "$@" 2>"$work/err"; }

whole() {
	"$tool" report --verify "$trace" >"$work/verify" 2>&1 || { tail -n 5 "$work/verify"; fail "$1: not what lives"; }
	grep -q EQUAL "$work/verify" || fail "$1: no verdict"
}

# A program from its first event on, in each mode. It says itself how often it called.
for mode in "" --stacks --no-time; do
	# shellcheck disable=SC2086
	printf 'go\nend\n' | record $mode -c -- "$worker" 20000 2 >"$work/out" || fail "record $mode"
	read -r cache kmalloc < <(grep '^[0-9]' "$work/out")
	events=$(field "$trace" events)
	[ "${events:-0}" -ge $((2 * (cache + kmalloc))) ] || fail "mode '$mode': $events events of $cache and $kmalloc"
	[ -n "$mode" ] || whole "-c"
done

# Exit codes and output are the program's.
[ "$(record -c --preload -- sh -c 'echo hello; exit 7')" = hello ] || fail "output"
record -c --preload -- sh -c 'exit 7' >/dev/null; [ $? -eq 7 ] || fail "exit code"
record -c --preload -- sh -c 'kill -TERM $$'; [ $? -eq 143 ] || fail "signal"
[ "$(stat -c %a "$trace")" = 600 ] || fail "mode of the file"

# Children: forked, and executed again.
record -c --preload -- sh -c '(ls / | sort) >/dev/null; exec sort /etc/passwd' >"$work/out" || fail "children"
[ -s "$work/out" ] || fail "no output of children"
grep -q "buffers" "$work/err" && fail "buffers lost"

# One that runs: until it is interrupted, and it goes on.
LD_PRELOAD=$PWD/$build/libkmem-malloc.so python3 -u -c '
import itertools
keep = []
for i in itertools.count():
    keep.append(bytes(1000 + i % 5000)); keep = keep[-500:]
    if i == 1000: print("ready")' >"$work/out" & target=$!
pids+=("$target")
await "$work/out" ready
"$tool" record -q --force -o "$trace" -p "$target" & recorder=$!
pids+=("$recorder")
for ((i = 0; i < 500; i++)); do [ "$(stat -c %s "$trace" 2>/dev/null || echo 0)" -gt 20000 ] && break; sleep 0.02; done
kill -INT "$recorder"
wait "$recorder" || fail "interrupted recorder"
kill -0 "$target" || fail "the target did not survive"
whole "-p"

# A recorder that is killed: what it wrote is readable, and the target lives.
"$tool" record -q --force -o "$trace" -p "$target" & recorder=$!
pids+=("$recorder")
for ((i = 0; i < 500; i++)); do [ "$(stat -c %s "$trace" 2>/dev/null || echo 0)" -gt 60000 ] && break; sleep 0.02; done
kill -9 "$recorder"
wait "$recorder" 2>/dev/null
"$tool" report "$trace" >"$work/out" 2>&1 || fail "report of a killed recorder"
kill -0 "$target" || fail "the target did not survive the recorder"
state=$(sed 's/.*) //' "/proc/$target/stat" | cut -c1)
case $state in R | S | D) ;; *) fail "the target is left in state $state" ;; esac

# A time, and a target that is killed.
record -d 0.2 -p "$target" || fail "duration"
(sleep 0.3; kill -9 "$target") &
record -p "$target" || fail "a killed target"

# Too small a ring: what is lost is counted.
printf 'go\nend\n' | record --ring 64K -c -- "$worker" 300000 2 >/dev/null || fail "small ring"
if [ "$(field "$trace" lost)" -gt 0 ]; then grep -q "events lost" "$work/err" || fail "loss was not told"; fi
exit 0
