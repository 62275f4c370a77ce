/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zone.h - the zones, the order in which a request tries them, and watermarks.
 *
 *   zones[n]            "Normal" of node n, for every node
 *   zones[nr_nodes ..]  "DMA32" (dma32=) and "Huge" (hugetlb=), on node 0
 *
 * A request goes through its zonelist: Huge first (it is paid for), the Normal
 * zones from its own node on, DMA32 last. GFP_DMA and GFP_DMA32 have only DMA32;
 * without that zone they are ordinary requests, as in a kernel without it.
 *
 * Watermarks are the kernel's: min from min_free_kbytes, low = min + d, high =
 * min + 2d, promo = min + 3d with d = max(min / 4, managed * scale / 10000), and
 * a boost while requests of different mobility mix. With a budget (limit=) they
 * are kept: only urgent requests go below min. Without one they say when the
 * arena has to grow, so that requests that may not wait find memory.
 */
#ifndef PAGE_ZONE_H
#define PAGE_ZONE_H

#include "page/page.h"

enum zone_watermark {
	WMARK_MIN,
	WMARK_LOW,
	WMARK_HIGH,
	WMARK_PROMO,
};

/* A request for one block, as the files hand it on. */
struct page_request {
	gfp_t gfp;
	unsigned int order;
	enum migratetype type;
	unsigned int flags; /* enum alloc_flags */
	unsigned int nid;   /* the node that is meant */
};

struct zone_config {
	unsigned int nr_nodes;
	unsigned int nr_zones;
	struct kmem_zone *dma32, *huge; /* NULL when there is none */
	uint64_t limit_pages;           /* of the budget, 0 without one */
	unsigned int min_free_kbytes;   /* 0: the formula */
	unsigned int scale_factor;      /* of watermarks, in 1/10000 of the zone */
	unsigned int boost_factor;      /* in 1/10000 of the high watermark, 0 off */
};

extern KMEM_HIDDEN struct zone_config zone_config;

extern KMEM_HIDDEN struct kmem_zone zones[KMEM_MAX_ZONES];

/*
 * Set up the Normal zones with a budget of limit_bytes (0: none), and the other
 * two with the sizes given (0: no such zone).
 */
void zone_init(unsigned int nr_nodes, size_t limit_bytes, size_t dma32_bytes, size_t huge_bytes);

static inline unsigned int zone_index_of(const struct page *page)
{
	return arena.block_state[page_index(page) >> MAX_PAGE_ORDER] >> BLOCK_ZONE_SHIFT;
}

static inline struct kmem_zone *zone_of(const struct page *page)
{
	return &zones[zone_index_of(page)];
}

static inline uint8_t zone_index(const struct kmem_zone *zone)
{
	return (uint8_t)(zone - zones);
}

static inline bool zone_is_normal(const struct kmem_zone *zone)
{
	return zone < zones + zone_config.nr_nodes;
}

/* For every node, then the one for DMA32 alone; written by zone_init() only. */
extern KMEM_HIDDEN struct kmem_zone *zone_lists[KMEM_MAX_NODES + 1][KMEM_MAX_ZONES + 1];

/* The zones for a request meant for node nid, first to last, NULL at the end. */
static inline struct kmem_zone *const *zone_list(gfp_t gfp, unsigned int nid)
{
	if (unlikely(gfp & (__GFP_DMA | __GFP_DMA32)) && zone_config.dma32)
		return zone_lists[KMEM_MAX_NODES];
	return zone_lists[nid];
}

/* Pages that the zone is sized by: its share of the budget, or what it has. */
uint64_t zone_managed_pages(const struct kmem_zone *zone);

/* Compute the watermarks of all zones again: after growth, or a knob. */
void zone_update_watermarks(void);

/* A watermark with its boost, in pages. */
uint64_t zone_watermark(const struct kmem_zone *zone, enum zone_watermark which);

/*
 * The kernel's rule: may a block of this order leave the zone without breaking
 * the mark? Fragmentation counts: a block must be there. Zone locked for an
 * exact answer.
 */
bool zone_watermark_ok(const struct kmem_zone *zone, unsigned int order, uint64_t mark, bool own_zone,
		       unsigned int flags);

/* Pages that such a request may take before it breaks the mark. */
uint64_t zone_spare_pages(const struct kmem_zone *zone, uint64_t mark, bool own_zone, unsigned int flags);

/*
 * The mark that a request must keep, unless it may ignore all: the zone's low or
 * min watermark, 0 without a budget. Whether it asks for memory of this zone.
 */
uint64_t zone_mark_for(const struct kmem_zone *zone, const struct page_request *request);
bool zone_is_asked_for(const struct kmem_zone *zone, const struct page_request *request);

/* Types mix in the zone: keep more free for a while. Zone locked. */
void zone_boost_watermark(struct kmem_zone *zone);

/* Rounded down. */
uint64_t zone_sqrt(uint64_t n);

#endif
