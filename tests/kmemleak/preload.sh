#!/usr/bin/env bash
# A real program on libkmem-malloc, scanned while it works: redis loses nothing, so nothing is reported.
. "$(dirname "$0")/lib.bash"

command -v redis-server >/dev/null && command -v redis-benchmark >/dev/null || { echo "redis is not installed"; exit 77; }
[ -e "$build/libkmem-malloc.so" ] || { echo "no libkmem-malloc.so in this build"; exit 77; }
case $build in *san-*) echo "not with a sanitizer: it brings its own malloc"; exit 77 ;; esac

socket=$work/redis.socket
LD_PRELOAD=$(realpath "$build/libkmem-malloc.so") redis-server --port 0 --unixsocket "$socket" --save "" --dir "$work" \
	>"$work/redis.log" 2>&1 &
server=$!
started+=("$server")
for _ in $(seq 100); do
	[ -S "$socket" ] && break
	sleep 0.05
done
check "redis is up" [ -S "$socket" ]

redis-benchmark -s "$socket" -q -n 2000000 -r 20000 -t set,lpush,rpop,hset,sadd,zadd >"$work/load" 2>&1 &
load=$!
started+=("$load")
sleep 0.5
for _ in $(seq 15); do
	check "the load runs" kill -0 "$load"
	expect 0 "$kmemleak" -p "$server" -s
done
check "many objects were looked at" [ "$(sed -n 's/^scanned \([0-9]*\) objects.*/\1/p' <<<"$out")" -gt 1000 ]
