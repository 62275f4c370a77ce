/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * purge.c - free blocks go back to the system, their addresses stay.
 *
 * A block is taken out of the free lists, so that nobody can get it, emptied
 * with the zone unlocked, and put back as known to be zero.
 *
 * Decay: per zone the smallest number of dirty pages seen within a period is
 * what nobody needed for that long, however busy the rest was. That many go back
 * at the end of the period, whole pageblocks first. A heap that breathes keeps
 * what it breathes with.
 */
#include "page/purge.h"

#include "base/os.h"
#include "page/buddy.h"
#include "page/pcp.h"
#include "page/vmstat.h"

/* Smaller blocks are not worth a system call. */
#define PURGE_ORDER 4

/* Free dirty memory that is kept for reuse whatever the load: 64 MiB. */
#define KEEP_PAGES (((uint64_t)64 << 20) >> PAGE_SHIFT)

#define TICKS 16u

bool purge_on_free KMEM_STATE;
unsigned int purge_tick_mask KMEM_STATE = TICKS - 1;
__thread unsigned int purge_ticks;

static struct {
	enum kmem_purge_option when;
	bool lazily;
	uint64_t period_ns;
	struct {
		uint64_t end_ns; /* of this period */
		uint64_t idle;   /* least dirty pages in it */
	} zone[KMEM_MAX_ZONES];
} purge KMEM_STATE;

void purge_init(enum kmem_purge_option when, unsigned int decay_ms, bool lazily)
{
	purge.when = when;
	purge_tick_mask = when == KMEM_PURGE_NOW ? 0 : TICKS - 1;
	purge.lazily = lazily;
	purge.period_ns = (uint64_t)decay_ms * 1000000;
	if (when == KMEM_PURGE_NOW)
		purge_on_free = true;
}

void page_set_purge_on_free(bool on)
{
	purge_on_free = on;
}

/* Return: what the block is now, 0 when the system refused. */
static uint16_t empty(const struct page *page, size_t bytes)
{
	if (purge.lazily)
		return os_purge_lazily(page_to_addr(page), bytes) ? 0 : KMEM_PG_LAZY;
	return os_purge(page_to_addr(page), bytes) ? 0 : KMEM_PG_ZEROED;
}

size_t purge_blocks(struct kmem_zone *zone, unsigned int min_order, uint64_t keep)
{
	size_t purged = 0;

	/* Pages of the system's pool stay ours. */
	if (zone == zone_config.huge)
		return 0;
	while (READ_ONCE(zone->dirty_pages) > keep) {
		struct page *page;
		size_t bytes;

		buddy_lock(zone);
		page = buddy_take_dirty(zone, min_order);
		buddy_unlock(zone);
		if (!page)
			return purged;
		bytes = PAGE_SIZE << page->order;
		page->flags = empty(page, bytes);
		if (page->flags)
			purged += bytes;
		buddy_lock(zone);
		if (page->flags)
			zone->purged_pages += bytes >> PAGE_SHIFT;
		else
			keep = UINT64_MAX;
		buddy_put(zone, page, page->order);
		buddy_unlock(zone);
		vm_count(KMEM_VM_PURGE, 1);
	}
	return purged;
}

/* How many dirty free pages may stay: at least 64 MiB, or a quarter of what is in use. */
static uint64_t keep_pages(const struct kmem_zone *zone)
{
	uint64_t in_use = READ_ONCE(zone->present_pages) - READ_ONCE(zone->free_pages);

	return MAX(KEEP_PAGES, in_use / 4);
}

/* So much is free that giving half of it back pays for the system calls. */
static void purge_excess(struct kmem_zone *zone)
{
	uint64_t keep = keep_pages(zone);

	if (unlikely(READ_ONCE(zone->dirty_pages) > 2 * keep))
		purge_blocks(zone, PAGEBLOCK_ORDER, keep);
}

static void decay(struct kmem_zone *zone, uint64_t now)
{
	uint64_t *idle = &purge.zone[zone_index(zone)].idle, *end = &purge.zone[zone_index(zone)].end_ns;
	uint64_t dirty = READ_ONCE(zone->dirty_pages), due = READ_ONCE(*end), least = READ_ONCE(*idle);

	if (dirty < least)
		WRITE_ONCE(*idle, dirty);
	/* One thread ends the period. */
	if (now < due || !__atomic_compare_exchange_n(end, &due, now + purge.period_ns, false, __ATOMIC_RELAXED,
						      __ATOMIC_RELAXED))
		return;
	pcp_decay();
	least = MIN(least, dirty);
	if (due && least)
		purge_blocks(zone, PURGE_ORDER, dirty - least);
	WRITE_ONCE(*idle, READ_ONCE(zone->dirty_pages));
}

void purge_now_and_then(void)
{
	uint64_t now = purge.when == KMEM_PURGE_DECAY ? os_now_ns() : 0;
	unsigned int i;

	for (i = 0; i < zone_config.nr_zones; i++) {
		switch (purge.when) {
		case KMEM_PURGE_OFF:
			return;
		case KMEM_PURGE_NOW:
			purge_blocks(&zones[i], PURGE_ORDER, 0);
			break;
		case KMEM_PURGE_DECAY:
			decay(&zones[i], now);
			purge_excess(&zones[i]);
			break;
		case KMEM_PURGE_THRESHOLD:
			purge_excess(&zones[i]);
		}
	}
}

KMEM_API size_t kmem_page_purge(unsigned int min_order)
{
	size_t bytes = 0;
	unsigned int i;

	pcp_drain_all();
	for (i = 0; i < zone_config.nr_zones; i++)
		bytes += purge_blocks(&zones[i], MIN(min_order, (unsigned int)MAX_PAGE_ORDER), 0);
	return bytes;
}
