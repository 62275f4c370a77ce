/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slot.h - moving many objects into or out of a per-CPU slot at once.
 *
 * The same critical sections as kmem/fastpath.h, with a copy loop before the
 * one store that makes the change. What moves is either allocated and freed
 * (the counter of allocations follows) or refilled and flushed (net follows).
 */
#ifndef SLAB_SLOT_H
#define SLAB_SLOT_H

#include <kmem/fastpath.h>

#include "base/percpu.h"

/* Allocate up to max (> 0) objects from the running CPU's slot. Return: how many. */
uint32_t slot_alloc_many(const struct kmem_cache *s, void **object, uint32_t max);

/* Free up to count (> 0) objects into it. Return: how many found room. */
uint32_t slot_free_many(const struct kmem_cache *s, void **object, uint32_t count);

/* Take up to max objects out of it for a sheaf or slabs. */
uint32_t slot_flush(const struct kmem_cache *s, void **object, uint32_t max);

/* Put up to count objects from a sheaf or slabs into it. */
uint32_t slot_refill(const struct kmem_cache *s, void **object, uint32_t count);

/* Replace the word of `slot`, if it is the running CPU's and its word as expected. Return: whether. */
bool slot_replace(const struct kmem_cache *s, const struct kmem_slot *slot, uint64_t expected, uint64_t word);

/* The same on a slot that a lock protects, as plain code. */
uint32_t slot_locked_alloc(struct kmem_slot *slot, void **object, uint32_t max);
uint32_t slot_locked_free(struct kmem_slot *slot, void **object, uint32_t count);
uint32_t slot_locked_flush(struct kmem_slot *slot, void **object, uint32_t max);
uint32_t slot_locked_refill(struct kmem_slot *slot, void **object, uint32_t count);

/*
 * From now on the cache's slot on CPU 0 is this one, for every way of finding it:
 * by the cache, by its id, by size. Who is inside the old one is up to the caller.
 */
void slot_point(struct kmem_cache *s, uint64_t slot);

/* nr words that shall follow; they do at once. For good: the cache is never destroyed. */
void slot_follow(struct kmem_cache *s, uint64_t *hot, uint32_t nr);

/* Bytes of a slot that holds `capacity` objects. */
static inline size_t slot_bytes(uint32_t capacity)
{
	return sizeof(struct kmem_slot) + capacity * sizeof(uint64_t);
}

#endif
