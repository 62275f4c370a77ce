/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * object.c - the kernel's names for allocating and freeing cached objects: the
 * core of slub.h plus one event per object.
 */
#include "slab/cache.h"
#include "slab/kmalloc.h"
#include "base/trace.h"

static noinline void *alloc_traced(struct kmem_cache *s, gfp_t gfp, const void *call_site)
{
	void *object = slub_alloc(s, gfp);

	trace_kmem_cache_alloc(call_site, object, s->name, s->object_size, s->size, gfp, -1,
			       (gfp & __GFP_ACCOUNT) || (s->flags & SLAB_ACCOUNT));
	return object;
}

static noinline void free_traced(struct kmem_cache *s, void *object, const void *call_site)
{
	if (!object)
		return;
	trace_kmem_cache_free(call_site, object, s->name);
	slub_free(s, object);
}

KMEM_API void *kmem_cache_alloc(struct kmem_cache *s, gfp_t gfp)
{
	if (trace_on(TRACE_KMEM_CACHE_ALLOC))
		return alloc_traced(s, gfp, __builtin_return_address(0));
	return slub_alloc(s, gfp);
}

KMEM_API void *kmem_cache_alloc_node(struct kmem_cache *s, gfp_t gfp, int nid)
{
	if (nid > 0 && (gfp & __GFP_THISNODE))
		return NULL;
	if (trace_on(TRACE_KMEM_CACHE_ALLOC))
		return alloc_traced(s, gfp, __builtin_return_address(0));
	return slub_alloc(s, gfp);
}

KMEM_API void kmem_cache_free(struct kmem_cache *s, void *object)
{
	if (trace_on(TRACE_KMEM_CACHE_FREE))
		free_traced(s, object, __builtin_return_address(0));
	else if (likely(object))
		slub_free(s, object);
}

KMEM_API int kmem_cache_alloc_bulk(struct kmem_cache *s, gfp_t gfp, size_t size, void **p)
{
	size_t i;

	if (!slub_alloc_bulk(s, gfp, size, p))
		return 0;
	if (trace_on(TRACE_KMEM_CACHE_ALLOC))
		for (i = 0; i < size; i++)
			trace_kmem_cache_alloc(__builtin_return_address(0), p[i], s->name, s->object_size,
					       s->size, gfp, -1, (gfp & __GFP_ACCOUNT) != 0);
	return (int)size;
}

KMEM_API void kmem_cache_free_bulk(struct kmem_cache *s, size_t size, void **p)
{
	size_t i;

	if (!s) {
		for (i = 0; i < size; i++)
			kfree_from(p[i], __builtin_return_address(0));
		return;
	}
	if (trace_on(TRACE_KMEM_CACHE_FREE))
		for (i = 0; i < size; i++)
			trace_kmem_cache_free(__builtin_return_address(0), p[i], s->name);
	slub_free_bulk(s, size, p);
}
