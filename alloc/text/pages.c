/* SPDX-License-Identifier: BSD-2-Clause */
/* pages.c - the page allocator's files; see pages.h. Formats as in mm/vmstat.c of Linux 6.12. */
#include "text/pages.h"

#include <errno.h>

#include "text/walk.h"

static const char *const migratetype_name[] = { "Unmovable", "Movable", "Reclaimable", "HighAtomic" };

_Static_assert(ARRAY_LEN(migratetype_name) == KMEM_NR_MIGRATETYPES, "a name for each type");

/* Copies of all zones. Return: 0 or -errno. */
static int read_zones(const struct text_source *src, struct kmem_zone *zones)
{
	if (src->root->nr_zones > KMEM_MAX_ZONES)
		return -EPROTO;
	return src->read(src->context, src->root->zones, zones, src->root->nr_zones * sizeof(*zones));
}

static void zone_name(struct text *t, const struct kmem_zone *zone, int width)
{
	char name[sizeof(zone->name) + 1] = { 0 };

	memcpy(name, zone->name, sizeof(zone->name));
	text_string(t, "Node ");
	text_number(t, zone->node, width);
	text_string(t, ", zone ");
	text_field(t, name, 8);
}

static void zone_head(struct text *t, const struct kmem_zone *zone)
{
	zone_name(t, zone, 0);
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
	struct kmem_zone zones[KMEM_MAX_ZONES];
	unsigned int nid, order;
	int rc = read_zones(src, zones);

	for (nid = 0; !rc && nid < src->root->nr_zones; nid++) {
		zone_head(t, &zones[nid]);
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
	uint64_t parked[KMEM_MAX_ZONES][KMEM_NR_ORDERS];   /* blocks in per-CPU lists */
	uint64_t slab[KMEM_MAX_ZONES][2];                  /* pages in slabs: unreclaimable, reclaimable */
	uint64_t large[KMEM_MAX_ZONES], pages[KMEM_MAX_ZONES]; /* pages of large objects; of alloc_pages() */
};

static void count_block(void *context, const struct page *page, unsigned int zone)
{
	struct usage *u = context;
	unsigned int nid = MIN(zone, KMEM_MAX_ZONES - 1u);

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
	struct kmem_zone zones[KMEM_MAX_ZONES];
	struct usage u;
	unsigned int nid, order;
	int rc = read_zones(src, zones);

	if (!rc)
		rc = read_usage(src, &u);
	for (nid = 0; !rc && nid < src->root->nr_zones; nid++) {
		zone_head(t, &zones[nid]);
		for (order = 0; order < KMEM_NR_ORDERS; order++) {
			text_number(t, u.parked[nid][order], 6);
			text_char(t, ' ');
		}
		text_char(t, '\n');
	}
	return rc;
}

/* ---- mobility ---- */

static void free_counts_by_type(struct text *t, const struct kmem_zone *zone)
{
	unsigned int type, order;

	for (type = 0; type < KMEM_NR_MIGRATETYPES; type++) {
		zone_name(t, zone, 4);
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
	uint64_t nr[KMEM_MAX_ZONES][KMEM_NR_MIGRATETYPES];
};

static void count_pageblock(void *context, unsigned int nid, unsigned int migratetype)
{
	struct pageblocks *blocks = context;

	blocks->nr[MIN(nid, KMEM_MAX_ZONES - 1u)][MIN(migratetype, KMEM_NR_MIGRATETYPES - 1u)]++;
}

int text_pagetypeinfo(struct text *t, const struct text_source *src)
{
	struct pageblocks blocks = { .nr = { { 0 } } };
	struct kmem_zone zones[KMEM_MAX_ZONES];
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
	for (nid = 0; nid < src->root->nr_zones; nid++)
		free_counts_by_type(t, &zones[nid]);
	text_char(t, '\n');
	text_field(t, "Number of blocks type ", -23);
	for (i = 0; i < KMEM_NR_MIGRATETYPES; i++) {
		text_field(t, migratetype_name[i], 12);
		text_char(t, ' ');
	}
	text_char(t, '\n');
	for (nid = 0; nid < src->root->nr_zones; nid++) {
		zone_head(t, &zones[nid]);
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
	struct kmem_zone zones[KMEM_MAX_ZONES];
	unsigned int nid, order;
	int rc = read_zones(src, zones);

	for (nid = 0; !rc && nid < src->root->nr_zones; nid++) {
		zone_head(t, &zones[nid]);
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

static const char *const stat_name[KMEM_NR_ZONE_STATS] = {
	[KMEM_ZS_ALLOC] = "pgalloc_normal",      [KMEM_ZS_FREE] = "pgfree",
	[KMEM_ZS_NUMA_HIT] = "numa_hit",         [KMEM_ZS_NUMA_MISS] = "numa_miss",
	[KMEM_ZS_NUMA_FOREIGN] = "numa_foreign", [KMEM_ZS_NUMA_LOCAL] = "numa_local",
	[KMEM_ZS_NUMA_OTHER] = "numa_other",     [KMEM_ZS_CLAIM] = "kmem_extfrag_claim",
	[KMEM_ZS_STEAL] = "kmem_extfrag_steal",
};

static const char *const event_name[KMEM_NR_VM_EVENTS] = {
	[KMEM_VM_ALLOCSTALL] = "allocstall_normal",  [KMEM_VM_SLABS_SCANNED] = "slabs_scanned",
	[KMEM_VM_PGSCAN_DIRECT] = "pgscan_direct",
	[KMEM_VM_PGSTEAL_DIRECT] = "pgsteal_direct", [KMEM_VM_DROP_SLAB] = "drop_slab",
	[KMEM_VM_DRAIN] = "kmem_pcp_drains",         [KMEM_VM_ALLOC_FAIL] = "kmem_alloc_fail",
	[KMEM_VM_PURGE] = "kmem_purge",              [KMEM_VM_SLAB_PURGE] = "kmem_slab_purge",
	[KMEM_VM_BAD_PAGE] = "kmem_bad_page",
};

/* What the per-CPU lists have counted, onto the zones' own counters. */
static int add_pcp_stats(const struct text_source *src, struct kmem_zone *zones)
{
	unsigned int at, stat, nr = src->root->pcps ? src->root->nr_cpus * src->root->nr_zones : 0;
	int rc = 0;

	for (at = 0; !rc && at < nr; at++) {
		struct kmem_zone *zone = &zones[at % src->root->nr_zones];
		struct kmem_pcp pcp;

		rc = src->read(src->context, src->root->pcps + at * sizeof(pcp), &pcp, sizeof(pcp));
		for (stat = 0; !rc && stat < KMEM_NR_ZONE_STATS; stat++)
			zone->stat[stat] += pcp.stat[stat];
	}
	return rc;
}

static int read_events(const struct text_source *src, uint64_t *events)
{
	memset(events, 0, KMEM_NR_VM_EVENTS * sizeof(*events));
	if (!src->root->events)
		return 0;
	return src->read(src->context, src->root->events, events, KMEM_NR_VM_EVENTS * sizeof(*events));
}

int text_vmstat(struct text *t, const struct text_source *src)
{
	struct kmem_zone zones[KMEM_MAX_ZONES], sum = { .lock = 0 };
	uint64_t events[KMEM_NR_VM_EVENTS];
	uint64_t parked = 0, slab[2] = { 0, 0 }, large = 0, pages = 0;
	struct usage u;
	unsigned int nid, i;
	int rc = read_zones(src, zones);

	if (!rc)
		rc = read_usage(src, &u);
	if (!rc)
		rc = add_pcp_stats(src, zones);
	if (!rc)
		rc = read_events(src, events);
	if (rc)
		return rc;
	for (nid = 0; nid < src->root->nr_zones; nid++) {
		sum.free_pages += zones[nid].free_pages;
		sum.present_pages += zones[nid].present_pages;
		sum.dirty_pages += zones[nid].dirty_pages;
		sum.purged_pages += zones[nid].purged_pages;
		for (i = 0; i < KMEM_NR_ZONE_STATS; i++)
			sum.stat[i] += zones[nid].stat[i];
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
	for (i = 0; i < KMEM_NR_ZONE_STATS; i++)
		counter(t, stat_name[i], sum.stat[i]);
	for (i = 0; i < KMEM_NR_VM_EVENTS; i++)
		counter(t, event_name[i], events[i]);
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

/* The first page of each zone, 0 for one that has none. */
static int read_starts(const struct text_source *src, uint64_t *start)
{
	uint64_t end = (src->root->arena_end - src->root->arena_base) >> 22, block;
	uint8_t state;
	int rc = 0;

	memset(start, 0, KMEM_MAX_ZONES * sizeof(*start));
	for (block = 1; !rc && block < end; block++) {
		rc = src->read(src->context, src->root->blocks + block, &state, sizeof(state));
		if (!rc && (state & 15) == KMEM_BLOCK_BUDDY && state >> 4 < KMEM_MAX_ZONES && !start[state >> 4])
			start[state >> 4] = block << 10;
	}
	return rc;
}

/* Kept from requests for a zone further up: of Normal nothing, of DMA32 its reserve. One number per kind of zone. */
static void protection(struct text *t, const struct text_source *src, const struct kmem_zone *zone)
{
	text_string(t, "\n        protection: (0");
	if (src->root->nr_zones > src->root->nr_nodes) {
		text_string(t, ", ");
		text_number(t, zone->lowmem_reserve, 0);
	}
	text_char(t, ')');
}

static void pcp_line(struct text *t, const char *name, uint64_t value)
{
	text_string(t, "\n              ");
	text_field(t, name, -9);
	text_char(t, ' ');
	text_number(t, value, 0);
}

static int pagesets(struct text *t, const struct text_source *src, unsigned int zone)
{
	unsigned int cpu;

	text_string(t, "\n  pagesets");
	for (cpu = 0; cpu < src->root->nr_cpus; cpu++) {
		uint64_t at = src->root->pcps + ((uint64_t)cpu * src->root->nr_zones + zone) * sizeof(struct kmem_pcp);
		struct kmem_pcp pcp;
		int rc = src->read(src->context, at, &pcp, sizeof(pcp));

		if (rc)
			return rc;
		text_string(t, "\n    cpu: ");
		text_number(t, cpu, 0);
		pcp_line(t, "count:", pcp.count);
		pcp_line(t, "high:", pcp.high);
		pcp_line(t, "batch:", pcp.batch);
		pcp_line(t, "high_min:", pcp.high_min);
		pcp_line(t, "high_max:", pcp.high_max);
	}
	return 0;
}

/* The node's own counters stand with its first zone. */
static void node_stats(struct text *t, const struct text_source *src, const struct kmem_zone *zones,
		       const struct usage *u, unsigned int node)
{
	uint64_t slab[2] = { 0, 0 };
	unsigned int zone;

	for (zone = 0; zone < src->root->nr_zones; zone++) {
		if (zones[zone].node != node)
			continue;
		slab[0] += u->slab[zone][0];
		slab[1] += u->slab[zone][1];
	}
	text_string(t, "\n  per-node stats");
	zone_counter(t, "nr_slab_reclaimable", slab[1]);
	zone_counter(t, "nr_slab_unreclaimable", slab[0]);
}

static void zone_numbers(struct text *t, const struct text_source *src, const struct kmem_zone *zone)
{
	static const char *const mark[] = { "min", "low", "high", "promo" };
	unsigned int i;

	text_string(t, "\n  pages free     ");
	text_number(t, zone->free_pages, 0);
	zone_pages(t, "boost", zone->watermark_boost);
	for (i = 0; i < KMEM_NR_WMARKS; i++)
		zone_pages(t, mark[i], zone->watermark[i] + zone->watermark_boost);
	zone_pages(t, "spanned", zone->present_pages);
	zone_pages(t, "present", zone->present_pages);
	zone_pages(t, "managed", MIN(zone->max_pages, zone->present_pages));
	zone_pages(t, "cma", 0);
	protection(t, src, zone);
	zone_counter(t, "nr_free_pages", zone->free_pages);
	for (i = KMEM_ZS_NUMA_HIT; i <= KMEM_ZS_NUMA_OTHER; i++)
		zone_counter(t, stat_name[i], zone->stat[i]);
}

int text_zoneinfo(struct text *t, const struct text_source *src)
{
	struct kmem_zone zones[KMEM_MAX_ZONES];
	uint64_t start[KMEM_MAX_ZONES];
	uint32_t nodes_seen = 0;
	struct usage u;
	unsigned int zone;
	int rc = read_zones(src, zones);

	if (!rc)
		rc = read_usage(src, &u);
	if (!rc)
		rc = add_pcp_stats(src, zones);
	if (!rc)
		rc = read_starts(src, start);
	for (zone = 0; !rc && zone < src->root->nr_zones; zone++) {
		unsigned int node = zones[zone].node % KMEM_MAX_NODES;

		zone_name(t, &zones[zone], 0);
		if (!(nodes_seen >> node & 1))
			node_stats(t, src, zones, &u, node);
		nodes_seen |= 1u << node;
		zone_numbers(t, src, &zones[zone]);
		rc = pagesets(t, src, zone);
		text_string(t, "\n  node_unreclaimable:  0\n  start_pfn:           ");
		text_number(t, start[zone], 0);
		text_char(t, '\n');
	}
	return rc;
}
