/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * object.c - the kernel's names for allocating and freeing cached objects: the
 * core of slub.h plus one event per object.
 */
#include "slab/cache.h"
#include "slab/kmalloc.h"
#include "slab/sampler.h"
#include "slab/watch.h"
#include "base/event.h"

static bool accounted(const struct kmem_cache *s, gfp_t gfp)
{
	return (gfp & __GFP_ACCOUNT) || (s->flags & SLAB_ACCOUNT);
}

static noinline void *alloc_watched(struct kmem_cache *s, gfp_t gfp, int nid, const void *call_site)
{
	const struct slab_request request = { gfp, nid, s->object_size, call_site };
	void *object = watch_alloc(s, &request);

	event_kmem_cache_alloc(call_site, object, s->name, s->object_size, s->size, gfp, nid, accounted(s, gfp));
	if (sample_on() && object)
		sampler_object(s, object, s->object_size, call_site);
	return object;
}

/* With nothing but the batch probe on it is the fast path and a record; all else is tail calls, without a frame here. */
static noinline void *alloc_traced(struct kmem_cache *s, gfp_t gfp, const void *call_site)
{
	void *object;

	if (unlikely(!trace_batch_only(TRACE_KMEM_CACHE_ALLOC) || !event_batch_plain(gfp) || s->flags & SLAB_ACCOUNT ||
		     !slub_pop(s, &object)))
		return alloc_watched(s, gfp, -1, call_site);
	return event_batch_alloc(call_site, object, KMEM_BATCH_CACHE_ALLOC, s->id, s->object_size);
}

static noinline void free_recorded_slow(struct kmem_cache *s, void *object, const void *call_site)
{
	event_batch_free_slow(call_site, object, KMEM_BATCH_CACHE_FREE, s->id);
	slub_free(s, object);
}

static noinline void free_watched_slow(struct kmem_cache *s, void *object, const void *call_site)
{
	event_kmem_cache_free(call_site, object, s->name);
	if (sample_on())
		sampler_object_gone(object, call_site);
	watch_free(s, object, call_site);
}

static noinline void free_watched(struct kmem_cache *s, void *object, const void *call_site)
{
	if (unlikely(!trace_batch_only(TRACE_KMEM_CACHE_FREE)))
		free_watched_slow(s, object, call_site);
	else if (unlikely(!event_batch_free(call_site, object, KMEM_BATCH_CACHE_FREE, s->id)))
		free_recorded_slow(s, object, call_site);
	else
		slub_free(s, object);
}

/* Behind a tail call: the return address is the program's. */
static noinline void *alloc_slow(struct kmem_cache *s, gfp_t gfp)
{
	if (trace_on(TRACE_KMEM_CACHE_ALLOC))
		return alloc_traced(s, gfp, __builtin_return_address(0));
	return slub_alloc_slow(s, gfp);
}

KMEM_API void *kmem_cache_alloc(struct kmem_cache *s, gfp_t gfp)
{
	void *object;

	if (unlikely(!slub_pop_dormant(s, TRACE_KMEM_CACHE_ALLOC, &object)))
		return alloc_slow(s, gfp);
	return unlikely(gfp & __GFP_ZERO) ? slub_zero(s, object) : object;
}

KMEM_API void *kmem_cache_alloc_node(struct kmem_cache *s, gfp_t gfp, int nid)
{
	const struct slab_request request = { gfp, nid, s->object_size, __builtin_return_address(0) };

	if ((gfp & __GFP_THISNODE) && nid >= s->nr_nodes)
		return NULL;
	if (trace_on(TRACE_KMEM_CACHE_ALLOC))
		return alloc_watched(s, gfp, nid, __builtin_return_address(0));
	return slub_alloc_request(s, &request);
}

static noinline void free_slow(struct kmem_cache *s, void *object)
{
	if (trace_on(TRACE_KMEM_CACHE_FREE))
		free_watched(s, object, __builtin_return_address(0));
	else
		slub_free_slow(s, object);
}

KMEM_API void kmem_cache_free(struct kmem_cache *s, void *object)
{
	if (likely(object) && unlikely(!slub_push_dormant(s, TRACE_KMEM_CACHE_FREE, object)))
		free_slow(s, object);
}

static noinline int alloc_bulk_watched(struct kmem_cache *s, gfp_t gfp, size_t size, void **p, const void *call_site)
{
	size_t i;

	for (i = 0; i < size; i++) {
		p[i] = alloc_watched(s, gfp, -1, call_site);
		if (p[i])
			continue;
		while (i-- > 0)
			free_watched(s, p[i], call_site);
		return 0;
	}
	return (int)size;
}

KMEM_API int kmem_cache_alloc_bulk(struct kmem_cache *s, gfp_t gfp, size_t size, void **p)
{
	if (trace_on(TRACE_KMEM_CACHE_ALLOC))
		return alloc_bulk_watched(s, gfp, size, p, __builtin_return_address(0));
	return slub_alloc_bulk(s, gfp, size, p) ? (int)size : 0;
}

KMEM_API void kmem_cache_free_bulk(struct kmem_cache *s, size_t size, void **p)
{
	size_t i;

	if (!s) {
		for (i = 0; i < size; i++)
			kfree_from(p[i], __builtin_return_address(0));
	} else if (trace_on(TRACE_KMEM_CACHE_FREE)) {
		for (i = 0; i < size; i++)
			if (p[i])
				free_watched(s, p[i], __builtin_return_address(0));
	} else {
		slub_free_bulk(s, size, p);
	}
}
