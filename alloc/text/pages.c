/* SPDX-License-Identifier: BSD-2-Clause */
/* pages.c - the page allocator's files; see pages.h. Formats as in mm/vmstat.c of Linux 6.12. */
#include "text/pages.h"

#include <errno.h>

#include "text/walk.h"

static const char *const migratetype_name[] = { "Unmovable", "Movable", "Reclaimable" };

_Static_assert(ARRAY_LEN(migratetype_name) == KMEM_NR_MIGRATETYPES, "a name for each type");

/* Copies of all zones. Return: 0 or -errno. */
static int read_zones(const struct text_source *src, struct kmem_zone *zones)
{
	if (src->root->nr_nodes > KMEM_MAX_NODES)
		return -EPROTO;
	return src->read(src->context, src->root->zones, zones, src->root->nr_nodes * sizeof(*zones));
}

static void zone_head(struct text *t, unsigned int nid)
{
	text_string(t, "Node ");
	text_number(t, nid, 0);
	text_string(t, ", zone ");
	text_field(t, "Normal", 8);
	text_char(t, ' ');
}

static uint64_t free_blocks(const struct kmem_zone *zone, unsigned int order)
{
	uint64_t blocks = 0;
	unsigned int type;

	for (type = 0; type < KMEM_NR_MIGRATETYPES; type++)
		blocks += zone->free_list[order][type].nr;
	return blocks;
}

int text_buddyinfo(struct text *t, const struct text_source *src)
{
	struct kmem_zone zones[KMEM_MAX_NODES];
	unsigned int nid, order;
	int rc = read_zones(src, zones);

	for (nid = 0; !rc && nid < src->root->nr_nodes; nid++) {
		zone_head(t, nid);
		for (order = 0; order < KMEM_NR_ORDERS; order++) {
			text_number(t, free_blocks(&zones[nid], order), 6);
			text_char(t, ' ');
		}
		text_char(t, '\n');
	}
	return rc;
}

/* ---- what only the page descriptors know ---- */

struct usage {
	uint64_t parked[KMEM_MAX_NODES][KMEM_NR_ORDERS];   /* blocks in per-CPU lists */
	uint64_t slab[KMEM_MAX_NODES][2];                  /* pages in slabs: unreclaimable, reclaimable */
	uint64_t large[KMEM_MAX_NODES], pages[KMEM_MAX_NODES]; /* pages of large objects; of alloc_pages() */
};

static void count_block(void *context, const struct page *page)
{
	struct usage *u = context;
	unsigned int nid = page->node < KMEM_MAX_NODES ? page->node : 0;

	switch (page->type) {
	case KMEM_PAGE_PCP:
		u->parked[nid][MIN(page->order, KMEM_NR_ORDERS - 1)]++;
		break;
	case KMEM_PAGE_SLAB:
		u->slab[nid][page->migratetype == 2] += page->nr_pages;
		break;
	case KMEM_PAGE_LARGE:
		u->large[nid] += page->nr_pages;
		break;
	case KMEM_PAGE_PAGES:
		u->pages[nid] += page->nr_pages;
		break;
	default:
		break;
	}
}

static int read_usage(const struct text_source *src, struct usage *u)
{
	memset(u, 0, sizeof(*u));
	return walk_blocks(src, count_block, u);
}

static uint64_t parked_pages(const struct usage *u, unsigned int nid)
{
	uint64_t pages = 0;
	unsigned int order;

	for (order = 0; order < KMEM_NR_ORDERS; order++)
		pages += u->parked[nid][order] << order;
	return pages;
}

int text_pcpinfo(struct text *t, const struct text_source *src)
{
	struct usage u;
	unsigned int nid, order;
	int rc = read_usage(src, &u);

	for (nid = 0; !rc && nid < src->root->nr_nodes; nid++) {
		zone_head(t, nid);
		for (order = 0; order < KMEM_NR_ORDERS; order++) {
			text_number(t, u.parked[nid][order], 6);
			text_char(t, ' ');
		}
		text_char(t, '\n');
	}
	return rc;
}

/* ---- mobility ---- */

static void free_counts_by_type(struct text *t, const struct kmem_zone *zone, unsigned int nid)
{
	unsigned int type, order;

	for (type = 0; type < KMEM_NR_MIGRATETYPES; type++) {
		text_string(t, "Node ");
		text_number(t, nid, 4);
		text_string(t, ", zone ");
		text_field(t, "Normal", 8);
		text_string(t, ", type ");
		text_field(t, migratetype_name[type], 12);
		text_char(t, ' ');
		for (order = 0; order < KMEM_NR_ORDERS; order++) {
			uint64_t nr = zone->free_list[order][type].nr;

			/* The kernel stops counting there, to keep the lock short; parsers know the sign. */
			text_string(t, nr >= 100000 ? ">" : "");
			text_number(t, MIN(nr, UINT64_C(100000)), 6);
			text_char(t, ' ');
		}
		text_char(t, '\n');
	}
}

struct pageblocks {
	uint64_t nr[KMEM_MAX_NODES][KMEM_NR_MIGRATETYPES];
};

static void count_pageblock(void *context, unsigned int nid, unsigned int migratetype)
{
	struct pageblocks *blocks = context;

	blocks->nr[MIN(nid, KMEM_MAX_NODES - 1u)][MIN(migratetype, KMEM_NR_MIGRATETYPES - 1u)]++;
}

int text_pagetypeinfo(struct text *t, const struct text_source *src)
{
	struct pageblocks blocks = { .nr = { { 0 } } };
	struct kmem_zone zones[KMEM_MAX_NODES];
	unsigned int nid, i;
	int rc = read_zones(src, zones);

	if (!rc)
		rc = walk_pageblocks(src, count_pageblock, &blocks);
	if (rc)
		return rc;
	text_string(t, "Page block order: 9\nPages per block:  512\n\n");
	text_field(t, "Free pages count per migrate type at order ", -43);
	text_char(t, ' ');
	for (i = 0; i < KMEM_NR_ORDERS; i++) {
		text_number(t, i, 6);
		text_char(t, ' ');
	}
	text_char(t, '\n');
	for (nid = 0; nid < src->root->nr_nodes; nid++)
		free_counts_by_type(t, &zones[nid], nid);
	text_char(t, '\n');
	text_field(t, "Number of blocks type ", -23);
	for (i = 0; i < KMEM_NR_MIGRATETYPES; i++) {
		text_field(t, migratetype_name[i], 12);
		text_char(t, ' ');
	}
	text_char(t, '\n');
	for (nid = 0; nid < src->root->nr_nodes; nid++) {
		zone_head(t, nid);
		for (i = 0; i < KMEM_NR_MIGRATETYPES; i++) {
			text_number(t, blocks.nr[nid][i], 12);
			text_char(t, ' ');
		}
		text_char(t, '\n');
	}
	return 0;
}

/* ---- fragmentation ---- */

struct fill {
	uint64_t free_pages, free_blocks;
	uint64_t suitable; /* blocks of the wanted order that the free blocks hold */
};

static struct fill fill_of(const struct kmem_zone *zone, unsigned int wanted)
{
	struct fill fill = { 0, 0, 0 };
	unsigned int order;

	for (order = 0; order < KMEM_NR_ORDERS; order++) {
		uint64_t blocks = free_blocks(zone, order);

		fill.free_blocks += blocks;
		fill.free_pages += blocks << order;
		if (order >= wanted)
			fill.suitable += blocks << (order - wanted);
	}
	return fill;
}

/* The part of free memory, in thousandths, that is in blocks too small. */
static int unusable(const struct kmem_zone *zone, unsigned int order)
{
	struct fill fill = fill_of(zone, order);

	if (!fill.free_pages)
		return 1000;
	return (int)((fill.free_pages - (fill.suitable << order)) * 1000 / fill.free_pages);
}

/* How far the free memory would reach if it were in one piece, against how it is cut up. */
static int fragmentation(const struct kmem_zone *zone, unsigned int order)
{
	struct fill fill = fill_of(zone, order);

	if (!fill.free_blocks)
		return 0;
	if (fill.suitable)
		return -1000;
	return 1000 - (int)((1000 + (fill.free_pages * 1000 >> order)) / fill.free_blocks);
}

static int indices(struct text *t, const struct text_source *src, int (*index)(const struct kmem_zone *, unsigned int),
		   int width)
{
	struct kmem_zone zones[KMEM_MAX_NODES];
	unsigned int nid, order;
	int rc = read_zones(src, zones);

	for (nid = 0; !rc && nid < src->root->nr_nodes; nid++) {
		zone_head(t, nid);
		for (order = 0; order < KMEM_NR_ORDERS; order++) {
			text_milli(t, index(&zones[nid], order), width);
			text_char(t, ' ');
		}
		text_char(t, '\n');
	}
	return rc;
}

int text_unusable_index(struct text *t, const struct text_source *src)
{
	return indices(t, src, unusable, 0);
}

int text_extfrag_index(struct text *t, const struct text_source *src)
{
	return indices(t, src, fragmentation, 6);
}

/* ---- counters ---- */

static void counter(struct text *t, const char *name, uint64_t value)
{
	text_string(t, name);
	text_char(t, ' ');
	text_number(t, value, 0);
	text_char(t, '\n');
}

int text_vmstat(struct text *t, const struct text_source *src)
{
	struct kmem_zone zones[KMEM_MAX_NODES], sum = { .lock = 0 };
	uint64_t parked = 0, slab[2] = { 0, 0 }, large = 0, pages = 0;
	struct usage u;
	unsigned int nid;
	int rc = read_zones(src, zones);

	if (!rc)
		rc = read_usage(src, &u);
	if (rc)
		return rc;
	for (nid = 0; nid < src->root->nr_nodes; nid++) {
		sum.free_pages += zones[nid].free_pages;
		sum.present_pages += zones[nid].present_pages;
		sum.dirty_pages += zones[nid].dirty_pages;
		sum.purged_pages += zones[nid].purged_pages;
		sum.alloc_pages += zones[nid].alloc_pages;
		sum.freed_pages += zones[nid].freed_pages;
		sum.mapped_pages += zones[nid].mapped_pages;
		parked += parked_pages(&u, nid);
		slab[0] += u.slab[nid][0];
		slab[1] += u.slab[nid][1];
		large += u.large[nid];
		pages += u.pages[nid];
	}
	counter(t, "nr_free_pages", sum.free_pages);
	counter(t, "nr_slab_reclaimable", slab[1]);
	counter(t, "nr_slab_unreclaimable", slab[0]);
	counter(t, "pgalloc_normal", sum.alloc_pages);
	counter(t, "pgfree", sum.freed_pages);
	counter(t, "kmem_present_pages", sum.present_pages);
	counter(t, "kmem_pcp_pages", parked);
	counter(t, "kmem_dirty_pages", sum.dirty_pages);
	counter(t, "kmem_purged_pages", sum.purged_pages);
	counter(t, "kmem_large_pages", large);
	counter(t, "kmem_alloc_pages", pages);
	counter(t, "kmem_mapped_pages", sum.mapped_pages);
	return 0;
}

static void zone_counter(struct text *t, const char *name, uint64_t value)
{
	text_string(t, "\n      ");
	text_field(t, name, -12);
	text_char(t, ' ');
	text_number(t, value, 0);
}

static void zone_pages(struct text *t, const char *name, uint64_t value)
{
	text_string(t, "\n        ");
	text_field(t, name, -8);
	text_char(t, ' ');
	text_number(t, value, 0);
}

int text_zoneinfo(struct text *t, const struct text_source *src)
{
	struct kmem_zone zones[KMEM_MAX_NODES];
	struct usage u;
	unsigned int nid;
	int rc = read_zones(src, zones);

	if (!rc)
		rc = read_usage(src, &u);
	for (nid = 0; !rc && nid < src->root->nr_nodes; nid++) {
		const struct kmem_zone *zone = &zones[nid];

		text_string(t, "Node ");
		text_number(t, nid, 0);
		text_string(t, ", zone ");
		text_field(t, "Normal", 8);
		text_string(t, "\n  per-node stats");
		zone_counter(t, "nr_slab_reclaimable", u.slab[nid][1]);
		zone_counter(t, "nr_slab_unreclaimable", u.slab[nid][0]);
		text_string(t, "\n  pages free     ");
		text_number(t, zone->free_pages, 0);
		zone_pages(t, "spanned", zone->present_pages);
		zone_pages(t, "present", zone->present_pages);
		zone_pages(t, "managed", zone->present_pages);
		zone_counter(t, "nr_free_pages", zone->free_pages);
		text_string(t, "\n  start_pfn:           ");
		text_number(t, (UINT64_C(4) << 20) >> KMEM_PAGE_SHIFT, 0);
		text_char(t, '\n');
	}
	return rc;
}
