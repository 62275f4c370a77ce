#!/usr/bin/env bash
# Every small example prints what its head promises, whatever is cleared or cached, and is short; what the man pages quote is in it.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=$(realpath "${1:-build}")
bad=0
complain() { echo "examples: $*"; bad=1; }

# The lines of a program's head after "$ build/examples/NAME".
promised() { sed -n '\|^ \*   \$ build/examples/|,\|^ \*/|s/^ \*   \([^$].*\)/\1/p' "examples/$1.c"; }

# The nth text that a page quotes from a program (announced by: .\" quote NAME), as it reads.
quoted() { # PAGE NTH
	awk -v nth="$2" '/^\.\\" quote / { n++; next } n == nth && /^\.EE/ { exit } n == nth && !/^\.EX/' "$1" |
		sed -e 's/^\\&//' -e 's/\\-/-/g' -e "s/\\\\(aq/'/g" -e 's/\\e/\\/g'
}

nr=0
for source in examples/*.c; do
	name=$(basename "$source" .c)
	[ "$name" = leaky ] && continue # waits for its reader
	nr=$((nr + 1))
	want=$(promised "$name")
	[ -n "$want" ] || complain "$name: its head does not say what it prints"
	for options in stats=off init_on_alloc=on,init_on_free=on rseq=off nodes=2; do
		got=$(KMEM_OPTIONS=$options timeout 60 "$build/examples/$name" 2>&1) || complain "$name, $options: exit status $?"
		[ "$got" = "$want" ] || complain "$name, $options: prints
$got
instead of
$want"
	done
	[ "$name" = ported ] && continue # is about something else than brevity
	[ "$(wc -l <"$source")" -lt 80 ] || complain "$name: not short"
	grep -qF "($name.c)" examples/README.md || complain "$name: not in examples/README.md"
	grep -lq "^\.\\\\\" quote $name\$" docs/man/*.3 || complain "$name: no man page quotes it"
done
[ "$nr" -ge 7 ] || complain "only $nr programs"

for page in docs/man/*.3; do
	nth=0
	for name in $(sed -n 's/^\.\\" quote //p' "$page"); do
		nth=$((nth + 1))
		text=$(quoted "$page" $nth)
		[ "$(wc -l <<<"$text")" -ge 5 ] || complain "$page: nothing quoted from $name"
		[[ $(cat "examples/$name.c") == *"$text"* ]] ||
			complain "$page, quote $nth: not so in examples/$name.c: $(grep -vxFf "examples/$name.c" <<<"$text")"
	done
done
exit $bad
