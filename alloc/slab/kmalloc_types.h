/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kmalloc_types.h - the sets of size classes: kmalloc-*, kmalloc-rcl-*, kmalloc-cg-*,
 * dma-kmalloc-*, and 15 copies kmalloc-rnd-01-* ... by call site.
 *
 * A cache is made when it is first asked for, so that unused sets cost nothing.
 */
#ifndef SLAB_KMALLOC_TYPES_H
#define SLAB_KMALLOC_TYPES_H

#include "slab/cache.h"

#define NR_KMALLOC_CLASSES 13

extern KMEM_HIDDEN const uint16_t kmalloc_class_size[NR_KMALLOC_CLASSES];

enum kmalloc_type {
	KMALLOC_NORMAL,
	KMALLOC_RECLAIM,
	KMALLOC_CGROUP,
	KMALLOC_DMA,
	KMALLOC_RANDOM, /* and the 14 after it */
	NR_KMALLOC_TYPES = KMALLOC_RANDOM + 15
};

/* The kernel's priority: DMA, then reclaimable, then accounted. */
static inline enum kmalloc_type kmalloc_type_of(gfp_t gfp)
{
	if (likely(!(gfp & (__GFP_DMA | __GFP_RECLAIMABLE | __GFP_ACCOUNT))))
		return KMALLOC_NORMAL;
	if (gfp & __GFP_DMA)
		return KMALLOC_DMA;
	return gfp & __GFP_RECLAIMABLE ? KMALLOC_RECLAIM : KMALLOC_CGROUP;
}

/*
 * The cache of a class, made if it is not there and gfp allows to block.
 * Return: NULL when it is not there; the normal one then serves.
 */
struct kmem_cache *kmalloc_type_cache(unsigned int class, enum kmalloc_type type, gfp_t gfp);

/* One of 16 by a hash of the call site and a secret: the normal one or a copy. */
struct kmem_cache *kmalloc_random_cache(unsigned int class, const void *call_site, gfp_t gfp);

/* "64" ... "8k" appended to a prefix. */
void kmalloc_class_name(char *name, size_t bytes, const char *prefix, unsigned int class);

/* Natural alignment: powers of two to their size, the others to their largest power-of-two divisor. */
unsigned int kmalloc_class_align(unsigned int class);

#endif
