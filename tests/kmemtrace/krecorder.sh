#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# krecorder.sh - the kernel's events, with names of its caches and functions.
#
# usage: krecorder.sh BUILD-FOLDER     exit 0 pass, 1 fail, 77 skip
set -u
build=$1
. tests/kmemtrace/lib.bash
need_bpf
trace=$work/k.kmt
(for ((i = 0; i < 200; i++)); do /bin/true; done) & pids+=($!)
"$tool" record -k -d 1 -o "$trace" 2>"$work/err" || fail "record -k"
[ "$(grep -c events "$work/err")" -ge 1 ] || fail "no last line"
[ "$(field "$trace" events)" -gt 100 ] || fail "hardly an event"
"$tool" export --format folded "$trace" >"$work/folded" || fail "export"
grep -q '[a-z_]' "$work/folded" || fail "no function has a name"
"$tool" report --by cache "$trace" >"$work/caches" || fail "by cache"
grep -Eq 'filp|vm_area_struct|kmalloc-[0-9]|dentry|names_cache' "$work/caches" || { head -n 40 "$work/caches"; fail "no cache has a name"; }
