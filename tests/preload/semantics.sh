#!/usr/bin/env bash
# What a program may expect of malloc(): of glibc's, as a control, and of ours in all its ways of working.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${1:-build}
lib=$PWD/$build/libkmem-malloc.so
program=$PWD/$build/tests/preload/semantics
failed=0

# expect ALIGN VARIABLE=...: with the smallest blocks aligned to ALIGN
expect() {
	local align=$1 out
	shift
	out=$(env "$@" "$program" "$align" 2>&1) && [ "$out" = "semantics: 0 failures" ] || { echo "$*: $out"; failed=1; }
}

expect 16 MALLOC_CHECK_=0 # glibc
expect 16 LD_PRELOAD="$lib"
expect 8 LD_PRELOAD="$lib" KMEM_OPTIONS=malloc_align=8
for options in rseq=off guard=1 purge=now init_on_alloc=on,init_on_free=on nodes=2 merge=on sample=4096; do
	expect 16 LD_PRELOAD="$lib" KMEM_OPTIONS=$options
done
expect 16 LD_PRELOAD="$lib" MALLOC_PERTURB_=90
expect 16 LD_PRELOAD="$lib" KMEM_SLAB_DEBUG=FZPU

# That the option is what makes 8 byte blocks, and nothing else does.
out=$(LD_PRELOAD=$lib KMEM_OPTIONS=malloc_align=8,stats=on "$program" 8 2>&1 >/dev/null | grep -c '^malloc-8 ')
[ "$out" = 1 ] || { echo "malloc_align=8 makes no class of 8 bytes"; failed=1; }
out=$(LD_PRELOAD=$lib KMEM_OPTIONS=stats=on "$program" 2>&1 >/dev/null | grep -c '^malloc-8 ')
[ "$out" = 0 ] || { echo "a class of 8 bytes without malloc_align=8"; failed=1; }
exit $failed
