/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * debug_slab.h - checks of one slab of a debug cache. Node locked.
 *
 * The bitmap says which objects are free, as everywhere; debug caches also chain
 * their free objects through the objects, as the kernel does. The chain is
 * evidence: who writes to a free object breaks it, and that is found.
 */
#ifndef SLAB_DEBUG_SLAB_H
#define SLAB_DEBUG_SLAB_H

#include "slab/debug_object.h"

/* Descriptor and padding at the end. Return: whether both were right; what was not is reported. */
bool debug_slab_check(struct kmem_cache *s, struct page *slab);

/*
 * Walk the chain. A broken one is reported and cut off, wrong counts are
 * adjusted. Return: whether `search` is in it; with NULL, whether it can be used.
 */
bool debug_on_freelist(struct kmem_cache *s, struct page *slab, const void *search);

/* Everything: slab, chain, and each object until the first bad one. */
void debug_slab_validate(struct kmem_cache *s, struct page *slab);

/* First of the chain, and the one that leads on from it; or NULL. */
void *debug_chain_first(const struct page *slab);
void debug_chain_pop(const struct kmem_cache *s, struct page *slab);
void debug_chain_push(const struct kmem_cache *s, struct page *slab, void *object);

#endif
