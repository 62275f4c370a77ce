#!/usr/bin/env bash
# Makes docs/flamegraph.svg: what lives in redis-server under a benchmark, by who allocated it.
#
# usage: docs/flamegraph.sh [BUILD [REDIS-SERVER]]      needs root (BPF), redis-benchmark
#
# Stacks are followed by frame pointers, which Debian's redis-server is built without: unless one is given, its source
# package is fetched and built with them.
set -eu
cd "$(dirname "$0")/.."
build=$(realpath "${1:-build}")
server=${2:-}
work=$(mktemp -d)
pids=()
cleanup() {
	[ "$BASHPID" = "$$" ] || return
	for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
	rm -rf "$work"
}
trap cleanup EXIT

build_redis() {
	cd "$work"
	mkdir -p lists/partial cache/archives/partial
	# shellcheck disable=SC1091
	echo "deb-src http://deb.debian.org/debian $(. /etc/os-release && echo "$VERSION_CODENAME") main" >sources.list
	local apt=(apt-get -q -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null
		-o "Dir::State=$work" -o "Dir::Cache=$work/cache" -o Dir::State::status=/var/lib/dpkg/status)
	"${apt[@]}" update
	"${apt[@]}" source --download-only redis
	tar xzf redis_*.orig.tar.gz
	make -C redis-*/src -j"$(nproc)" MALLOC=libc OPTIMIZATION='-O2 -fno-omit-frame-pointer -fno-optimize-sibling-calls' redis-server
	mv redis-*/src/redis-server .
}

if [ -z "$server" ]; then
	(build_redis) >"$work/log" 2>&1 || { tail "$work/log"; exit 1; }
	server=$work/redis-server
fi

port=$((20000 + $$ % 20000))
LD_PRELOAD=$build/libkmem-malloc.so "$server" --port $port --bind 127.0.0.1 --save '' --appendonly no >"$work/redis" 2>&1 &
redis=$!
pids+=("$redis")
until grep -q 'Ready to accept' "$work/redis"; do sleep 0.1; done
"$build/kmemtrace" record -q --stacks -o "$work/redis.kmt" -p $redis &
recorder=$!
pids+=("$recorder")
until [ -s "$work/redis.kmt" ]; do sleep 0.1; done
sleep 1
redis-benchmark -p $port -t set,lpush,sadd,hset,zadd -n 60000 -r 100000 -d 200 -q >/dev/null
kill -INT $recorder
wait $recorder
"$build/kmemtrace" report "$work/redis.kmt" --verify
"$build/kmemtrace" export "$work/redis.kmt" --format svg --title 'redis-server under redis-benchmark: bytes that live, by who allocated them' \
	-o docs/flamegraph.svg
