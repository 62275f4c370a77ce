#!/usr/bin/env bash
# The compat headers: each stands alone, hides none of the system's, and serves kernel code without a warning;
# the sizes that allocation functions promise are known to the compiler.
set -u
. "$(dirname "$0")/lib.bash"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
strict=(-Wall -Wextra -Werror)

compile() { # NAME SOURCE FLAG...: a program in $work
	local name=$1 source=$2
	shift 2
	cc "${strict[@]}" -g "${sanitize[@]}" "${compat[@]}" "$@" -o "$work/$name" "$source" \
		-L"$build" -lkmem -Wl,-rpath,"$build" || fail "$source does not compile ($*)"
}

for header in alloc/include/compat/linux/*.h alloc/include/compat/linux/*/*.h; do
	[ -e "$header" ] || continue
	name=${header#alloc/include/compat/}
	for system in /usr/include "/usr/include/$(cc -print-multiarch)"; do
		[ -e "$system/$name" ] && fail "$name hides $system/$name"
	done
	echo "#include <$name>" | cc -fsyntax-only -std=gnu11 "${strict[@]}" "${compat[@]}" -x c - || fail "$name alone"
	echo "#include <$name>" | g++ -fsyntax-only "${strict[@]}" "${compat[@]}" -x c++ - || fail "$name alone, C++"
	use=${name#linux/} use=${use%.h}
	use=tests/compat/use/${use//\//_}.c
	[ -e "$use" ] || fail "$name has no program $use"
	for std in gnu11 gnu17; do
		compile use "$use" -std=$std -O2
		"$work/use" || fail "$use ends with $?"
	done
done

for level in 2 3; do
	compile sizes tests/compat/fortify/sizes.c -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$level
	"$work/sizes" || fail "_FORTIFY_SOURCE=$level"
done
if [ ${#sanitize[@]} -eq 0 ]; then
	compile overflow tests/compat/fortify/overflow.c -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
	"$work/overflow" 40 || fail "40 of 40 bytes"
	(ulimit -c 0; "$work/overflow" 41) 2>"$work/err" && fail "41 of 40 bytes went unnoticed"
	grep -q 'buffer overflow detected' "$work/err" || fail "41 of 40 bytes: $(cat "$work/err")"
fi
exit 0
