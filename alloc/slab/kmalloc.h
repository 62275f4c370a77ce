/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kmalloc.h - general-purpose allocation over a set of size-class caches. The
 * same code serves kmalloc() and malloc(): they differ in their classes.
 */
#ifndef SLAB_KMALLOC_H
#define SLAB_KMALLOC_H

#include "base/numa.h"
#include "slab/cache.h"

/* Make the kmalloc caches. Return: 0 or -ENOMEM. */
int kmalloc_init(void);

/* Normal objects from one of 16 sets of caches, by call site; for good. */
void kmalloc_set_random(bool on);

/* Number of the size class for 1 .. KMALLOC_MAX_CACHE_SIZE bytes. */
unsigned int kmalloc_class(size_t size);

/* kmalloc() of an object of this cache, on behalf of call_site: events and all. */
void *kmalloc_in(struct kmem_cache *s, size_t size, gfp_t gfp, const void *call_site);

/* Class cache for a size of 1 .. KMALLOC_MAX_CACHE_SIZE. */
struct kmem_cache *kmalloc_cache(size_t size, gfp_t gfp);

/*
 * An object of whole pages, size > 0: from the buddy up to 4 MiB, with the
 * unused tail pages given back when `exact`; beyond that, if allowed, with an
 * address range of its own. From node nid, the running CPU's if nid < 0. Page
 * aligned. No event. NULL when out of memory.
 */
void *large_alloc(size_t size, gfp_t gfp, bool exact, bool beyond_buddy, int nid);

/* nid, or -1 when there is no such node: then any does, unless __GFP_THISNODE forbids it. */
static inline int usable_node(int nid)
{
	return nid < (int)numa_nr_nodes() ? nid : -1;
}

/* Bytes that an object of whole pages can use; its requested size. */
size_t large_usable(const struct page *page);
void large_free(struct page *page);

/* The head page of a large object, NULL when p is not the address of one. */
struct page *large_of(const void *p);

/* Usable bytes of any object of kmalloc() or of a cache; p must be one. */
size_t object_usable(const void *p);

/* kmalloc_node() and krealloc() on behalf of call_site. */
void *kmalloc_at(size_t size, gfp_t gfp, int node, const void *call_site);
void *krealloc_from(const void *p, size_t new_size, gfp_t gfp, const void *call_site);

/* kfree() on behalf of call_site: event, checks, free. */
void kfree_from(const void *p, const void *call_site);

/* False when p is known to be no object in use, of a debug cache; that was reported. */
bool kmalloc_may_use(const void *p, const void *call_site);

/*
 * Whether p, which is about to be freed, has the size that the caller believes;
 * known in debug caches with SLAB_STORE_USER only. If not, it was reported.
 */
bool kfree_size_is(const void *p, size_t size, const void *call_site);

/* The watched free without event, for callers that have sent their own. */
void kfree_watched(const void *p, const void *call_site);

#endif
