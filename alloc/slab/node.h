/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * node.h - what a cache keeps on a node: partial slabs (the barn of sheaves: slab/barn.h).
 *
 * All functions need the node locked, unless they say otherwise. Empty slabs
 * beyond min_partial are collected by the caller and released after unlock:
 * no system call is made under the lock.
 */
#ifndef SLAB_NODE_H
#define SLAB_NODE_H

#include "slab/slab.h"

/* Nodes of all caches; node_of() is the only way in. */
extern KMEM_HIDDEN struct kmem_cache_node *node_array;

static inline struct kmem_cache_node *node_of(const struct kmem_cache *s, unsigned int nid)
{
	return &node_array[(size_t)s->root_id * s->nr_nodes + nid];
}

/*
 * Counters of what a name did on a node: those of a cache's own node, which an
 * alias (slab/merge.h) uses for nothing else. Under the lock of `n`, like all of it.
 */
static inline struct kmem_node_stat *counters_of(const struct kmem_cache *s, struct kmem_cache_node *n)
{
	return &n[((ptrdiff_t)s->id - (ptrdiff_t)s->root_id) * s->nr_nodes].stat;
}

/* The cache whose slabs `s` uses, mostly itself; and from there all that use them. The registry lock keeps the chain. */
static inline struct kmem_cache *root_of(struct kmem_cache *s)
{
	return s + ((ptrdiff_t)s->root_id - (ptrdiff_t)s->id);
}

static inline struct kmem_cache *next_alias(struct kmem_cache *s)
{
	return s->next_alias ? s + ((ptrdiff_t)s->next_alias - (ptrdiff_t)s->id) : NULL;
}

/* Where a slab belongs. A debug cache has all its slabs on node 0. */
static inline struct kmem_cache_node *node_of_slab(const struct kmem_cache *s, const struct page *slab)
{
	return node_of(s, slab_node(s, slab));
}

/* n: node 0 of a cache; its lock is that of all nodes. */
static inline void node_lock(struct kmem_cache_node *n)
{
	lock_acquire(&n->lock, LOCK_NODE);
	seq_begin(&n->seq);
}

static inline void node_unlock(struct kmem_cache_node *n)
{
	seq_end(&n->seq);
	lock_release(&n->lock, LOCK_NODE);
}

/* Put a new slab on the partial list. */
void node_add_slab(const struct kmem_cache *s, struct page *slab);

/* The slab that node_take() would take from first; NULL when none is partial. */
static inline struct page *node_first_partial(const struct kmem_cache_node *n)
{
	return n->partial_head ? page_at(n->partial_head) : NULL;
}

/* Take a free object of a partial slab. */
void node_take_object(const struct kmem_cache *s, struct kmem_cache_node *n, struct page *slab, const void *object);

/* Take up to max objects from partial slabs, first of the list first. Return: how many. */
uint32_t node_take(const struct kmem_cache *s, struct kmem_cache_node *n, void **object, uint32_t max);

/*
 * Take all free objects of a partial slab in reserve, so that nobody gets them, and
 * put them back; held[] as for slab_hold(). Slabs that are empty then as node_put().
 */
void node_hold(struct kmem_cache *s, struct page *slab, uint64_t *held);
void node_unhold(struct kmem_cache *s, struct page *slab, const uint64_t *held, struct page **empty);

/*
 * Put objects back into their slabs, on whatever node. Slabs that become empty and are not needed
 * are linked by page.next in front of *empty. A pointer that is no object of
 * the cache, or that is free already, is reported and left alone. empty may be
 * NULL: then empty slabs stay on their lists.
 */
void node_put(const struct kmem_cache *s, void **object, uint32_t count, struct page **empty);

/* Take all empty slabs off the list, and sort the rest: fullest first, as far as 32 free objects. */
void node_shrink(struct kmem_cache_node *n, struct page **empty);

/* Release slabs collected above. Node not locked. */
void node_release(const struct kmem_cache *s, struct page *empty);

#endif
