#!/usr/bin/env bash
# The comparison of algorithms: all rows and columns, figures that can be true, the picture. How fast anything is, is not judged.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${1:-build}
case $build in build) ;; *) echo "only for the plain build"; exit 77 ;; esac
make -s "$build/bench/algorithms" || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
bad=0
fail() { echo "algorithms: $*"; bad=1; }
dir=bench/algorithms
"$build/bench/algorithms" -n 1 -p 2 -c 3000 -t "$work/tsv" $dir/storage.trace $dir/server.trace $dir/compiler.trace \
	$dir/server.trace:64 >"$work/table" || { fail "exit $?"; cat "$work/table"; exit 1; }
cat "$work/table"

# workload algorithm ns/op p99_ns worst_ns cold_ns held_KiB live% internal% external%
awk '
	function wrong(why) { print "algorithms: " why ": " $0; bad = 1 }
	NR == 1 && $0 !~ /^machine: .* CPUs, Linux .* 1 launches of 2 passes$/ { wrong("no machine") }
	NR == 2 { next }
	/ at most / { next }
	NR > 2 { rows[$1]++ }
	NR > 2 && $3 == "cannot" { refused[$1 " " $2] = 1; next }
	NR > 2 {
		if (NF != 10) wrong("not 10 columns")
		if ($3 <= 0 || $5 < $4) wrong("time")
		if ($8 + $9 + $10 < 99.7 || $8 + $9 + $10 > 100.3) wrong("the parts are not the whole")
		if ($8 < 0 || $9 < 0 || $10 < 0) wrong("less than nothing")
		if ($2 == "ideal") { if ($8 != 100) wrong("not ideal"); ideal[$1] = $7 }
		if ($7 < ideal[$1]) wrong("better than ideal")
		if ($2 == "buddy" && $9 < 50) wrong("small objects in whole pages lose little")
		if ($2 == "fixed-size" && $9 != 0) wrong("objects of the right size lose something")
		if ($2 ~ /-fit$/ && $9 > 10) wrong("a granule of 16 bytes loses much")
	}
	END {
		for (w in rows) {
			nr++
			if (rows[w] != 8) { print "algorithms: " w " has " rows[w] " rows"; bad = 1 }
			if ((w " fixed-size" in refused) != (w !~ /:/)) { print "algorithms: fixed-size and " w; bad = 1 }
		}
		if (nr != 5) { print "algorithms: " nr " workloads"; bad = 1 }
		exit bad
	}' "$work/table" || bad=1

# The same place for two runs: ranges are found by trying, not by chance.
"$build/bench/algorithms" -n 1 -p 1 -c 3000 $dir/storage.trace | grep -e '-fit' | awk '{ print $1, $2, $7 }' >"$work/again"
grep -e '-fit' "$work/table" | awk '{ print $1, $2, $7 }' | grep -E 'storage|churn' | cmp - "$work/again" || fail "other ranges the second time"

gnuplot -e "figures='$work/tsv'; picture='$work/svg'" $dir/plot.gp 2>"$work/err" || fail "no picture: $(cat "$work/err")"
[ "$(grep -oE '(bytes held for each live byte|ns per operation)' "$work/svg" | wc -l)" -eq 10 ] || fail "not 10 plots in the picture"

# A recording of a program can be replayed, and says what it asked for: 777 bytes, then half of them, all freed.
cat >"$work/program.c" <<'C'
#include <stdlib.h>
#include <unistd.h>
int main(void)
{
	char buf[8], *volatile p = malloc(777), *volatile q;
	if (read(0, buf, sizeof(buf)) <= 0)
		return 1;
	q = calloc(3, 1111);
	p = realloc(p, 388);
	free(q);
	free(p);
	return 0;
}
C
cc -O2 -D_GNU_SOURCE -shared -fPIC -o "$work/record.so" $dir/record.c && cc -o "$work/program" "$work/program.c" || exit 1
echo input | RECORD=$work/own.trace LD_PRELOAD=$work/record.so "$work/program" || fail "the recorded program fails"
[[ $(tr '\n' ' ' <"$work/own.trace") == *"777 "*"| 3333 -2 388 -2 -1 "* ]] || fail "recorded: $(cat "$work/own.trace")"
"$build/bench/algorithms" -n 1 -p 1 -c 5000 "$work/own.trace" | grep -q '^own  *best-fit  *[0-9]' || fail "a recording cannot be replayed"

echo "16 24 -3" >"$work/bad.trace"
"$build/bench/algorithms" "$work/bad.trace" 2>"$work/err" >&2 && fail "takes a free of what was not allocated"
grep -q '"-3" is no word of a recording' "$work/err" || fail "says about a bad recording: $(cat "$work/err")"
"$build/bench/algorithms" /nonexistent 2>"$work/err" >&2 && fail "takes a file that is not there"
"$build/bench/algorithms" >/dev/null 2>&1; [ $? -eq 2 ] || fail "usage"

# The documentation's table has the columns and rows of this one.
for word in $(awk '/ at most / { next } NR > 2 { print $2 }' "$work/table" | sort -u) p99 worst cold held live internal external; do
	grep -q -- "$word" docs/ALGORITHMS.md || fail "docs/ALGORITHMS.md lacks $word"
done
exit $bad
