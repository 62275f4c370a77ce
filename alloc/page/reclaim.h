/* SPDX-License-Identifier: BSD-2-Clause */
/* reclaim.h - memory from those who hold it for speed: shrinkers, the slab layer, per-CPU lists. */
#ifndef PAGE_RECLAIM_H
#define PAGE_RECLAIM_H

#include "page/zone.h"

/*
 * What the slab layer gives back: parked objects and empty slabs. No lock of the
 * allocator is held; may block. Return: pages freed, 0 when it does not know.
 */
typedef size_t (*page_reclaim_fn)(gfp_t gfp, unsigned int nid, unsigned int priority);

/* Set by the slab layer when it starts; page/ does not know it by name. */
void page_set_reclaim(page_reclaim_fn fn);

/*
 * Direct reclaim for a request: rounds of rising pressure until a batch of pages
 * is free. The thread must hold no lock and not be reclaiming already.
 * Return: pages that became free meanwhile.
 */
size_t reclaim_pages(gfp_t gfp, unsigned int order, unsigned int nid);

/* Free pages of all zones, parked ones included. */
uint64_t reclaim_free_pages(void);

#endif
