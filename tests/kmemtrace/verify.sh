#!/usr/bin/env bash
# Replay truth: what the events of real programs lead to is what their memory holds, object for object.
. "$(dirname "$0")/analysis.bash"
need_record
preload=$build/libkmem-malloc.so
events() { sed -n 's/^EQUAL: \([0-9]*\) events.*/\1/p' <<<"$out"; }

verify() { # NAME FILE FEWEST-EVENTS
	expect 0 "$kmemtrace" report "$2" --verify
	check "$1: $out" [ "$(events)" -ge "$3" ]
	echo "leg $1: $out"
}

# redis under load, recorded from the middle of it and ended in the middle of it.
if command -v redis-server >/dev/null && command -v redis-benchmark >/dev/null; then
	port=$((20000 + $$ % 20000))
	LD_PRELOAD=$preload redis-server --port $port --bind 127.0.0.1 --save '' --appendonly no --daemonize no >"$work/redis" 2>&1 &
	redis=$!
	started+=("$redis")
	await grep -q "Ready to accept" "$work/redis"
	redis-benchmark -p $port -t set,lpush,lpop,hset,zadd -n 100000000 -r 20000 -d 150 -q >/dev/null 2>&1 &
	bench=$!
	started+=("$bench")
	start_recording "$work/redis.kmt" -p "$redis" --stacks
	sleep 3
	end_recording
	kill "$bench" "$redis"
	verify redis "$work/redis.kmt" 1000
else
	echo "leg redis: skipped: no redis-server"
fi

# The compiler, from its first event to its last.
cat >"$work/program.c" <<'C'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv) { for (int i = 0; i < argc; i++) printf("%s %zu\n", argv[i], strlen(argv[i])); return 0; }
C
cc1=$(gcc -print-prog-name=cc1)
if [ -x "$cc1" ]; then
	check "preprocessed" gcc -E -o "$work/program.i" "$work/program.c"
	expect 0 "$kmemtrace" record -q --force -o "$work/gcc.kmt" -c --preload -- "$cc1" -fpreprocessed -quiet -O2 -o "$work/program.s" "$work/program.i"
	check "it compiled" grep -q main "$work/program.s"
	verify cc1 "$work/gcc.kmt" 10000
	expect 0 "$kmemtrace" report "$work/gcc.kmt"
	check "complete" grep -q ", complete" <<<"$out"
fi

# The driver with all that it forks and executes, each process to its own end.
if command -v gcc >/dev/null; then
	expect 0 "$kmemtrace" record -q --force -o "$work/driver.kmt" -c --preload -- gcc -O2 -o "$work/program" "$work/program.c"
	check "it linked" "$work/program" one >/dev/null
	verify gcc "$work/driver.kmt" 10000
fi
