/* SPDX-License-Identifier: BSD-2-Clause */
/* nolock.c - kmalloc() for any context, signal handlers included; see kmem/slab.h. */
#include "base/report.h"
#include "slab/kmalloc.h"

#define NOLOCK_GFP (__GFP_ACCOUNT | __GFP_ZERO)

KMEM_API void *kmalloc_nolock(size_t size, gfp_t gfp, int nid)
{
	struct kmem_cache *s;
	void *object;

	(void)nid;
	if (!size)
		return ZERO_SIZE_PTR;
	if ((gfp & ~NOLOCK_GFP) || size > KMALLOC_MAX_CACHE_SIZE)
		return NULL;
	s = kmalloc_cache(size, gfp);
	object = slub_alloc_try(s);
	/* The interrupted thread may be the one that has this class's lock: try the next. */
	if (!object && s->size < KMALLOC_MAX_CACHE_SIZE) {
		s = kmalloc_cache(s->size + 1, gfp);
		object = slub_alloc_try(s);
	}
	return object && (gfp & __GFP_ZERO) ? memset(object, 0, s->object_size) : object;
}

KMEM_API void kfree_nolock(const void *p)
{
	uint16_t id = arena_contains(p) ? READ_ONCE(*addr_to_id(p)) : KMEM_ID_NONE;

	if (ZERO_OR_NULL_PTR(p))
		return;
	if (id - 1u < KMEM_ID_MAX - 1u)
		slub_free_try(cache_by_id(id), (void *)(uintptr_t)p);
	else
		report_bug("BUG: kfree_nolock(%p): not an object of kmalloc_nolock()", p);
}
