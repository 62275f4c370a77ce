/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slub.h - allocation and free of cached objects: the core, without probes.
 *
 *   object <- slot of the running CPU          kmem/fastpath.h   1 ns
 *             | empty: full sheaf of the barn  slub.c            one lock per sheaf
 *             | none: bits of partial slabs    node.c, slab.c
 *             | none: a new slab               slab.c, page/
 *
 * Free is the way back: slot, barn, slabs, page allocator.
 */
#ifndef SLAB_SLUB_H
#define SLAB_SLUB_H

#include "slab/node.h"
#include "slab/slot.h"

/* The slow halves. slub_alloc_slow() clears nothing. */
void *slub_alloc_slow(struct kmem_cache *s, gfp_t gfp);
void slub_free_slow(struct kmem_cache *s, void *object);

/* __GFP_ZERO: clear object_size bytes, unless a constructor's state is in them. */
void slub_zero(const struct kmem_cache *s, void *object);

/* Slot of a CPU in the current region of a cache. */
static inline struct kmem_slot *slot_of(const struct kmem_cache *s, unsigned int cpu)
{
	return (struct kmem_slot *)(uintptr_t)(READ_ONCE(s->percpu) + ((uint64_t)cpu << KMEM_PERCPU_SHIFT));
}

/* One object, cleared with __GFP_ZERO. NULL when out of memory. */
static force_inline void *slub_alloc(struct kmem_cache *s, gfp_t gfp)
{
	void *object;

	if (unlikely(!kmem_slot_pop(s, percpu_id_offset, &object))) {
		object = slub_alloc_slow(s, gfp);
		if (!object)
			return NULL;
	}
	if (unlikely(gfp & __GFP_ZERO))
		slub_zero(s, object);
	return object;
}

static force_inline void slub_free(struct kmem_cache *s, void *object)
{
	if (unlikely(!kmem_slot_push(s, percpu_id_offset, object)))
		slub_free_slow(s, object);
}

/* size objects or none. */
bool slub_alloc_bulk(struct kmem_cache *s, gfp_t gfp, size_t size, void **object);
void slub_free_bulk(struct kmem_cache *s, size_t size, void **object);

/*
 * Empty every slot and the barn of a cache into its slabs, and fold the slots'
 * counters into the cache. Caller holds the registry lock.
 */
void slub_drain(struct kmem_cache *s);

#endif
