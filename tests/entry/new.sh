#!/usr/bin/env bash
# C++'s operators: natively, preloaded, with debug caches, in a plugin of a C program, and next to a program's own.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${1:-build}
lib=$PWD/$build/libkmem-malloc.so
bin=$build/tests/preload
failed=0

# expect WORDS COMMAND...
expect() {
	local want=$1 out
	shift
	out=$("$@" 2>&1) && [ "$out" = "$want" ] || { echo "$*: $out"; failed=1; }
}

for way in "" "LD_PRELOAD=$lib" "LD_PRELOAD=$lib KMEM_SLAB_DEBUG=FZPU" "LD_PRELOAD=$lib KMEM_OPTIONS=rseq=off"; do
	# shellcheck disable=SC2086 # words
	{
		expect "operators: 0 failures" env $way "$bin/operators"
		expect "operators: 0 failures" env $way "$bin/load_plugin" "$bin/operators.so"
		expect "6 news, 6 deletes" env $way "$bin/operators_own"
	}
done

# libstdc++ 12 itself gets this one wrong: rounded up to the alignment, the size is 0.
cat >"$build/tests/preload/wrap.cc" <<'C'
#include <cstdio>
#include <new>
int main()
{
	size_t size = (size_t)-15;
	__asm__("" : "+r"(size));
	try { operator delete(operator new(size, std::align_val_t{ 64 }), std::align_val_t{ 64 }); } catch (const std::bad_alloc &) { puts("bad_alloc"); }
}
C
${CXX:-c++} -std=c++17 -O1 -w -o "$bin/wrap" "$bin/wrap.cc" && expect bad_alloc env LD_PRELOAD="$lib" "$bin/wrap"
rm -f "$bin/wrap" "$bin/wrap.cc"
exit $failed
