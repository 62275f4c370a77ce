#!/usr/bin/env bash
# main.sh - the front command starts the tool beside itself, or that in PATH, and passes everything on.
set -u
build=$(cd "${1:?build folder}" && pwd) || exit 1
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
fail() { echo "FAILED: $*"; exit 1; }

[ "$("$build/slabscope" top -V)" = "$("$build/slabtop" -V)" ] || fail "top is not slabtop"
[ "$("$build/slabscope" help top)" = "$("$build/slabtop" --help)" ] || fail "help top is not slabtop --help"
"$build/slabscope" top --nonsense 2>"$tmp/err"
[ $? = 2 ] || fail "the tool's exit code is lost"
grep -q "^slabtop: unknown or ambiguous option '--nonsense'" "$tmp/err" || fail "the tool's message is lost"

for args in "" "nonsense" "help nonsense"; do
	# shellcheck disable=SC2086
	"$build/slabscope" $args >"$tmp/out" 2>"$tmp/err"
	[ $? = 2 ] || fail "code for '$args'"
	[ "$(wc -l <"$tmp/err")" = 1 ] && [ ! -s "$tmp/out" ] || fail "not one line for '$args'"
done
"$build/slabscope" help >/dev/full 2>"$tmp/err"
[ $? = 1 ] || fail "full disk not noticed"
{ sleep 0.5; "$build/slabscope" help 2>"$tmp/err"; } | true
[ "${PIPESTATUS[0]}" = 1 ] || fail "closed pipe not noticed"
grep -q '^slabscope: write error: Broken pipe$' "$tmp/err" || fail "no line about the closed pipe"

# Alone in a folder: PATH decides, and its lack is one line.
cp "$build/slabscope" "$tmp/slabscope"
PATH=$build:$PATH "$tmp/slabscope" top -V >/dev/null || fail "PATH is not searched"
PATH=/nonexistent "$tmp/slabscope" top 2>"$tmp/err"
[ $? = 1 ] || fail "code without the tool"
grep -q "'slabtop' cannot be started" "$tmp/err" || fail "no line about the missing tool"
exit 0
