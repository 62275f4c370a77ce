#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# record.sh - kmemtrace record says in one line what is wrong, and leaves no file behind.
#
# usage: record.sh BUILD-FOLDER     exit 0 pass, 1 fail, 77 skip
set -u
build=$1
. tests/kmemtrace/lib.bash

refused 2 "what to do" "$tool"
refused 2 "unknown verb" "$tool" frobnicate
refused 2 "what to record" "$tool" record
refused 2 "exclude each other" "$tool" record -k -p 1
refused 2 "which command" "$tool" record -c
refused 2 "not a process id" "$tool" record -p nobody
refused 2 "not a process id" "$tool" record -p 0
refused 2 "too much" "$tool" record -k command
refused 2 "goes with -c" "$tool" record --preload -k
refused 2 "do not go with -k" "$tool" record -k --no-time
refused 2 "power of two" "$tool" record -k --ring 3M
refused 2 "number of seconds" "$tool" record -k -d soon
refused 1 "no process with PID" "$tool" record -p 4194303 -o "$work/a"
sleep 1000 & pids+=($!)
refused 1 "does not carry libkmem.*--preload" "$tool" record -p $! -o "$work/a"
refused 1 "cannot be written" "$tool" record -k -o /nonexistent/folder/a
[ -e "$work/a" ] && fail "a file of nothing"
"$tool" --help | grep -q record || fail "no help"
"$tool" record --help | grep -q -- --preload || fail "no help of record"

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 777 "$work"
	refused 1 "CAP_BPF" setpriv --reuid=65534 --regid=65534 --clear-groups "$tool" record -k -o "$work/a"
	LD_PRELOAD=$PWD/$build/libkmem-malloc.so sleep 1000 & pids+=($!)
	await /proc/$!/maps libkmem-malloc
	refused 1 "belongs to uid 0" setpriv --reuid=65534 --regid=65534 --clear-groups "$tool" record -p $! -o "$work/a"
	[ -e "$work/a" ] && fail "a file of nothing, as another user"
fi

need_bpf
refused 1 "cannot be started" "$tool" record -c -o "$work/a" -- /nonexistent/program
[ -e "$work/a" ] && fail "a file of nothing, without a program"
touch "$work/there"
refused 1 "exists already.*--force" "$tool" record -k -o "$work/there"
ln -s "$work/nowhere" "$work/link"
refused 1 "symbolic link\|exists already" "$tool" record -k -o "$work/link"
refused 1 "/dev/full cannot be written" "$tool" record -q -k -d 0.1 --force -o /dev/full
[ -c /dev/full ] || fail "/dev/full is gone"
