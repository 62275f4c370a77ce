/* SPDX-License-Identifier: BSD-2-Clause */
/* library.c - libkmem in the loops of loops.h: through calls, or inline with -DINLINE. */
#include <kmem/fastpath.h>
#include <kmem/slab.h>
#include <stdio.h>
#include <x86intrin.h>

#define PRINT(...)       printf(__VA_ARGS__)
#define TICKS()          __rdtsc()
#define HOLD()           ((void)0)
#define RELEASE()        ((void)0)

#ifdef INLINE
#define NAME             "inline"
#define ALLOC(s)         kmem_cache_alloc_inline(s, GFP_ATOMIC)
#define FREE(s, object)  kmem_cache_free_inline(s, object)
#else
#define NAME             "call"
#define ALLOC(s)         kmem_cache_alloc(s, GFP_ATOMIC)
#define FREE(s, object)  kmem_cache_free(s, object)
#endif

#include "loops.h"

int main(void)
{
	struct kmem_cache *s = kmem_cache_create("bench-64", 64, 0, SLAB_NO_MERGE, NULL);

	if (!s)
		return 1;
	run_loops(s);
	return 0;
}
