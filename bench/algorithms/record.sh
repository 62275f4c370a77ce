#!/usr/bin/env bash
# Record the workloads of `make bench-algorithms` anew, into bench/algorithms/*.trace. record.sh BUILD
#
# A storage engine, a network server and a compiler at work, each for ten thousand allocations or so.
# Other versions of these programs give other recordings: compare tables of the same recordings only.
set -eu
cd "$(dirname "$0")/../.."
build=$(cd "${1:-build}" && pwd)
out=$PWD/bench/algorithms
port=${PORT:-7398}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cc -O2 -D_GNU_SOURCE -shared -fPIC -o "$build/bench/record.so" "$out/record.c"
cd "$work"

record() { # NAME DESCRIPTION COMMAND...
	local name=$1 what=$2
	shift 2
	RECORD=$work/trace LD_PRELOAD=$build/bench/record.so${SECOND:+ $SECOND} "$@" >log 2>&1
	{ echo "# $what"; cat trace; } | sed 's/ *$//' >"$out/$name.trace"
}

{
	echo 'PRAGMA cache_size=40; CREATE TABLE t(k INTEGER PRIMARY KEY, name TEXT, body BLOB); CREATE INDEX i ON t(name);'
	for i in $(seq 150); do echo "INSERT INTO t VALUES($i,'name$((i * 7919 % 1000))',randomblob($((i * 37 % 900 + 20))));"; done
	for i in $(seq 60); do echo "SELECT length(body) FROM t WHERE name='name$((i * 7919 % 1000))';"; done
	for i in $(seq 20); do echo "UPDATE t SET body=randomblob($((i * 91 % 2000))) WHERE k=$((i * 7));"; done
	echo 'SELECT name,count(*) FROM t GROUP BY substr(name,1,5) ORDER BY 2 DESC LIMIT 3;'
} >statements
record storage "$(sqlite3 --version | cut -d' ' -f1,2 | sed 's/^/sqlite3 /'): a table with an index; 150 inserts, 60 selects, 20 updates, a group; a scope is a statement" \
	bash -c 'exec sqlite3 t.db <statements'

# The requests only, not what is made at the start. Debian's redis asks jemalloc for sizes: libc answers instead.
(
	while ! redis-cli -p "$port" ping >/dev/null 2>&1; do sleep 0.1; done
	redis-benchmark -p "$port" -q -n 250 -c 8 -r 200 -d 60 -t set,get,lpush,hset,lrange_100
	redis-cli -p "$port" shutdown nosave
) >/dev/null 2>&1 &
SECOND=$(ldconfig -p | awk '$1 == "libc.so.6" && /x86-64/ { print $NF; exit }')
export RECORD_FROM=30000
record server "$(redis-server --version | cut -d' ' -f1-3): 1250 requests of 8 clients, set get lpush hset lrange; a scope is a request" \
	redis-server --port "$port" --save '' --appendonly no
unset RECORD_FROM SECOND
wait

cat >unit.c <<'C'
#include <stdio.h>
#include <stdlib.h>
static int fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
int main(int argc, char **argv)
{
	int sum = 0;
	for (int i = 1; i < argc; i++)
		sum += fib(atoi(argv[i]));
	printf("%d\n", sum);
	return 0;
}
C
cc -E -o unit.i unit.c
record compiler "gcc $(gcc -dumpfullversion), cc1 -O1, 20 lines that include stdio.h and stdlib.h; one scope" \
	"$(cc -print-prog-name=cc1)" -quiet -O1 -fpreprocessed unit.i -o /dev/null
wc -c "$out"/*.trace
