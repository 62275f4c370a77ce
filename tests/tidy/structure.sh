#!/usr/bin/env bash
# Structure: layers by the linker, no ring of files, same-named tests, headers that stand alone, nothing generated in git.
set -u
build=${1:-build}
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
bad=0
complain() { echo "tidy: $*"; bad=1; }

layers=(base text page slab pool entry)
objects() { for layer in "$@"; do find "$build/obj/alloc/$layer" -name '*.o' ! -name 'malloc*.o' ! -name new.o ! -name delete.o 2>/dev/null; done; }

# 1. Each layer links with those to its left and nothing else: an upward call is named by the linker.
for ((i = 0; i < ${#layers[@]}; i++)); do
	mapfile -t objs < <(objects "${layers[@]:0:i+1}")
	cc -shared -Wl,-z,defs -o "$work/layer.so" "${objs[@]}" 2>"$work/err" ||
		complain "layer ${layers[i]} calls upward: $(grep -m1 'undefined reference' "$work/err")"
done

# 2. No upward include.
for ((i = 0; i < ${#layers[@]}; i++)); do
	for ((j = i + 1; j < ${#layers[@]}; j++)); do
		grep -nE "#include \"${layers[j]}/" alloc/"${layers[i]}"/*.[ch] 2>/dev/null &&
			complain "alloc/${layers[i]} includes alloc/${layers[j]}"
	done
done
grep -nE '#include .*(alloc/|"(base|page|slab|pool|entry)/)' -r tools bpf 2>/dev/null &&
	complain "tools take more than kmem/observe.h and text/ from alloc/"
# lab_kmem.c is a program that uses the library.
grep -rhoE --exclude=lab_kmem.c '#include <kmem/[a-z]+\.h>' tools bpf 2>/dev/null | sort -u | grep -v 'kmem/observe.h' &&
	complain "tools take more than kmem/observe.h from alloc/"
grep -nE '#include ("(page|slab|pool|entry)/|<kmem/)' alloc/text/*.[ch] | grep -v 'kmem/observe.h' &&
	complain "alloc/text takes more than kmem/observe.h: tools carry it"

# 3. No ring of files that call each other: tsort finds loops.
for o in $(objects "${layers[@]}"); do
	nm "$o" | awk -v o="$(basename "$o" .o)" '
		$2 ~ /[TDBRV]/ && NF == 3 { print "d", $3, o } $1 == "U" { print "u", $2, o }'
done >"$work/symbols"
awk '$1 == "d" { def[$2] = $3 } $1 == "u" { use[$2 " " $3] = 1 }
	END { for (k in use) { split(k, a, " "); if (a[1] in def && def[a[1]] != a[2]) print a[2], def[a[1]] } }' \
	"$work/symbols" | sort -u >"$work/edges"
tsort "$work/edges" >/dev/null 2>"$work/err" || complain "files call each other in a ring: $(grep -v 'input contains' "$work/err" | tr '\n' ' ')"

# 4. Every source has its test at the same path.
for source in alloc/*/*.c; do
	test=tests/${source#alloc/}
	[ -e "$test" ] || [ -e "${test%.c}.sh" ] || complain "$source has no $test"
done
for source in tools/*/*.c; do
	[ "$(basename "$source")" = main.c ] && continue
	test=tests/${source#tools/}
	[ -e "$test" ] || [ -e "${test%.c}.sh" ] || complain "$source has no $test"
done
for source in bpf/*.bpf.c; do
	test=tests/bpf/$(basename "$source" .bpf.c)
	[ -e "$test.c" ] || [ -e "$test.sh" ] || complain "$source has no $test.sh"
done

# 5. Headers compile alone; the public ones also as C++ and without our flags.
for header in alloc/*/*.h tools/*/*.h; do
	case $header in alloc/include/*) continue ;; esac
	echo "#include \"$PWD/$header\"" | cc -fsyntax-only -std=gnu11 -D_GNU_SOURCE -Ialloc/include -Ialloc -Itools -Ibpf \
		-x c - 2>"$work/err" || complain "$header does not compile alone: $(head -n 1 "$work/err")"
done
for header in alloc/include/kmem/*.h; do
	name=kmem/$(basename "$header")
	echo "#include <$name>" | cc -fsyntax-only -std=gnu11 -Wall -Wextra -Werror -Ialloc/include -x c - 2>"$work/err" ||
		complain "$name does not compile alone: $(head -n 1 "$work/err")"
	command -v g++ >/dev/null || continue
	echo "#include <$name>" | g++ -fsyntax-only -Wall -Wextra -Werror -Ialloc/include -x c++ - 2>"$work/err" ||
		complain "$name does not compile as C++: $(head -n 1 "$work/err")"
done

# 6. The allocator's variables are all in the section that a leak scan leaves out.
for o in $(objects "${layers[@]}"); do
	objdump -t "$o" | awk -v o="$o" '$0 ~ / O \.(data|bss)/ && $0 !~ /rel\.ro/ { print "tidy: " o ": variable " $NF " lacks KMEM_STATE" }'
done >"$work/variables"
[ -s "$work/variables" ] && { cat "$work/variables"; bad=1; }

# 7. Nothing generated or binary in git, nothing left undone.
if git rev-parse --git-dir >/dev/null 2>&1; then
	git ls-files | grep -E '\.(o|so|a|skel\.h)$|^build/|vmlinux_' && complain "generated files in git"
	git grep -IlE '\b(TO''DO|FIX''ME|X''XX)\b' -- alloc bpf tools vmlinux bench examples tests docs Makefile && complain "unfinished business"
	git ls-files -z | xargs -0 grep -lIP '\x00' 2>/dev/null && complain "binary files in git"
fi

# 8. What stands out in size: printed, not judged.
find alloc bpf tools bench examples -name '*.[ch]' -exec wc -l {} + | awk '$2 != "total" && $1 > 600 { print "size: " $2 " has " $1 " lines" }'
if command -v ctags >/dev/null; then
	ctags -x --c-kinds=f --fields=+e -R alloc tools 2>/dev/null | head -n 0
fi
exit $bad
