#!/usr/bin/env bash
# slabscope compare: the same in both allocators, in all formats; commands; bad input. usage: compare.sh BUILD
set -u
build=$(realpath "$1")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
fail() { echo "FAIL: $*"; cat "$work/err"; exit 1; }
compare() { "$build/slabscope" compare "$@" 2>"$work/err"; }
field() { # FILE SIDE FIELD
	awk -F, -v side="$2" -v field="$3" 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } $1 == side { print $at[field]; exit }' "$1"
}

echo 'cache c size=256; alloc a1..a100 c; check; free a1..a40' >"$work/script"
compare --csv "$work/script" >"$work/csv"
rc=$?
[ $rc -eq 0 ] || [ $rc -eq 3 ] || fail "exit code $rc"
for side in libkmem $([ $rc -eq 0 ] && echo kernel); do
	[ "$(field "$work/csv" $side in_use)" = 60 ] || fail "$side: in use"
	[ "$(field "$work/csv" $side slabs)" = 7 ] || fail "$side: slabs"
	[ "$(field "$work/csv" $side objects_per_slab)" = 16 ] || fail "$side: objects per slab"
	[ "$(field "$work/csv" $side residue)" = 0 ] || fail "$side: residue"
	[ "$(field "$work/csv" $side allocs)" = 100 ] || fail "$side: allocations"
done
compare --json "$work/script" | head -n 1 | python3 -c 'import json, sys; row = json.loads(sys.stdin.readline()); assert row["allocs"] == 100, row' ||
	fail "JSON"
compare "$work/script" >"$work/text"
grep -q '^c: 256 bytes; 100 allocations, 40 frees, 60 live at the end, 100 at most' "$work/text" || fail "text"
[ "$(compare --list | wc -l)" -ge 4 ] || fail "fewer than 4 workloads"
compare --list | while read -r name _; do compare -w "$name" --csv >/dev/null; [ $? -ne 1 ] || fail "workload $name"; done || exit 1

compare --html "$work/page" "$work/script" >/dev/null
python3 - "$work/page" <<'PY' || fail "HTML"
import sys, html.parser
class P(html.parser.HTMLParser):
    def __init__(self): super().__init__(); self.open = []; self.lines = 0
    def handle_starttag(self, tag, attributes):
        if tag == 'polyline': self.lines += 1; return
        if tag not in ('meta', 'line', 'link', 'br'): self.open.append(tag)
        assert not any(k in ('src', 'href') for k, _ in attributes), 'not self-contained'
    def handle_startendtag(self, tag, attributes): self.lines += tag == 'polyline'
    def handle_endtag(self, tag): assert self.open.pop() == tag, tag
p = P(); p.feed(open(sys.argv[1]).read()); assert not p.open and p.lines >= 2, (p.open, p.lines)
PY

# A command: its caches, and its exit code.
compare --csv -n 50 -c sh -c 'i=0; while [ $i -lt 3000 ]; do i=$((i + 1)); a="$a x"; done; sleep 0.3; exit 7' >"$work/csv"
[ $? -eq 7 ] || fail "the command's exit code"
[ -n "${SANITIZED:-}" ] || grep -q '^libkmem,malloc-' "$work/csv" || fail "no cache of the command"
compare -c /nonexistent/program >/dev/null
[ $? -eq 127 ] || fail "a command that is none"

refuse() { # CODE MESSAGE ARGUMENTS...
	local code=$1 message=$2
	shift 2
	compare "$@" >/dev/null
	[ $? -eq "$code" ] || fail "$*: exit code"
	[ "$(wc -l <"$work/err")" -eq 1 ] && grep -q "$message" "$work/err" || fail "$*: message"
}
echo 'cache c size=256; alloc a d' >"$work/bad"
refuse 1 "bad:1: no cache 'd'" "$work/bad"
refuse 1 'No such file' "$work/none"
refuse 2 "no workload 'x'" -w x
refuse 2 'one script' 
refuse 2 'which command' -c
refuse 2 'bad --limit' -n 0 "$work/script"
exit 0
