#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# stat.sh - kmemtrace stat: its command line and its three formats.
#
# usage: stat.sh BUILD-FOLDER     exit 0 pass, 1 fail, 77 skip
set -u
build=$1
. tests/kmemtrace/lib.bash

refused 2 "what to count" "$tool" stat
refused 2 "exclude each other" "$tool" stat -k -p 1
refused 2 "which command" "$tool" stat -c
refused 2 "not a number" "$tool" stat -k -I never
refused 2 "go with -c" "$tool" stat -k -r 3
refused 1 "no process with PID" "$tool" stat -p 4194303
sleep 1000 & pids+=($!)
refused 1 "does not carry libkmem" "$tool" stat -p $!

"$tool" stat -c --preload -- sh -c 'exit 5' >"$work/out" 2>"$work/err"; [ $? -eq 5 ] || fail "exit code"
grep -Eq '^ +[1-9][0-9,]*  allocations ' "$work/out" || fail "no allocations"
"$tool" stat -r 3 -c --preload -- sort /etc/passwd 2>"$work/err" | grep -q '( +- ' || fail "no deviation"
"$tool" stat --json -c --preload -- sort /etc/passwd 2>"$work/err" | tail -n 1 >"$work/json"
python3 -c '
import json, sys
r = json.load(open(sys.argv[1]))
assert r["record"] == "stat" and r["allocs"] > 0 and r["alloc_bytes"] > 0 and r["pages_alloc"] > 0, r
' "$work/json" || fail "json"
"$tool" stat --csv -c --preload -- true 2>"$work/err" | head -n 1 | grep -q '^record,time_s,span_s,allocs,' || fail "csv"
"$tool" stat -c -- true >/dev/null 2>"$work/err"
grep -q "did not use libkmem" "$work/err" || fail "a program without libkmem"
