/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * barn.h - full and empty sheaves of a node.
 *
 * A node keeps cache.barn_full full sheaves, as in the kernel, and as many more
 * as were missed: objects that go to slabs for want of room are a debt, and a
 * refill that finds no sheaf and has to ask the slabs turns a sheaf's worth of
 * debt into room for one sheaf. So a program that frees everything once gives
 * its memory back, and one that swings keeps its arrays. What nobody took for a
 * whole period (the fewest sheaves that there were in it) is given back, bit by
 * bit, and the room with it.
 *
 * All functions but those on sheaf memory need the node locked.
 */
#ifndef SLAB_BARN_H
#define SLAB_BARN_H

#include "slab/node.h"

/* Objects of a sheaf as pointers. */
static inline void **sheaf_objects(struct kmem_sheaf *sheaf)
{
	return (void **)(void *)sheaf->object;
}

/* Where full sheaf number i stands, below nr_full. */
static inline uint64_t *barn_entry(const struct kmem_cache_node *n, uint32_t i)
{
	struct kmem_cache_node *node = (struct kmem_cache_node *)(uintptr_t)n;

	return i < KMEM_BARN_SHEAVES ? &node->full[i] : (uint64_t *)(uintptr_t)n->more + (i - KMEM_BARN_SHEAVES);
}

static inline struct kmem_sheaf *barn_sheaf(const struct kmem_cache_node *n, uint32_t i)
{
	return (struct kmem_sheaf *)(uintptr_t)*barn_entry(n, i);
}

static inline bool barn_has_room(const struct kmem_cache *s, const struct kmem_cache_node *n)
{
	return n->nr_full < s->barn_full + n->learned && !n->closed;
}

/* The sheaf that came last (maybe not quite full), or NULL; one without objects, or NULL. */
struct kmem_sheaf *barn_get_full(struct kmem_cache_node *n);
struct kmem_sheaf *barn_get_empty(struct kmem_cache_node *n);

/* One object of a sheaf that keeps others; NULL when there is none. For those who may not free a sheaf. */
void *barn_take_object(struct kmem_cache_node *n);

/* Return: false when the barn has no room; the sheaf is still the caller's. */
bool barn_put(const struct kmem_cache *s, struct kmem_cache_node *n, struct kmem_sheaf *sheaf);

/* count objects went to slabs because there was no room; a refill found no sheaf and asked the slabs. */
void barn_lacks_room(struct kmem_cache_node *n, uint32_t count);
void barn_missed(const struct kmem_cache *s, struct kmem_cache_node *n);

/* At each refill and flush: end the period when it is over; give back one sheaf of those nobody took. */
void barn_age(const struct kmem_cache *s, struct kmem_cache_node *n, struct page **empty);

/*
 * Put the objects of up to max full sheaves into their slabs. With the last one the
 * barn forgets what it learned and gives up its empty sheaves. Return: whether it is empty.
 */
bool barn_drain(const struct kmem_cache *s, struct kmem_cache_node *n, uint32_t max, struct page **empty);

/*
 * Give back all full sheaves but those that were learned to be missed; when none were,
 * the barn takes no more, until objects are taken out of slabs again.
 */
void barn_trim(const struct kmem_cache *s, struct kmem_cache_node *n, struct page **empty);

/* Sheaf memory: reserve it once; allocate and free. No lock needed. NULL when out of memory. */
int sheaf_init(void);
void *sheaf_memory(size_t bytes);
struct kmem_sheaf *sheaf_alloc(uint32_t capacity);
void sheaf_free(struct kmem_sheaf *sheaf);
void sheaf_after_fork(void);

#endif
