#!/usr/bin/env bash
# Real programs on the preloaded library: the same results as natively, no report,
# and proof that it is our heap that served them.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=$(realpath "${1:-build}")
lib=$build/libkmem-malloc.so
work=$(mktemp -d) || exit 1
server=
trap '[ -n "$server" ] && kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
failed=0

fail() {
	echo "FAILED: $*"; failed=1
}

# Run with the library; its statistics, printed at exit, go to the end of FILE.err.
preloaded() { # FILE COMMAND...
	local file=$1
	shift
	KMEM_OPTIONS=stats=on LD_PRELOAD=$lib "$@" >"$file.out" 2>"$file.err"
}

# That a process's memory came from malloc-* caches, and that nothing was reported. A program
# that closes stderr before our statistics are printed is asked where its malloc() is bound to.
served() { # NAME FILE [PROGRAM]
	if [ -n "${3:-}" ]; then
		LD_DEBUG=bindings LD_PRELOAD=$lib "$3" --version 2>&1 |
			grep -aqE "binding file [^ ]*$3 .* to $lib .*malloc'" || fail "$1: malloc() is not ours"
	else
		awk '/^malloc-/ { objects += $3 } END { exit objects > 0 ? 0 : 1 }' "$2.err" ||
			fail "$1: the library was loaded but served nothing"
	fi
	grep -a '^kmem: ' "$2.err" && fail "$1: the library reported the above"
}

# The same command natively and preloaded: exit status and output must agree.
same() { # NAME COMMAND...
	local name=$1 native ours
	shift
	"$@" >"$work/native.out" 2>/dev/null
	native=$?
	preloaded "$work/ours" "$@"
	ours=$?
	[ "$ours" -eq "$native" ] || fail "$name: exit status $ours, natively $native"
	cmp -s "$work/native.out" "$work/ours.out" || fail "$name: other output than natively"
	served "$name" "$work/ours" "${closes_stderr:-}"
	echo "ok: $name"
}

sqlite() {
	command -v sqlite3 >/dev/null || return 0
	cat >"$work/insert.sql" <<-'SQL'
		CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT, c INTEGER);
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
		INSERT INTO t SELECT i, 'row ' || i || hex(i * 7919), i % 1000 FROM n;
		CREATE INDEX c ON t(c);
		SELECT count(*), sum(a), sum(length(b)) FROM t;
		SELECT c, count(*), max(b) FROM t GROUP BY c ORDER BY c DESC LIMIT 5;
	SQL
	same "sqlite3, 200k inserts" sqlite3 :memory: ".read $work/insert.sql"
}

sorting() {
	awk 'BEGIN { srand(1); for (i = 0; i < 700000; i++) printf "%d %x\n", rand() * 1e9, i }' >"$work/lines"
	local closes_stderr=sort
	same "sort --parallel=2, 10 MB" sort --parallel=2 -S 20M "$work/lines"
}

compiling() {
	same "gcc -O2" gcc -std=gnu11 -D_GNU_SOURCE -Ialloc -Ialloc/include -fPIC -O2 -S -o - alloc/slab/cache.c \
		-DSLABSCOPE_VERSION='"0"'
}

# Environment failures are natively the same: the verdicts of the test files are compared.
python() {
	# test_4_daemon_threads does not end in some containers, natively neither.
	local python=/usr/bin/python3 tests=(test_json test_dict test_threading -i '*daemon_threads*')
	"$python" -c 'import test.test_json' 2>/dev/null || { echo "skipped: python3's own tests are not installed"; return; }
	verdicts() { grep -aE '^(test_[a-z]+ failed|Tests result|Result|== Tests result|[0-9]+ tests? )' "$1" | grep -avE 'min|sec|in [0-9]' ; }
	(cd "$work" && timeout 40 "$python" -m test "${tests[@]}" </dev/null >"$work/python.native" 2>&1) &
	local native=$!
	mkdir "$work/py" && cd "$work/py" || return
	# Without statistics: the tests look at what their own children print.
	LD_PRELOAD=$lib timeout 80 "$python" -m test "${tests[@]}" </dev/null >"$work/py.ours.out" 2>"$work/py.ours.err"
	local ours=$?
	cd - >/dev/null || return
	wait "$native"
	native=$?
	[ "$native" -eq 124 ] && { echo "skipped: python3's own tests do not end here, natively neither"; return; }
	[ "$ours" -eq "$native" ] || { fail "python: exit status $ours, natively $native"; tail -n 20 "$work/py.ours.out"; }
	diff <(verdicts "$work/python.native") <(verdicts "$work/py.ours.out") || fail "python: other verdicts than natively"
	grep -a '^kmem: ' "$work/py.ours.out" "$work/py.ours.err" && fail "python: the library reported the above"
	preloaded "$work/py.one" "$python" -c 'print(len([str(i) for i in range(100000)]))'
	served python "$work/py.one"
	echo "ok: python3 -m test test_json test_dict test_threading (exit status $ours, as natively)"
}

# Debian's redis links jemalloc; its malloc() is interposed all the same, and its heap must be ours.
redis() {
	local port=$((20000 + $$ % 20000)) i active
	command -v redis-server >/dev/null || return 0
	KMEM_OPTIONS=stats=on LD_PRELOAD=$lib redis-server --port "$port" --save '' --dir "$work" --daemonize no \
		>"$work/redis.out" 2>"$work/redis.err" &
	server=$!
	for ((i = 0; i < 100; i++)); do
		[ "$(redis-cli -p "$port" ping 2>/dev/null)" = PONG ] && break
		sleep 0.1
	done
	grep -q libkmem-malloc "/proc/$server/maps" || fail "redis: the library is not loaded"
	redis-benchmark -p "$port" -q -n 20000 -c 20 -r 5000 -d 200 -t set,get,lpush,lpop,sadd,hset,spop,zadd,mset \
		>"$work/bench.out" 2>&1 || fail "redis-benchmark"
	[ "$(grep -ac 'requests per second' "$work/bench.out")" -ge 9 ] || { fail "redis-benchmark"; cat "$work/bench.out"; }
	[ "$(redis-cli -p "$port" dbsize)" -gt 1000 ] || fail "redis: the keys are not there"
	redis-cli -p "$port" bgsave >/dev/null # a fork
	sleep 1
	[ "$(redis-cli -p "$port" info persistence | tr -d '\r' | sed -n 's/^rdb_last_bgsave_status://p')" = ok ] ||
		fail "redis: bgsave (a fork) failed"
	redis-cli -p "$port" shutdown nosave 2>/dev/null
	wait "$server"
	server=
	active=$(awk '/^malloc-/ { n += $2 } END { print n + 0 }' "$work/redis.err")
	[ "$active" -gt 10000 ] || fail "redis: only $active objects of our heap are live at exit"
	grep -a '^kmem: ' "$work/redis.err" && fail "redis: the library reported the above"
	echo "ok: redis-server, $active live objects at exit"
}

redis
python
same "git log" git --no-pager log --stat -n 200
sqlite
sorting
compiling
exit $failed
