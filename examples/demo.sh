#!/usr/bin/env bash
# The demo: redis on libkmem under load, seen live; the kernel beside it; then a leak found. demo.sh BUILD
#
# Everything that is started here ends here, within two minutes. Without root it
# shows what memory reading gives and says what root would add.
set -u
build=$(cd "${1:-build}" && pwd) || exit 1
port=${DEMO_PORT:-7379}
work=$(mktemp -d) || exit 1
pids=()

cleanup() {
	[ ${#pids[@]} -gt 0 ] && kill "${pids[@]}" 2>/dev/null
	wait 2>/dev/null
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

bold() { if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then printf '\n\033[1m%s\033[0m\n' "$*"; else printf '\n%s\n' "$*"; fi; }
step() { bold "== $*"; }
run() { bold "\$ $*"; "$@"; }
fail() { echo "demo: $*" >&2; exit 1; }

cd "$(dirname "$0")/.." || exit 1
command -v redis-server >/dev/null || fail "redis-server is not installed; run: make deps"

step "redis-server on libkmem, under redis-benchmark load"
echo "\$ LD_PRELOAD=libkmem-malloc.so redis-server --port $port"
LD_PRELOAD=$build/libkmem-malloc.so redis-server --port "$port" --bind 127.0.0.1 --save '' --appendonly no \
	--dir "$work" >"$work/redis.log" 2>&1 &
redis=$!
pids+=($redis)
for ((i = 0; i < 100; i++)); do
	redis-cli -p "$port" ping >/dev/null 2>&1 && break
	kill -0 $redis 2>/dev/null || { tail -n 3 "$work/redis.log"; fail "redis-server did not start (port $port in use? set DEMO_PORT)"; }
	sleep 0.1
done
redis-benchmark -p "$port" -q -n 3000000 -r 200000 -d 100 -t set,lpush,sadd,get >/dev/null 2>&1 &
pids+=($!)
sleep 3

step "its caches, read from outside: no probe, no BPF, no change to redis"
bold "\$ slabtop -p $redis --sort f      (two updates, one second apart)"
timeout 3 "$build/slabtop" -p $redis -d 1 -s f 2>/dev/null </dev/null | awk -v rows=18 '
	/Active \/ Total Objects/ { frame++; lines = 0; if (frame > 1) { shown = 1 } }
	shown && frame == 2 && lines++ < rows { print }'

step "the kernel's caches beside them, in the same columns"
if [ "$(id -u)" -eq 0 ]; then
	bold "\$ slabtop -p $redis --kernel --true -o"
	"$build/slabtop" -p $redis --kernel --true -o >"$work/both" 2>&1
	head -n 26 "$work/both"
else
	echo "Not shown: the kernel's counters need root (CAP_BPF and CAP_PERFMON). With root this adds the"
	echo "kernel's caches, with their true active counts, and events per cache and call site."
fi
kill "${pids[@]}" 2>/dev/null
wait 2>/dev/null
pids=()

step "a program that loses seven objects, and who they are"
# As root a trace runs while they are lost, so that the report can say where they came from.
trace=() after=0
[ "$(id -u)" -eq 0 ] && trace=(--trace 3) after=2
sleep 30 | "$build/examples/leaky" --seconds 30 --after $after >"$work/leaky" &
for ((i = 0; i < 50; i++)); do [ -s "$work/leaky" ] && break; sleep 0.1; done
leaky=$(sed -n 's/.*pid=\([0-9]*\).*/\1/p' "$work/leaky")
pids+=("$leaky")
echo "$(cat "$work/leaky")"
bold "\$ kmemleak -p $leaky ${trace[*]} scan"
"$build/kmemleak" -p "$leaky" "${trace[@]}" scan
rc=$?
echo "exit code $rc (0 no leak, 23 leaks found)"
kill "$leaky" 2>/dev/null
pids=()
pkill -P $$ sleep 2>/dev/null
[ $rc -eq 23 ] || fail "kmemleak was expected to find the planted leaks"

step "that was all; nothing is left running"
[ "$(id -u)" -eq 0 ] || echo "As root the demo also shows the kernel's side."
echo "Try it on your own program:  LD_PRELOAD=$build/libkmem-malloc.so PROGRAM &   $build/slabtop -p \$!"
