#!/usr/bin/env bash
# badinput.sh - libkmem-malloc.so under garbage in KMEM_OPTIONS, limits and refused system calls: the program runs as
# it would without, or ends with one line that names the cause.
set -u
export LC_ALL=C
build=$(cd "${1:-build}" && pwd) || exit 1
refuse=$(cd "$(dirname "$0")/../common" && pwd)/refuse.py
lib=$build/libkmem-malloc.so
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
fail() { echo "FAILED: $*"; cat "$tmp/err"; exit 1; }

# run CODE LINES COMMAND...: with the library preloaded; LINES of error output, of which each begins with "kmem: ".
run() {
	local code=$1 lines=$2 got
	shift 2
	# A shell of its own reports a program that aborts, into a file that nobody reads.
	(env LD_PRELOAD="$lib" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null) 2>/dev/null
	got=$?
	[ $got -eq "$code" ] || fail "exit code $got instead of $code: $*"
	[ "$(wc -l <"$tmp/err")" -eq "$lines" ] || fail "not $lines lines: $*"
	[ "$(grep -c '^kmem: [ -~]*$' "$tmp/err")" -eq "$lines" ] || fail "not a line of ours, or not printable: $*"
}

for options in garbage arena=x rseq=maybe rseq = "a=b=c" "arena=99999999999999999999T" "stats=2" \
	"$(printf 'x%.0s' $(seq 5000))" "$(printf 'rseq=\n\033[31m')" "$(printf '\377\376')"; do
	run 0 1 KMEM_OPTIONS="$options" ls /
	grep -q "KMEM_OPTIONS" "$tmp/err" || fail "the variable is not named"
	[ -s "$tmp/out" ] || fail "the program did not run"
done
# A mistake does not keep the others from being applied; one line, about the first.
run 0 1 KMEM_OPTIONS="arena=x,rseq=maybe,,nonsense" ls /
grep -q '"arena=x"; use a size such as 512M' "$tmp/err" || fail "first mistake"
for options in "" , ,, arena=0 arena=1 arena=4M arena=900T rseq=off "rseq=on,stats=off"; do
	run 0 0 KMEM_OPTIONS="$options" ls /
done

# No rseq, no membarrier: slower, not broken.
run 0 0 GLIBC_TUNABLES=glibc.pthread.rseq=0 ls /
rseq_nr=334 membarrier_nr=324
if python3 "$refuse" $rseq_nr 38 true; then
	for number in $rseq_nr $membarrier_nr; do
		python3 "$refuse" $number 38 env LD_PRELOAD="$lib" ls / >"$tmp/out" 2>"$tmp/err" || fail "system call $number refused"
		[ -s "$tmp/err" ] && fail "system call $number refused"
	done
fi

# Limits: enough, or one line that says which.
run 0 0 bash -c 'ulimit -v 1000000; exec /bin/true'
(ulimit -v 100000; run 134 1 /bin/true) || exit 1
(ulimit -v 100000; run 134 1 /bin/true; grep -q 'raise ulimit -v and -d' "$tmp/err") || fail "cause of ulimit -v"
# Memory that runs out is malloc()'s NULL, which python3 makes an exception.
env LD_PRELOAD="$lib" KMEM_OPTIONS=arena=8M python3 -c 'x = [bytearray(1000) for i in range(100000)]' 2>"$tmp/err"
[ $? -eq 1 ] || fail "arena=8M"
grep -q '^MemoryError' "$tmp/err" || fail "arena=8M: no MemoryError"

# Closed standard streams, and a program of another user.
run 0 0 bash -c 'exec ls / 0<&- 2>&-'
env LD_PRELOAD="$lib" KMEM_OPTIONS=garbage,stats=on true 2>&- || fail "closed stderr"
if [ "$(id -u)" -eq 0 ]; then
	cp "$lib" "$tmp/lib.so" && chmod 755 "$tmp" "$tmp/lib.so"
	LD_PRELOAD=$tmp/lib.so setpriv --reuid 65534 --regid 65534 --clear-groups ls / >"$tmp/out" 2>"$tmp/err" || fail "as nobody"
	[ -s "$tmp/err" ] && fail "as nobody"
fi
exit 0
