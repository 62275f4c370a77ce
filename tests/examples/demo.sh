#!/usr/bin/env bash
# The demo shows what it promises, as root and as nobody, ends by itself and leaves nothing running.
set -u
build=$(cd "$1" && pwd) || exit 1
case $1 in build) ;; *) echo "only for the plain build"; exit 77 ;; esac
out=$(mktemp -d) || exit 1
copy=
trap 'rm -rf "$out" "$copy"' EXIT
fail() { echo "FAIL: $*"; cat "$out/demo"; exit 1; }

check() { # what every user sees
	grep -q 'ALLOC/S' "$out/demo" || fail "no rates"
	grep -qE '[0-9.]+k +[0-9.]+k malloc-' "$out/demo" || fail "redis does not allocate under load"
	grep -q '7 unreferenced objects, 20404 bytes: 6 direct, 1 indirect' "$out/demo" || fail "not just the planted leaks"
	grep -q 'exit code 23' "$out/demo" || fail "exit code"
	grep -qi 'broken pipe\|error' "$out/demo" && fail "an error on the screen"
	pgrep -f "redis-server.*:$port" && fail "redis is still running"
	pgrep -x leaky && fail "leaky is still running"
	[ $SECONDS -lt 120 ] || fail "took $SECONDS s"
	return 0
}

port=$((20000 + RANDOM % 10000))
SECONDS=0
DEMO_PORT=$port examples/demo.sh "$build" >"$out/demo" 2>&1 || fail "exit $?"
check
if [ "$(id -u)" -eq 0 ]; then
	grep -qE 'kernel +[a-z]' "$out/demo" || fail "no kernel rows"
	grep -q 'lose_requests+0x.* \[leaky\]' "$out/demo" || fail "no call sites"
	# Somebody without rights: a copy that he can read.
	copy=$(mktemp -d /tmp/demo.XXXXXX) && cp -r examples "$build" "$copy/" && chmod -R a+rX "$copy"
	SECONDS=0
	DEMO_PORT=$port setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/tmp \
		bash "$copy/examples/demo.sh" "$copy/$(basename "$build")" >"$out/demo" 2>&1 || fail "as nobody: exit $?"
	check
	grep -q 'need root' "$out/demo" || fail "as nobody: does not say what root would add"
fi
