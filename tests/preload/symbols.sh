#!/usr/bin/env bash
# What libkmem-malloc.so puts in the place of others: every allocation function that glibc exports, every operator of
# the C++ library; those left out are named here with the reason. And nothing is left half replaced.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${1:-build}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0
exported() { nm -D --defined-only "$1" | awk '$2 ~ /[TWVBDi]/ { sub(/@.*/, "", $3); print $3 }' | sort -u; }
library() { LD_TRACE_LOADED_OBJECTS=1 "$1" | awk -v n="$2" 'index($1, n) == 1 { print $3; exit }'; }
loaded=$build/tests/preload/operators

left_out() { # name -> why; empty when it is not left out
	case $1 in
	# Hooks of old programs: since glibc 2.34 variables that nobody reads.
	__malloc_hook | __free_hook | __realloc_hook | __memalign_hook | __malloc_initialize_hook | __after_morecore_hook | \
		__morecore | __default_morecore | mallwatch) echo "nobody reads it" ;;
	# Of libc_malloc_debug.so, which is its own malloc(): without that they do nothing. Here: KMEM_SLAB_DEBUG, slabscope.
	mcheck | mcheck_check_all | mcheck_pedantic | mprobe | mtrace | muntrace) echo "does nothing" ;;
	# Not about the heap, or of what glibc allocated itself.
	__libc_freeres | __libc_reallocarray | __libc_alloc* | __libc_scratch*) echo "private" ;;
	# Forms with nothrow are the C++ library's: they call those without, and catch.
	_Z*RKSt9nothrow_t) echo "ends in ours" ;;
	esac
}

exported "$build/libkmem-malloc.so" >"$work/ours"
{
	exported "$(library "$loaded" libc.so)" | grep -xE \
		'(__libc_)?(malloc|calloc|realloc|reallocarray|free|cfree|memalign|aligned_alloc|posix_memalign|valloc|pvalloc|mall[a-z0-9_]*)|__(malloc|free|realloc|memalign|after_morecore)_.*hook|__(default_)?morecore|__malloc_initialize_hook|mcheck.*|mprobe|m?u?n?trace|__libc_freeres|__libc_alloc.*|__libc_scratch.*'
	exported "$(library "$loaded" libstdc++)" | grep -E '^_Z(nw|na|dl|da)'
	# C23, not yet in glibc.
	echo free_sized
	echo free_aligned_sized
} >"$work/wanted"
[ "$(wc -l <"$work/wanted")" -gt 45 ] || { echo "only $(wc -l <"$work/wanted") names were found to compare with"; failed=1; }
while read -r name; do
	why=$(left_out "$name")
	if grep -qx -- "$name" "$work/ours"; then
		[ -z "$why" ] || { echo "$name is left out ($why), but there"; failed=1; }
	else
		[ -n "$why" ] || { echo "$name is glibc's or the C++ library's"; failed=1; }
	fi
done <"$work/wanted"

# The dynamic linker's word: a program's references go to the library, and no malloc() of glibc is bound by anybody.
LD_BIND_NOW=1 LD_DEBUG=bindings LD_PRELOAD=$PWD/$build/libkmem-malloc.so "$loaded" 2>&1 |
	grep -v 'binding file [^ ]*libkmem-malloc' | # which asks for the C++ library's operator new when memory is out
	sed -nE 's/.*binding file [^ ]+ \[0\] to ([^ ]+) .*symbol `([^'"'"']+)'"'"'.*/\2 \1/p' | sort -u >"$work/bound"
for name in malloc free calloc realloc _Znwm _ZdlPv; do
	grep -q "^$name .*libkmem-malloc" "$work/bound" || { echo "$name is bound to nothing of ours"; failed=1; }
	grep -E "^$name " "$work/bound" | grep -v libkmem-malloc && { echo "$name is also bound to the above"; failed=1; }
done
exit $failed
