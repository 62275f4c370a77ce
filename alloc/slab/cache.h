/* SPDX-License-Identifier: BSD-2-Clause */
/* cache.h - the table of caches: creation, destruction, lookup by id, shrinking. */
#ifndef SLAB_CACHE_H
#define SLAB_CACHE_H

#include "slab/slub.h"

/* All caches by id; entry 0 is unused. */
extern KMEM_HIDDEN struct kmem_cache *cache_array;

/* Reserve the tables. Return: 0 or -ENOMEM. */
int cache_init(unsigned int nr_cpus);

static inline struct kmem_cache *cache_by_id(uint16_t id)
{
	return &cache_array[id];
}

/* Choices for caches to come: objects in random order. */
void cache_set_random_order(bool on);

/* Whether caches to come may be merged (slab/merge.h). */
void cache_set_merge(bool on);

/* Ids handed out so far: caches are cache_by_id(1 .. cache_count() - 1), some of them unused. */
unsigned int cache_count(void);

/* Next live cache after `s` (NULL: the first), in order of creation ids; NULL at the end. */
struct kmem_cache *cache_next(const struct kmem_cache *s);

/*
 * Call `change` for the live cache of this id, with the registry locked: it can
 * neither be destroyed nor drained meanwhile. Return: what it returned; -ENOENT.
 */
int cache_change(uint32_t id, int (*change)(struct kmem_cache *s, int64_t value), int64_t value);

/*
 * Objects per sheaf of one name from now on, 0 for no per-CPU slots. Registry locked, cache in use.
 * 0, -EINVAL or -ENOMEM; merged caches cannot do with slots that their nodes share.
 */
int cache_set_sheaf_capacity(struct kmem_cache *s, uint32_t capacity);

/* As kmem_cache_shrink(), with the registry locked. Return: slabs left. */
size_t cache_shrink_locked(struct kmem_cache *s);

/* Lock the registry unless somebody holds it: caches neither come nor go, nor are they drained. Return: whether. */
bool cache_registry_try(void);
void cache_registry_unlock(void);

/* Drain and shrink every cache. Return: slabs left. */
size_t cache_shrink_all(void);

/* The same for the page allocator when memory is short (page/reclaim.h); nothing when the registry is locked. */
size_t cache_reclaim(gfp_t gfp, unsigned int nid, unsigned int priority);

/* Around fork(): registry and node locks of every cache. */
void cache_lock_for_fork(void);
void cache_unlock_after_fork(bool child);

#endif
