#!/usr/bin/env bash
# What the libraries export is what the golden list says; a program's own names cannot replace hidden ones.
# To change the interface on purpose: tests/abi/symbols.sh build --update
set -u
build=$1
cd "$(dirname "$0")/../.." || exit 1
golden=tests/abi/libkmem.symbols
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
fail() { echo "FAIL: $*"; exit 1; }

exported() { nm -D --defined-only "$1" | awk '$2 ~ /[TDBRVW]/ { sub(/@.*/, "", $3); print $3 }' | grep -v '^KMEM_' | sort -u; }

exported "$build/libkmem.so.0" >"$work/so"
[ "${2:-}" = --update ] && cp "$work/so" $golden
diff $golden "$work/so" || fail "libkmem.so exports something else than $golden"

promised() { # what the public headers declare with KMEM_API
	for header in alloc/include/kmem/*.h; do echo "#include <kmem/$(basename "$header")>"; done |
		cc -E -P -Ialloc/include -x c - | tr '\n' ' ' | sed 's/[;}]/&\n/g' | grep 'visibility("default")' |
		sed -E 's/__attribute__ ?\(\(([^()]|\([^()]*\))*\)\)//g; s/^[^(]*[ *]([A-Za-z_0-9]+) *\(.*/\1/; s/.*[ *]([A-Za-z_0-9]+) *;.*/\1/' |
		sort -u
}

promised | diff - "$work/so" || fail "the headers declare other functions with KMEM_API than libkmem.so exports"

# The preloaded library: the same, and the malloc family.
# The names themselves are compared with glibc's and the C++ library's in tests/preload/symbols.sh.
{ cat $golden; grep -v '/\*' alloc/malloc.symbols | tr -d '\t\n ' | tr ';' '\n'; } | sort -u >"$work/want"
exported "$build/libkmem-malloc.so" >"$work/malloc"
diff "$work/want" "$work/malloc" || fail "libkmem-malloc.so exports something else"

# The archive: one object, with the same global names and no others but the headers' own.
nm --defined-only --extern-only "$build/libkmem.a" | awk 'NF == 3 && $2 ~ /[TDBRV]/ { print $3 }' | sort -u >"$work/a"
diff $golden "$work/a" || fail "libkmem.a exports something else"
readelf -nW "$build/libkmem.a" 2>/dev/null | grep -q 'Provider: kmem' || fail "libkmem.a has lost its probes"

cat >"$work/hijack.c" <<'C'
#include <kmem/slab.h>
#include <stdlib.h>
void *buddy_take(void) { abort(); }
void *slub_alloc_slow(void) { abort(); }
void os_commit(void) { abort(); }
int main(void) { kfree(kmalloc(64, GFP_KERNEL)); return 0; }
C
cc -o "$work/hijack" "$work/hijack.c" -Ialloc/include "$build/libkmem.a" -pthread || fail "cannot link with libkmem.a"
"$work/hijack" || fail "a program's own names replaced hidden ones"

# soname and version
readelf -d "$build/libkmem.so.0" | grep -q 'soname: \[libkmem.so.0\]' || fail "soname"
nm -D "$build/libkmem.so.0" | grep -q ' kmalloc@@KMEM_0.1' || fail "symbol version"
