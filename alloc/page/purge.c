/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * purge.c - free blocks go back to the system, their addresses stay.
 *
 * A block is taken out of the free lists, so that nobody can get it, emptied
 * with the zone unlocked, and put back as known to be zero.
 *
 * Eagerly: free memory beyond what may stay goes back at once, by the thread that
 * frees. What may stay is learned. Where empty blocks are handed out soon after
 * others were emptied, that was regretted, and that much more may stay: a heap
 * that breathes keeps what it breathes with, and one that is freed goes at once.
 *
 * Decay: per zone the smallest number of dirty pages seen within a period is
 * what nobody needed for that long, however busy the rest was. That many go back
 * at the end of the period, whole pageblocks first, and that much less may stay.
 */
#include "page/purge.h"

#include "base/observe.h"
#include "base/os.h"
#include "base/trace.h"
#include "page/buddy.h"
#include "page/grow.h"
#include "page/pcp.h"
#include "page/vmstat.h"

/* Smaller blocks are not worth a system call. */
#define PURGE_ORDER 4

/* purge=threshold: free dirty memory that is kept for reuse whatever the load: 64 MiB. */
#define KEEP_PAGES (((uint64_t)64 << 20) >> PAGE_SHIFT)

/* The same for decay, before anything is learned: 512 KiB. */
#define KEEP_LEAST 128u

/* A look purges in such steps, 2 MiB or one block, for an eighth of the time since the last one, and not for longer. */
#define STEP_PAGES    PAGEBLOCK_PAGES
#define TIME_SHARE    8u
#define SPEND_MOST_NS UINT64_C(5000000)

/* Pages moved between two looks: so many, and half of the distance to the limit up to so many more. */
#define LOOK_PAGES     64
#define LOOK_PAGES_FAR 960u

bool purge_on_free KMEM_STATE;
void (*purge_on_demand)(void) KMEM_STATE;
int32_t purge_look_pages KMEM_STATE_SET = LOOK_PAGES;
__thread int32_t purge_moved_pages;

/* What is known of a zone, in pages. Written by whoever looks: guesses that may be a little off. */
struct zone_purge {
	uint64_t end_ns; /* of this period */
	uint64_t idle;   /* least dirty pages in it */
	uint64_t limit;  /* may stay free: learned */
	uint64_t debt;   /* given back in this period, and not yet regretted */
	uint64_t taken;  /* zone->emptied_taken when last looked at */
	uint64_t spent_ns; /* when time was last spent on purging */
};

static struct {
	enum kmem_purge_option when;
	bool lazily;
	uint64_t period_ns;
	struct zone_purge zone[KMEM_MAX_ZONES];
} purge KMEM_STATE;

void purge_init(enum kmem_purge_option when, unsigned int decay_ms, bool lazily)
{
	purge.when = when;
	purge_look_pages = when == KMEM_PURGE_NOW ? 1 : LOOK_PAGES;
	pcp_parks_costly = when != KMEM_PURGE_NOW;
	purge.lazily = lazily;
	purge.period_ns = (uint64_t)decay_ms * 1000000;
	if (when == KMEM_PURGE_NOW)
		purge_on_free = true;
}

void page_set_purge_on_free(bool on)
{
	purge_on_free = on;
}

/*
 * Huge pages behind what is purged in pieces would bring the memory back, on the
 * next touch or by the system's own initiative.
 */
static void break_huge_page(const struct page *page)
{
	struct kmem_zone *zone = zone_of(page);
	uint32_t index = ALIGN_DOWN(page_index(page), PAGEBLOCK_PAGES);
	bool huge;

	buddy_lock(zone);
	huge = pageblock_is_huge(index);
	pageblock_set_huge(index, false);
	buddy_unlock(zone);
	if (huge)
		os_advise_small(page_to_addr(page_at(index)), PAGE_SIZE << PAGEBLOCK_ORDER);
}

/* And where all of 4 MiB is free, they are wanted again. */
static void mend_huge_pages(struct kmem_zone *zone, const struct page *page)
{
	uint32_t index = page_index(page);

	if ((pageblock_is_huge(index) && pageblock_is_huge(index + PAGEBLOCK_PAGES)) || !grow_wants_huge(zone))
		return;
	os_advise_huge(page_to_addr(page), BLOCK_BYTES);
	buddy_lock(zone);
	pageblock_set_huge(index, true);
	pageblock_set_huge(index + PAGEBLOCK_PAGES, true);
	buddy_unlock(zone);
}

bool purge_pages(void *addr, size_t bytes)
{
	const struct page *page = addr_to_page(addr);

	if (bytes < PAGE_SIZE << PAGEBLOCK_ORDER && unlikely(pageblock_is_huge(page_index(page))))
		break_huge_page(page);
	if (purge.lazily ? os_purge_lazily(addr, bytes) : os_purge(addr, bytes))
		return false;
	if (trace_on(TRACE_PURGE))
		trace_purge(page_index(page), bytes >> PAGE_SHIFT, purge.lazily);
	return true;
}

/* Return: what the block is now, 0 when the system refused. */
static uint16_t empty(const struct page *page, size_t bytes)
{
	if (!purge_pages(page_to_addr(page), bytes))
		return 0;
	return purge.lazily ? KMEM_PG_LAZY : KMEM_PG_ZEROED;
}

/*
 * The descriptors and bitmaps of a block of 4 MiB without memory are 3 % of it, and
 * those behind its head say nothing: they become as they were before its first use.
 */
static void empty_metadata(struct kmem_zone *zone, const struct page *purged)
{
	struct page *page;
	uint8_t *first;

	buddy_lock(zone);
	page = buddy_take_empty(zone, page_index(purged));
	buddy_unlock(zone);
	if (!page)
		return;
	mend_huge_pages(zone, page);
	os_purge(page_bitmap(page), (size_t)BLOCK_PAGES * KMEM_BITMAP_BYTES);
	/* All but the page with the head's own. */
	first = (uint8_t *)page + PAGE_SIZE;
	os_purge(first, BLOCK_PAGES * sizeof(*page) - PAGE_SIZE);
	buddy_lock(zone);
	buddy_put(zone, page, MAX_PAGE_ORDER);
	buddy_unlock(zone);
}

static void add_debt(struct zone_purge *state, uint64_t pages)
{
	WRITE_ONCE(state->debt, READ_ONCE(state->debt) + pages);
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
		if (page->flags) {
			zone->purged_pages += bytes >> PAGE_SHIFT;
			add_debt(&purge.zone[zone_index(zone)], bytes >> PAGE_SHIFT);
		} else {
			keep = UINT64_MAX;
		}
		buddy_put(zone, page, page->order);
		buddy_unlock(zone);
		vm_count(KMEM_VM_PURGE, 1);
		empty_metadata(zone, page);
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

/* Empty blocks were handed out: had what was given back in this period stayed, it would have served. */
static void regret(const struct kmem_zone *zone, struct zone_purge *state)
{
	uint64_t taken = READ_ONCE(zone->emptied_taken), debt = READ_ONCE(state->debt);
	uint64_t again = MIN(taken - READ_ONCE(state->taken), debt);

	WRITE_ONCE(state->taken, taken);
	WRITE_ONCE(state->debt, debt - again);
	WRITE_ONCE(state->limit, READ_ONCE(state->limit) + again);
}

/* A step, and more while there is time. */
static void purge_down_to(struct kmem_zone *zone, uint64_t keep, uint64_t end_ns)
{
	uint64_t dirty, next;

	do {
		dirty = READ_ONCE(zone->dirty_pages);
		if (dirty <= keep)
			return;
		next = MAX(keep, dirty - MIN(dirty, (uint64_t)STEP_PAGES));
		/* What is in small pieces costs six times as much: when there is nothing else, and too much of it. */
		if (!purge_blocks(zone, PURGE_ORDER, next) && (dirty <= 2 * keep || !purge_blocks(zone, 1, next)))
			return;
	} while (os_now_ns() < end_ns);
}

/* How many dirty free pages may stay: what was learned, or a quarter of what is in use. */
static uint64_t may_stay(const struct kmem_zone *zone, const struct zone_purge *state)
{
	uint64_t in_use = READ_ONCE(zone->present_pages) - MIN(READ_ONCE(zone->present_pages), READ_ONCE(zone->free_pages));

	return MAX(MAX(READ_ONCE(state->limit), in_use / 4), (uint64_t)KEEP_LEAST);
}

/* The running CPU's parked pages count: they are as free. Return: pages that may become free until it has work. */
static uint64_t purge_eagerly(struct kmem_zone *zone, struct zone_purge *state, uint64_t now)
{
	uint64_t most = may_stay(zone, state), dirty = READ_ONCE(zone->dirty_pages), parked = pcp_count_this(zone);

	if (likely(dirty + parked <= most))
		return most - dirty - parked;
	/* No more of them: what is parked was put there to be taken again soon. */
	pcp_drain_this(zone, dirty + parked - most);
	if (READ_ONCE(zone->dirty_pages) > most)
		purge_down_to(zone, most - most / 4, now + MIN((now - READ_ONCE(state->spent_ns)) / TIME_SHARE, SPEND_MOST_NS));
	WRITE_ONCE(state->spent_ns, os_now_ns());
	return 0;
}

static void decay(struct kmem_zone *zone, struct zone_purge *state, uint64_t now)
{
	uint64_t dirty = READ_ONCE(zone->dirty_pages), due = READ_ONCE(state->end_ns), least = READ_ONCE(state->idle);
	uint64_t limit;

	if (dirty < least)
		WRITE_ONCE(state->idle, dirty);
	/* One thread ends the period. */
	if (now < due || !__atomic_compare_exchange_n(&state->end_ns, &due, now + purge.period_ns, false,
						      __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return;
	least = MIN(least, dirty);
	/* What rested in a per-CPU list was not needed either. */
	least += pcp_decay(zone);
	dirty = MAX(READ_ONCE(zone->dirty_pages), least);
	WRITE_ONCE(state->debt, 0);
	if (due && least) {
		purge_blocks(zone, PURGE_ORDER, dirty - least);
		limit = READ_ONCE(state->limit);
		WRITE_ONCE(state->limit, MIN(limit, dirty) - MIN(limit, least));
	}
	WRITE_ONCE(state->idle, READ_ONCE(zone->dirty_pages));
}

void purge_now_and_then(void)
{
	uint64_t now = purge.when == KMEM_PURGE_DECAY ? os_now_ns() : 0;
	uint64_t far = LOOK_PAGES_FAR * 2;
	unsigned int i;

	purge_moved_pages = 0;
	for (i = 0; i < zone_config.nr_zones; i++) {
		switch (purge.when) {
		case KMEM_PURGE_OFF:
			return;
		case KMEM_PURGE_NOW:
			purge_blocks(&zones[i], PURGE_ORDER, 0);
			break;
		case KMEM_PURGE_DECAY:
			regret(&zones[i], &purge.zone[i]);
			far = MIN(far, purge_eagerly(&zones[i], &purge.zone[i], now));
			decay(&zones[i], &purge.zone[i], now);
			break;
		case KMEM_PURGE_THRESHOLD:
			purge_excess(&zones[i]);
		}
	}
	if (purge.when != KMEM_PURGE_DECAY)
		return;
	purge_moved_pages = -(int32_t)(far / 2);
	if (unlikely(purge_on_demand))
		purge_on_demand();
}

uint64_t purge_excess_pages(void)
{
	uint64_t pages = 0;
	unsigned int i;

	for (i = 0; purge.when == KMEM_PURGE_DECAY && i < zone_config.nr_zones; i++)
		if (READ_ONCE(zones[i].dirty_pages) > may_stay(&zones[i], &purge.zone[i]))
			pages += READ_ONCE(zones[i].dirty_pages);
	return pages;
}

void purge_call(void)
{
	if (purge_excess_pages())
		observe_call();
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
