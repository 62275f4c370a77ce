/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * debug.h - allocation and free in a debug cache (SLAB_DEBUG_FLAGS), and the
 * questions about one. No per-CPU arrays: every call works on a slab under the
 * node's lock.
 */
#ifndef SLAB_DEBUG_H
#define SLAB_DEBUG_H

#include "slab/debug_layout.h"
#include "slab/slub.h"

static inline bool debug_cache(const struct kmem_cache *s)
{
	return s->flags & SLAB_DEBUG_FLAGS;
}

/* As slub_alloc_request() and slub_free(). */
void *debug_alloc(struct kmem_cache *s, const struct slab_request *request);
void debug_free(struct kmem_cache *s, void *object, const void *call_site);

/* Take over the layout of a debug cache that is being created. */
void debug_cache_init(struct kmem_cache *s, const struct geometry *g);
void debug_cache_exit(struct kmem_cache *s);

/*
 * Change the size asked for of an object in use, in place; with __GFP_ZERO what
 * it grows by is cleared. Return: false when that is kept nowhere or does not fit.
 */
bool debug_resize(struct kmem_cache *s, void *object, size_t size, gfp_t gfp);

/*
 * Whether `object` is one in use, whose size may be asked and changed; and whether
 * it has the size that a sized free claims. If not, it was reported.
 */
bool debug_in_use(struct kmem_cache *s, void *object, const void *call_site);
bool debug_size_is(struct kmem_cache *s, void *object, size_t size, const void *call_site);

/* ksize() was asked: from now on the owner may use all of the object. */
void debug_claim(struct kmem_cache *s, void *object);

#endif
