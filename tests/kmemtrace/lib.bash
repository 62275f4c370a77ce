# SPDX-License-Identifier: BSD-2-Clause
# lib.bash - what the scripts of this folder share. Before: build=$1
tool=$build/kmemtrace
work=$(mktemp -d) || exit 1
pids=()
cleanup() {
	[ "$BASHPID" = "$$" ] || return
	for p in "${pids[@]}"; do kill -9 "$p" 2>/dev/null; done
	rm -rf "$work"
}
trap cleanup EXIT

fail() { echo "FAIL: $*"; [ -s "$work/err" ] && cat "$work/err"; exit 1; }

# One line on stderr, with these words, and this exit code: refused CODE WORDS COMMAND...
refused() {
	local code=$1 words=$2 rc
	shift 2
	"$@" >"$work/out" 2>"$work/err" </dev/null
	rc=$?
	[ $rc -eq "$code" ] || fail "exit $rc, expected $code: $*"
	[ "$(wc -l <"$work/err")" -eq 1 ] || fail "not one line: $*"
	grep -q -- "$words" "$work/err" || fail "no '$words': $*"
}

need_bpf() {
	"$tool" record -q -k -d 0.1 --force -o "$work/probe.kmt" >/dev/null 2>"$work/err" && return
	echo "SKIP: no BPF here: $(tail -n 1 "$work/err")"
	exit 77
}

# Until a file has a line: await FILE PATTERN
await() {
	local i
	for ((i = 0; i < 3000; i++)); do
		grep -q -- "$2" "$1" 2>/dev/null && return
		sleep 0.02
	done
	fail "never saw '$2' in $1"
}

# The number behind a key in the report's JSON: field FILE KEY
field() { "$tool" report --json "$1" | grep -o "\"$2\":[0-9]*" | head -n 1 | cut -d: -f2; }
