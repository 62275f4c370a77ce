#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# symbols.sh - names of functions and lines where the program is no more: moved away, stripped, its debug file elsewhere.
#
# usage: symbols.sh BUILD-FOLDER     exit 0 pass, 1 fail, 77 skip
set -u
build=$1
. tests/kmemtrace/lib.bash
need_bpf

cat >"$work/program.c" <<'END'
#include <kmem/slab.h>
static inline __attribute__((always_inline)) void *inlined_in(int n)
{
	return kmalloc(100 + n, GFP_KERNEL);
}
__attribute__((noinline)) void *allocate_here(int n)
{
	void *p = inlined_in(n);
	__asm__ volatile("" ::: "memory");
	return p;
}
int main(void)
{
	for (int i = 0; i < 1000; i++)
		kfree(allocate_here(i % 100));
	return 0;
}
END
cc -O2 -g -fno-omit-frame-pointer -Wl,--build-id -Ialloc/include -o "$work/program" "$work/program.c" -L"$build" -lkmem \
	-Wl,-rpath,"$PWD/$build" 2>"$work/err" || fail "compiler"
mkdir -p "$work/debug/.build-id" "$work/debug2"
id=$(readelf -n "$work/program" | sed -n 's/.*Build ID: //p')
mkdir -p "$work/debug/.build-id/${id:0:2}"
objcopy --only-keep-debug "$work/program" "$work/debug/.build-id/${id:0:2}/${id:2}.debug"

says() { # WORDS OPTIONS...
	local words=$1
	shift
	"$tool" report --by site --limit 50 "$@" "$work/t.kmt" >"$work/out" 2>"$work/err" || fail "report $*"
	grep -q -- "$words" "$work/out" || { cat "$work/out"; fail "no '$words' with $*"; }
}
record() { "$tool" record -q --force -o "$work/t.kmt" -c -- "$work/program" 2>"$work/err" || fail "record"; }

record
says 'inlined_in'
# The debug file, as of a package.
strip "$work/program"
record
says 'program+0x'
says 'inlined_in' --debug-dir "$work/debug"
says 'program.c' --debug-dir "$work/debug"
# The program is gone: by build-id all the same.
mv "$work/program" "$work/gone"
says 'inlined_in' --debug-dir "$work/debug"
says 'program+0x'
# Another program in its place is not taken for it.
cp /bin/true "$work/program"
says 'program+0x'
cp "$work/gone" "$work/debug2/program"
says 'program+0x' --debug-dir "$work/debug2"
says 'inlined_in' --debug-dir "$work/debug"
