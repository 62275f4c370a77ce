#!/usr/bin/env bash
# Beginnings and ends of programs, threads and libraries; glibc's malloc() as a control.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${1:-build}
lib=$PWD/$build/libkmem-malloc.so
bin=$build/tests/preload
failed=0

for way in "" "LD_PRELOAD=$lib" "LD_PRELOAD=$lib KMEM_OPTIONS=rseq=off" "LD_PRELOAD=$lib KMEM_OPTIONS=guard=1,purge=now" \
	"LD_PRELOAD=$lib KMEM_SLAB_DEBUG=FZPU"; do
	for end in "" pthread_exit; do
		# shellcheck disable=SC2086 # words
		out=$(env $way timeout 60 "$bin/life" "$bin/plugin.so" $end 2>&1) && [ "$out" = "life: 0 failures" ] ||
			{ echo "$way life $end: $out (exit status $?)"; failed=1; }
	done
done

# The library itself may be loaded late, and asked for its functions: it shares no memory with glibc's.
cat >"$bin/late.c" <<'C'
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv)
{
	char *own = malloc(100);
	void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
	void *(*late_malloc)(size_t) = library ? (void *(*)(size_t))dlsym(library, "malloc") : NULL;
	void (*late_free)(void *) = library ? (void (*)(void *))dlsym(library, "free") : NULL;
	char *p;

	if (!late_malloc || !late_free)
		return 2;
	strcpy(own, "own");
	p = late_malloc(5000);
	memset(p, 1, 5000);
	late_free(p);
	free(own);
	return dlclose(library);
}
C
${CC:-cc} -w -O1 -o "$bin/late" "$bin/late.c" && "$bin/late" "$lib" || { echo "dlopen() of the library: exit status $?"; failed=1; }
rm -f "$bin/late" "$bin/late.c"
exit $failed
