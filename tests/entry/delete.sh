#!/usr/bin/env bash
# Sized delete: checked in debug caches, otherwise a plain free; and a program's own operator delete is called.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${1:-build}
lib=$PWD/$build/libkmem-malloc.so
program=$build/tests/preload/misuse
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0
fail() { echo "$1"; failed=1; }

for name in sized_delete sized_delete_array sized_free sized_right; do
	out=$(LD_PRELOAD=$lib "$program" $name 2>&1)
	[ "$out" = survived ] || fail "$name without debugging: $out"
done
out=$(KMEM_SLAB_DEBUG=FZPU LD_PRELOAD=$lib "$program" sized_delete 2>&1)
grep -q 'Wrong size in a sized free: 48, but 40 bytes were asked for' <<<"$out" || fail "sized_delete: $out"
out=$(KMEM_SLAB_DEBUG=FZPU LD_PRELOAD=$lib "$program" sized_right 2>&1)
[ "$out" = survived ] || fail "sized_right: $out"

# The program's operator delete(void *), which knows what to do with the pointer of its own operator new.
cat >"$work/own.c" <<'END'
#include <stdio.h>
#include <stdlib.h>
void plain(void *p) __asm__("_ZdlPv");
void sized(void *p, size_t size) __asm__("_ZdlPvm");
void plain(void *p) { puts("own"); free((char *)p - 16); }
int main(void) { sized((char *)malloc(64) + 16, 40); return 0; }
END
${CC:-cc} -w -O0 -rdynamic -o "$work/own" "$work/own.c" "$lib" -Wl,-rpath,"${lib%/*}" || fail "own.c does not build"
out=$("$work/own" 2>&1)
[ "$out" = own ] || fail "a program's own operator delete: $out"
exit $failed
