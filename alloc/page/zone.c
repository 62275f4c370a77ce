/* SPDX-License-Identifier: BSD-2-Clause */
/* zone.c - zones, zonelists and watermarks; see zone.h. */
#include "page/zone.h"

#include "base/observe.h"

#define MIN_FREE_KB_LEAST   128u
#define MIN_FREE_KB_MOST    262144u
#define LOWMEM_RESERVE_RATIO 256u /* the kernel's for DMA32 */

struct zone_config zone_config KMEM_STATE_SET = { .scale_factor = 10, .boost_factor = 15000 };
struct kmem_zone zones[KMEM_MAX_ZONES] KMEM_STATE;

struct kmem_zone *zone_lists[KMEM_MAX_NODES + 1][KMEM_MAX_ZONES + 1] KMEM_STATE;

static struct kmem_zone *add_zone(const char *name, unsigned int node, uint64_t max_pages)
{
	struct kmem_zone *zone = &zones[zone_config.nr_zones++];

	memcpy(zone->name, name, MIN(strlen(name), sizeof(zone->name) - 1));
	zone->node = node;
	zone->max_pages = max_pages;
	return zone;
}

static void build_list(unsigned int nid)
{
	struct kmem_zone **list = zone_lists[nid];
	unsigned int i;

	if (zone_config.huge)
		*list++ = zone_config.huge;
	for (i = 0; i < zone_config.nr_nodes; i++)
		*list++ = &zones[(nid + i) % zone_config.nr_nodes];
	if (zone_config.dma32)
		*list++ = zone_config.dma32;
	*list = NULL;
}

/* Whole blocks, at least one. */
static uint64_t budget_pages(size_t bytes)
{
	return MAX(bytes >> BLOCK_SHIFT, (size_t)1) << MAX_PAGE_ORDER;
}

void zone_init(unsigned int nr_nodes, size_t limit_bytes, size_t dma32_bytes, size_t huge_bytes)
{
	uint64_t share = limit_bytes ? budget_pages(limit_bytes / nr_nodes) : UINT64_MAX;
	unsigned int nid;

	zone_config.nr_nodes = nr_nodes;
	zone_config.limit_pages = limit_bytes ? share * nr_nodes : 0;
	for (nid = 0; nid < nr_nodes; nid++)
		add_zone("Normal", nid, share);
	/* The first block of the arena is never used. */
	if (dma32_bytes)
		zone_config.dma32 = add_zone("DMA32", 0, budget_pages(dma32_bytes - BLOCK_BYTES));
	if (huge_bytes)
		zone_config.huge = add_zone("Huge", 0, budget_pages(huge_bytes));
	for (nid = 0; nid < nr_nodes; nid++)
		build_list(nid);
	zone_lists[KMEM_MAX_NODES][0] = zone_config.dma32;
	observe_root.zones = (uintptr_t)zones;
	observe_root.nr_nodes = nr_nodes;
	observe_root.nr_zones = zone_config.nr_zones;
	zone_update_watermarks();
}

uint64_t zone_managed_pages(const struct kmem_zone *zone)
{
	return zone->max_pages == UINT64_MAX ? READ_ONCE(zone->present_pages) : zone->max_pages;
}

/* Newton's method from above. */
uint64_t zone_sqrt(uint64_t n)
{
	uint64_t root = n, next = (n + 1) / 2;

	while (next < root) {
		root = next;
		next = (root + n / root) / 2;
	}
	return root;
}

/* Pages that must stay free in all zones together. */
static uint64_t min_free_pages(uint64_t managed)
{
	uint64_t kb = zone_config.min_free_kbytes;

	if (!kb) {
		kb = zone_sqrt((managed << (PAGE_SHIFT - 10)) * 16);
		kb = MIN(MAX(kb, MIN_FREE_KB_LEAST), MIN_FREE_KB_MOST);
	}
	return kb >> (PAGE_SHIFT - 10);
}

static void set_watermarks(struct kmem_zone *zone, uint64_t min, uint64_t managed)
{
	uint64_t step = MAX(min / 4, managed * zone_config.scale_factor / 10000);
	unsigned int i;

	for (i = 0; i < KMEM_NR_WMARKS; i++)
		WRITE_ONCE(zone->watermark[i], min + i * step);
}

void zone_update_watermarks(void)
{
	uint64_t managed = 0, normal = 0, min;
	unsigned int i;

	/* Huge pages are not ordinary memory: they keep no reserve. */
	for (i = 0; i < zone_config.nr_zones; i++) {
		if (&zones[i] == zone_config.huge)
			continue;
		managed += zone_managed_pages(&zones[i]);
		if (zone_is_normal(&zones[i]))
			normal += zone_managed_pages(&zones[i]);
	}
	min = min_free_pages(managed);
	for (i = 0; i < zone_config.nr_zones; i++) {
		uint64_t own = zone_managed_pages(&zones[i]);

		if (&zones[i] != zone_config.huge)
			set_watermarks(&zones[i], managed ? min * own / managed : 0, own);
	}
	if (zone_config.dma32)
		zone_config.dma32->lowmem_reserve = normal / LOWMEM_RESERVE_RATIO;
}

uint64_t zone_watermark(const struct kmem_zone *zone, enum zone_watermark which)
{
	return READ_ONCE(zone->watermark[which]) + READ_ONCE(zone->watermark_boost);
}

static uint64_t lowered(uint64_t mark, unsigned int flags)
{
	if (flags & ALLOC_MIN_RESERVE)
		mark -= mark / 2;
	if (flags & ALLOC_NON_BLOCK)
		mark -= mark / 4;
	return mark;
}

/* Whether a free block is there that the request may have. */
static bool has_block(const struct kmem_zone *zone, unsigned int order, unsigned int flags)
{
	unsigned int at, type, nr_types = flags & ALLOC_HIGHATOMIC ? KMEM_NR_MIGRATETYPES : KMEM_NR_PCPTYPES;

	/* Where there is one, there is mostly a large one. */
	for (at = MAX_PAGE_ORDER + 1; at-- > order;)
		for (type = 0; type < nr_types; type++)
			if (READ_ONCE(zone->free_list[at][type].nr))
				return true;
	return false;
}

uint64_t zone_spare_pages(const struct kmem_zone *zone, uint64_t mark, bool own_zone, unsigned int flags)
{
	uint64_t free = READ_ONCE(zone->free_pages), kept = lowered(mark, flags);

	/* Reserved pageblocks count for those who may use them only. */
	if (!(flags & ALLOC_RESERVES))
		kept += READ_ONCE(zone->highatomic_free);
	if (!own_zone)
		kept += READ_ONCE(zone->lowmem_reserve);
	return free > kept ? free - kept : 0;
}

bool zone_watermark_ok(const struct kmem_zone *zone, unsigned int order, uint64_t mark, bool own_zone,
		       unsigned int flags)
{
	return zone_spare_pages(zone, mark, own_zone, flags) >= UINT64_C(1) << order && has_block(zone, order, flags);
}

uint64_t zone_mark_for(const struct kmem_zone *zone, const struct page_request *request)
{
	/* Without a budget there is no floor: the last page is as good as the first. */
	if (zone->max_pages == UINT64_MAX)
		return 0;
	return zone_watermark(zone, request->flags & ALLOC_WMARK_LOW ? WMARK_LOW : WMARK_MIN);
}

bool zone_is_asked_for(const struct kmem_zone *zone, const struct page_request *request)
{
	return zone != zone_config.dma32 || (request->gfp & (__GFP_DMA | __GFP_DMA32));
}

void zone_boost_watermark(struct kmem_zone *zone)
{
	uint64_t most = READ_ONCE(zone->watermark[WMARK_HIGH]) * zone_config.boost_factor / 10000;

	/* A small zone would be nothing but boost. */
	if (!most || zone_managed_pages(zone) < 4 * PAGEBLOCK_PAGES)
		return;
	most = MAX(most, (uint64_t)PAGEBLOCK_PAGES);
	WRITE_ONCE(zone->watermark_boost, MIN(READ_ONCE(zone->watermark_boost) + PAGEBLOCK_PAGES, most));
}
