/* SPDX-License-Identifier: BSD-2-Clause */
/* dump.c - what is known about an address; see kmem_dump_obj() in kmem/slab.h. */
#include "base/report.h"
#include "slab/cache.h"
#include "slab/debug.h"
#include "slab/debug_report.h"

/* The object that holds p; NULL for padding, metadata and what is behind the last object. */
static void *object_of(const struct kmem_cache *s, const struct page *slab, const void *p)
{
	uint32_t index = slab_object_index(s, slab, p);
	void *object = index < slab->objects ? slab_object(s, slab, index) : NULL;

	return object && (uintptr_t)p - (uintptr_t)object < s->object_size ? object : NULL;
}

KMEM_API bool kmem_valid_obj(const void *p)
{
	const struct page *slab = slab_of(p);
	const struct kmem_cache *s = slab ? cache_by_id(slab->cache_id) : NULL;

	return s && object_of(s, slab, p) && slab_object_taken(s, slab, p);
}

KMEM_API bool kmem_dump_obj(const void *p)
{
	struct page *slab = slab_of(p);
	struct kmem_cache *s;
	void *object;

	if (!slab)
		return false;
	s = cache_by_id(slab->cache_id);
	object = object_of(s, slab, p);
	if (!object) {
		report("%p: slab %s start %p size %u: not inside an object", p, s->name, page_to_addr(slab), s->size);
		return true;
	}
	report("%p: %sslab %s start %p pointer offset %zu size %u", p,
	       slab_object_taken(s, slab, object) ? "" : "free ", s->name, object,
	       (size_t)((uintptr_t)p - (uintptr_t)object), s->object_size);
	if (debug_cache(s)) {
		node_lock(node_of(s, 0));
		debug_tracks(s, object);
		node_unlock(node_of(s, 0));
	}
	return true;
}
