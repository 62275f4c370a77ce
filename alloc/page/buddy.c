/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buddy.c - free blocks of 2^order pages, after mm/page_alloc.c.
 *
 * A block of order o starts at a page index that is a multiple of 2^o, and its
 * buddy is at index ^ 2^o. Only the head of a free block has the type FREE: a
 * head that is merged away or handed out loses it at once, so "is my buddy
 * free?" is one look at one descriptor. Blocks of 4 MiB never merge, so a block
 * never spans two zones.
 *
 * Blocks are kept by the mobility of their pageblock (2 MiB). A request whose
 * lists are empty takes from another type: the largest block first, and if at
 * least half of the pageblock is free or of a compatible type, the whole
 * pageblock changes type (claim). Otherwise the smallest block that fits is
 * taken and only its pages wander (steal).
 *
 * Each list is two: blocks that hold memory are taken before those that were
 * never touched or given back, so that what is in use stays small.
 *
 * zone->lock guards all of it, the descriptors of free blocks included.
 */
#include "page/buddy.h"

#include "base/report.h"
#include "base/trace.h"

#define COSTLY_ORDER 3u /* the kernel's: up to there blocks go through per-CPU lists */

/* Blocks of one list looked at for one to purge: the zone is locked meanwhile. */
#define PURGE_TRIES 8u

bool buddy_shuffle KMEM_STATE;

_Static_assert(KMEM_NR_ORDERS == NR_PAGE_ORDERS, "the descriptor's lists are ours");

/* ---- the lock ---- */

/* Blocks left by buddy_free(). Their chain is ours once it is off the zone. */
static void take_deferred(struct kmem_zone *zone)
{
	uint32_t at = READ_ONCE(zone->deferred);

	if (likely(!at))
		return;
	at = __atomic_exchange_n(&zone->deferred, 0, __ATOMIC_ACQUIRE);
	while (at) {
		struct page *page = page_at(at);

		at = page->next;
		buddy_put(zone, page, page->order);
	}
}

static void locked(struct kmem_zone *zone)
{
	seq_begin(&zone->seq);
	take_deferred(zone);
}

void buddy_lock(struct kmem_zone *zone)
{
	lock_acquire_polled(&zone->lock, LOCK_ZONE);
	locked(zone);
}

bool buddy_lock_spin(struct kmem_zone *zone)
{
	if (!lock_try_spin(&zone->lock, LOCK_ZONE))
		return false;
	locked(zone);
	return true;
}

bool buddy_lock_try(struct kmem_zone *zone)
{
	if (!lock_try(&zone->lock, LOCK_ZONE))
		return false;
	locked(zone);
	return true;
}

bool buddy_lock_for(struct kmem_zone *zone, unsigned int flags)
{
	if (flags & ALLOC_TRY)
		return buddy_lock_try(zone);
	if (!(flags & ALLOC_WAIT))
		return buddy_lock_spin(zone);
	buddy_lock(zone);
	return true;
}

void buddy_unlock(struct kmem_zone *zone)
{
	seq_end(&zone->seq);
	lock_release_polled(&zone->lock, LOCK_ZONE);
}

/* ---- lists ---- */

enum migratetype buddy_fallback(enum migratetype type, unsigned int nth)
{
	static const uint8_t fallback[KMEM_NR_PCPTYPES][KMEM_NR_PCPTYPES - 1] = {
		[MIGRATE_UNMOVABLE] = { MIGRATE_RECLAIMABLE, MIGRATE_MOVABLE },
		[MIGRATE_MOVABLE] = { MIGRATE_RECLAIMABLE, MIGRATE_UNMOVABLE },
		[MIGRATE_RECLAIMABLE] = { MIGRATE_UNMOVABLE, MIGRATE_MOVABLE },
	};

	return (enum migratetype)fallback[type][nth];
}

/* So many pages of a free block came, so many of them dirty; or went (then 0 - pages). */
static force_inline void account(struct kmem_zone *zone, const struct page *page, uint64_t pages, uint64_t dirty)
{
	WRITE_ONCE(zone->free_pages, zone->free_pages + pages);
	WRITE_ONCE(zone->dirty_pages, zone->dirty_pages + dirty);
	if (page->migratetype == MIGRATE_HIGHATOMIC)
		WRITE_ONCE(zone->highatomic_free, zone->highatomic_free + pages);
}

static force_inline void insert(struct page *page, uint32_t prev, uint32_t next)
{
	page->prev = prev;
	page->next = next;
	if (prev)
		page_at(prev)->next = page_index(page);
	if (next)
		page_at(next)->prev = page_index(page);
}

/* Into and out of a list, not counted in the zone. */
static force_inline void link_block(struct kmem_zone *zone, struct page *page, unsigned int order,
				    enum migratetype type, bool at_tail)
{
	struct kmem_free_list *list = &zone->free_list[order][type];
	uint32_t index = page_index(page);

	page_set_type(page, KMEM_PAGE_FREE);
	WRITE_ONCE(page->order, (uint8_t)order);
	WRITE_ONCE(page->migratetype, (uint8_t)type);
	WRITE_ONCE(page->nr_pages, 1u << order);
	if (page->flags & KMEM_PG_CLEAN) {
		insert(page, 0, list->clean);
		list->clean = index;
	} else if (at_tail) {
		insert(page, list->tail, 0);
		list->tail = index;
		list->head = list->head ? list->head : index;
	} else {
		insert(page, 0, list->head);
		list->head = index;
		list->tail = list->tail ? list->tail : index;
	}
	WRITE_ONCE(list->nr, list->nr + 1);
}

static force_inline void unlink_block(struct kmem_zone *zone, struct page *page)
{
	struct kmem_free_list *list = &zone->free_list[page->order][page->migratetype];
	bool clean = page->flags & KMEM_PG_CLEAN;

	if (page->next)
		page_at(page->next)->prev = page->prev;
	else if (!clean)
		list->tail = page->prev;
	if (page->prev)
		page_at(page->prev)->next = page->next;
	else if (clean)
		list->clean = page->next;
	else
		list->head = page->next;
	WRITE_ONCE(list->nr, list->nr - 1);
	page_set_type(page, KMEM_PAGE_TAIL);
}

static void list_add(struct kmem_zone *zone, struct page *page, unsigned int order, enum migratetype type,
		     bool at_tail)
{
	link_block(zone, page, order, type, at_tail);
	account(zone, page, UINT64_C(1) << order, page->inuse);
}

static void list_del(struct kmem_zone *zone, struct page *page)
{
	unlink_block(zone, page);
	account(zone, page, 0 - (UINT64_C(1) << page->order), 0 - (uint64_t)page->inuse);
}

static uint32_t first_of(const struct kmem_free_list *list)
{
	return list->head ? list->head : list->clean;
}

/* ---- take ---- */

/*
 * How many of the dirty pages of a block are in its upper half. Blocks are used from
 * their start, so the lower one is filled first; but none is said to hold nothing.
 */
static force_inline uint16_t upper_dirty(uint16_t dirty, uint32_t half)
{
	if (!dirty)
		return 0;
	return (uint16_t)(dirty > half ? dirty - half : 1);
}

/* Link the upper halves of a block until it has the wanted order. They count as free still. Return: dirty pages in them. */
static force_inline uint64_t split(struct kmem_zone *zone, struct page *page, unsigned int from, unsigned int to,
		  enum migratetype type)
{
	uint64_t sum = 0;

	while (from > to) {
		struct page *upper;

		from--;
		upper = page_behind(page, 1u << from);
		upper->flags = page->flags & KMEM_PG_CLEAN;
		upper->inuse = upper_dirty(page->inuse, 1u << from);
		page->inuse = (uint16_t)MAX(page->inuse - upper->inuse, page->inuse ? 1 : 0);
		sum += upper->inuse;
		link_block(zone, upper, from, type, false);
	}
	WRITE_ONCE(page->order, (uint8_t)to);
	WRITE_ONCE(page->nr_pages, 1u << to);
	return sum;
}

/* What this costs in page faults is what purge learns from. */
static force_inline void count_emptied(struct kmem_zone *zone, const struct page *page, uint64_t pages)
{
	if (page->flags & KMEM_PG_CLEAN)
		WRITE_ONCE(zone->emptied_taken, zone->emptied_taken + pages);
}

static force_inline struct page *take_first(struct kmem_zone *zone, unsigned int current, unsigned int order,
			       enum migratetype type)
{
	uint32_t head = first_of(&zone->free_list[current][type]);
	struct page *page = page_at(head);
	uint64_t dirty = page->inuse;

	if (!head)
		return NULL;
	unlink_block(zone, page);
	count_emptied(zone, page, UINT64_C(1) << order);
	dirty = split(zone, page, current, order, type) - dirty;
	account(zone, page, 0 - (UINT64_C(1) << order), dirty);
	return page;
}

static struct page *take_smallest(struct kmem_zone *zone, unsigned int order, enum migratetype type)
{
	unsigned int current;
	struct page *page = NULL;

	for (current = order; current <= MAX_PAGE_ORDER && !page; current++)
		page = take_first(zone, current, order, type);
	if (page && trace_on(TRACE_MM_PAGE_ALLOC_ZONE_LOCKED))
		trace_mm_page_alloc_zone_locked(page_index(page), order, type,
						order <= COSTLY_ORDER && type < KMEM_NR_PCPTYPES);
	return page;
}

struct pageblock_use {
	uint32_t free;    /* pages */
	uint32_t movable; /* pages in use that were asked for as movable */
};

/*
 * Who uses a pageblock. Descriptors of blocks in use belong to others and may
 * change meanwhile: the answer is for heuristics, and the walk stays inside.
 */
static struct pageblock_use pageblock_use(uint32_t index)
{
	uint32_t at = ALIGN_DOWN(index, PAGEBLOCK_PAGES), end = at + PAGEBLOCK_PAGES;
	struct pageblock_use use = { 0, 0 };

	while (at < end) {
		const struct page *page = page_at(at);
		uint8_t type = READ_ONCE(page->type);
		uint32_t nr = 1;

		if (type != KMEM_PAGE_TAIL && type != KMEM_PAGE_RESERVED)
			nr = MIN(MAX(READ_ONCE(page->nr_pages), 1u), end - at);
		if (type == KMEM_PAGE_FREE)
			use.free += nr;
		else if (READ_ONCE(page->migratetype) == MIGRATE_MOVABLE && type != KMEM_PAGE_TAIL)
			use.movable += nr;
		at += nr;
	}
	return use;
}

/* Change the type of a pageblock and move its free blocks to that type's lists. */
static void claim_pageblock(struct kmem_zone *zone, uint32_t index, enum migratetype type)
{
	uint32_t start = ALIGN_DOWN(index, PAGEBLOCK_PAGES), at = start;

	pageblock_set_type(index, type);
	while (at < start + PAGEBLOCK_PAGES) {
		struct page *page = page_at(at);
		unsigned int order = READ_ONCE(page->order);

		if (READ_ONCE(page->type) != KMEM_PAGE_FREE) {
			at++;
			continue;
		}
		list_del(zone, page);
		list_add(zone, page, order, type, false);
		at += 1u << order;
	}
}

/* Whether pages of `type` of this order, and all larger ones, may take whole pageblocks over. */
static bool may_claim(unsigned int order, enum migratetype type)
{
	/* The block is the pageblock, or more. */
	if (order >= PAGEBLOCK_ORDER)
		return true;
	/* Movable pages do not fragment others for long: let them wander unless the block is big. */
	return order >= PAGEBLOCK_ORDER / 2 || type != MIGRATE_MOVABLE;
}

/* Whether enough of a pageblock is free, or in use by what its new type gets on with. */
static bool is_compatible(uint32_t index, enum migratetype type)
{
	struct pageblock_use use = pageblock_use(index);
	uint32_t alike = 0;

	if (type == MIGRATE_MOVABLE)
		alike = use.movable;
	else if (pageblock_type(index) == MIGRATE_MOVABLE)
		/* What is not movable in there wandered in: unmovable or reclaimable. */
		alike = PAGEBLOCK_PAGES - MIN(use.free + use.movable, PAGEBLOCK_PAGES);
	return use.free + alike >= PAGEBLOCK_PAGES / 2;
}

static void claim(struct kmem_zone *zone, const struct page *page, enum migratetype type)
{
	uint32_t index = page_index(page), end = index + (1u << page->order);

	for (index = ALIGN_DOWN(index, PAGEBLOCK_PAGES); index < end; index += PAGEBLOCK_PAGES) {
		claim_pageblock(zone, index, type);
		zone->stat[KMEM_ZS_CLAIM]++;
	}
}

/* Types mix, or a pageblock changed its own. */
static void trace_fallback(const struct page *page, unsigned int order, unsigned int from, enum migratetype type,
			   enum migratetype fallback)
{
	if (trace_on(TRACE_MM_PAGE_ALLOC_EXTFRAG))
		trace_mm_page_alloc_extfrag(page_index(page), (int)order, (int)from, (int)type, (int)fallback,
					    pageblock_type(page_index(page)) == type);
}

/* Take a pageblock over for `type`, looking at the largest free blocks first. */
static struct page *take_by_claim(struct kmem_zone *zone, unsigned int order, enum migratetype type)
{
	struct page *page;
	unsigned int current, nth;

	for (current = MAX_PAGE_ORDER + 1; current-- > order && may_claim(current, type);) {
		for (nth = 0; nth < KMEM_NR_PCPTYPES - 1; nth++) {
			uint32_t head = first_of(&zone->free_list[current][buddy_fallback(type, nth)]);

			if (!head)
				continue;
			if (current < PAGEBLOCK_ORDER) {
				/* Types mix from here on. */
				zone_boost_watermark(zone);
				if (!is_compatible(head, type))
					continue;
			}
			claim(zone, page_at(head), type);
			page = take_smallest(zone, order, type);
			trace_fallback(page, order, current, type, buddy_fallback(type, nth));
			return page;
		}
	}
	return NULL;
}

/* Take just the pages, of the smallest free block that will do. */
static struct page *take_by_steal(struct kmem_zone *zone, unsigned int order, enum migratetype type)
{
	unsigned int current, nth;

	for (current = order; current <= MAX_PAGE_ORDER; current++) {
		for (nth = 0; nth < KMEM_NR_PCPTYPES - 1; nth++) {
			struct page *page = take_first(zone, current, order, buddy_fallback(type, nth));

			if (page) {
				zone->stat[KMEM_ZS_STEAL]++;
				trace_fallback(page, order, current, type, buddy_fallback(type, nth));
				return page;
			}
		}
	}
	return NULL;
}

struct page *buddy_take(struct kmem_zone *zone, unsigned int order, enum migratetype type, unsigned int flags)
{
	struct page *page = NULL;

	if (flags & ALLOC_HIGHATOMIC)
		page = take_smallest(zone, order, MIGRATE_HIGHATOMIC);
	if (!page)
		page = take_smallest(zone, order, type);
	if (!page)
		page = take_by_claim(zone, order, type);
	if (!page)
		page = take_by_steal(zone, order, type);
	if (!page && (flags & ALLOC_NON_BLOCK))
		page = take_smallest(zone, order, MIGRATE_HIGHATOMIC);
	return page;
}

/* ---- put ---- */

static bool is_free(const struct page *page, unsigned int order)
{
	return READ_ONCE(page->type) == KMEM_PAGE_FREE && page->order == order;
}

/* The free block of the same order that `page` merges with, or NULL. */
static force_inline struct page *mergeable_buddy(uint32_t index, unsigned int order)
{
	uint32_t buddy = index ^ (1u << order);

	if (order >= MAX_PAGE_ORDER || !is_free(page_at(buddy), order))
		return NULL;
	/* A reserved pageblock stays apart from its neighbour. */
	if (order >= PAGEBLOCK_ORDER &&
	    (pageblock_type(index) == MIGRATE_HIGHATOMIC || pageblock_type(buddy) == MIGRATE_HIGHATOMIC))
		return NULL;
	return page_at(buddy);
}

/* A block dirty in part is dirty as a whole; zero in part, it is not zero. */
static uint16_t merged_flags(const struct page *a, const struct page *b)
{
	uint16_t both = a->flags & b->flags & KMEM_PG_CLEAN;

	if (both || !(a->flags & KMEM_PG_CLEAN) || !(b->flags & KMEM_PG_CLEAN))
		return both;
	return KMEM_PG_LAZY;
}

/*
 * A block goes to the end of its list when the block that it would merge into has
 * a free buddy, too: left alone for a while, both may become one.
 */
static bool merge_is_likely(uint32_t index, unsigned int order)
{
	uint32_t parent = index & ~(1u << order);

	if (order >= MAX_PAGE_ORDER - 1)
		return false;
	return is_free(page_at(parent ^ (2u << order)), order + 1);
}

/* A cheap coin: where the largest blocks go need not be secret, only different. */
static bool coin(void)
{
	static uint32_t state KMEM_STATE_SET = 1;

	state = state * 1664525u + 1013904223u;
	return state >> 31;
}

void buddy_put(struct kmem_zone *zone, struct page *page, unsigned int order)
{
	struct page *buddy;
	uint32_t dirty;
	bool at_tail;

	BUG_ON(page->type == KMEM_PAGE_FREE || page->type == KMEM_PAGE_RESERVED);
	page->flags &= KMEM_PG_CLEAN;
	dirty = page->flags ? 0 : 1u << order;
	page_set_type(page, KMEM_PAGE_TAIL);
	while ((buddy = mergeable_buddy(page_index(page), order))) {
		uint16_t flags = merged_flags(page, buddy);

		unlink_block(zone, buddy);
		account(zone, buddy, 0 - (UINT64_C(1) << order), 0 - (uint64_t)buddy->inuse);
		dirty += buddy->inuse;
		page = page_index(page) & (1u << order) ? buddy : page;
		page->flags = flags;
		order++;
	}
	page->inuse = (uint16_t)dirty;
	/* Two pageblocks of different type in one block: it belongs to the first. */
	if (order > PAGEBLOCK_ORDER)
		pageblock_set_type(page_index(page) + PAGEBLOCK_PAGES, pageblock_type(page_index(page)));
	at_tail = buddy_shuffle && order == MAX_PAGE_ORDER ? coin() : merge_is_likely(page_index(page), order);
	list_add(zone, page, order, pageblock_type(page_index(page)), at_tail);
}

static void defer(struct kmem_zone *zone, struct page *page, unsigned int order)
{
	uint32_t head = READ_ONCE(zone->deferred);

	WRITE_ONCE(page->order, (uint8_t)order);
	WRITE_ONCE(page->nr_pages, 1u << order);
	page_set_type(page, KMEM_PAGE_PCP);
	do {
		page->next = head;
	} while (!__atomic_compare_exchange_n(&zone->deferred, &head, page_index(page), true, __ATOMIC_RELEASE,
					      __ATOMIC_RELAXED));
	/* The holder may have looked before; whoever locks next will see it. */
	if (buddy_lock_try(zone))
		buddy_unlock(zone);
}

void buddy_free(struct kmem_zone *zone, struct page *page, unsigned int order)
{
	if (!buddy_lock_spin(zone)) {
		defer(zone, page, order);
		return;
	}
	buddy_put(zone, page, order);
	buddy_unlock(zone);
}

/* ---- runs ---- */

/* Blocks of one list looked at for a run: more would keep the zone locked for long. */
#define RUN_TRIES 16u

static bool is_free_of(uint32_t index, enum migratetype type)
{
	const struct page *page = page_at(index);

	return READ_ONCE(page->type) == KMEM_PAGE_FREE && page->migratetype == type;
}

/* End of the free blocks of this type in a row from index on, as far as `end`; all in one arena block. */
static uint32_t run_end(uint32_t index, uint32_t end, enum migratetype type)
{
	while (index < end && (index & (BLOCK_PAGES - 1)) && is_free_of(index, type))
		index += 1u << page_at(index)->order;
	return index;
}

/* First page of the free block that ends at index, or index. */
static uint32_t block_before(uint32_t index, enum migratetype type)
{
	unsigned int order;

	for (order = 0; order < MAX_PAGE_ORDER && !(index & ((1u << order) - 1)); order++) {
		uint32_t start = index - (1u << order);

		if ((index & (BLOCK_PAGES - 1)) && is_free_of(start, type) && page_at(start)->order == order)
			return start;
	}
	return index;
}

/* Where a run of nr pages begins that holds the free block at index, 0 when there is none. */
static uint32_t find_run(uint32_t index, uint32_t nr, enum migratetype type)
{
	uint32_t after = index + (1u << page_at(index)->order);
	uint32_t end = run_end(after, index + nr, type), start = index, before;

	while (end - start < nr) {
		before = block_before(start, type);
		if (before == start)
			return 0;
		start = before;
	}
	return start;
}

/* Put [from, to) of a block that was taken apart back, in aligned pieces. */
static void put_rest(struct kmem_zone *zone, uint32_t from, uint32_t to, uint16_t flags)
{
	while (from < to) {
		unsigned int order = (unsigned int)__builtin_ctz(from | BLOCK_PAGES);

		while (1u << order > to - from)
			order--;
		page_at(from)->flags = flags;
		page_set_type(page_at(from), KMEM_PAGE_TAIL);
		buddy_put(zone, page_at(from), order);
		from += 1u << order;
	}
}

static struct page *take_run_at(struct kmem_zone *zone, uint32_t start, uint32_t nr)
{
	struct page *page = page_at(start);
	uint16_t flags = page->flags;
	uint32_t at = start, end = start;

	while (end < start + nr) {
		at = end;
		end += 1u << page_at(at)->order;
		flags = merged_flags(page_at(at), &(struct page){ .flags = flags });
		list_del(zone, page_at(at));
	}
	put_rest(zone, start + nr, end, page_at(at)->flags & KMEM_PG_CLEAN);
	page->flags = flags;
	count_emptied(zone, page, nr);
	WRITE_ONCE(page->nr_pages, nr);
	return page;
}

static uint32_t find_run_in(uint32_t at, uint32_t nr, enum migratetype type)
{
	unsigned int tries;
	uint32_t start = 0;

	for (tries = 0; at && !start && tries < RUN_TRIES; tries++, at = page_at(at)->next)
		start = find_run(at, nr, type);
	return start;
}

struct page *buddy_take_run(struct kmem_zone *zone, uint32_t nr, enum migratetype type)
{
	/* A run of nr pages holds an aligned block of at least a quarter of that. */
	unsigned int order = fls64(nr / 4 + 1) - 1;

	for (; order <= MAX_PAGE_ORDER; order++) {
		const struct kmem_free_list *list = &zone->free_list[order][type];
		uint32_t start = find_run_in(list->head, nr, type);

		if (!start)
			start = find_run_in(list->clean, nr, type);
		if (start)
			return take_run_at(zone, start, nr);
	}
	return NULL;
}

bool buddy_take_these(struct kmem_zone *zone, uint32_t index, uint32_t nr)
{
	if (run_end(index, index + nr, pageblock_type(index)) < index + nr)
		return false;
	take_run_at(zone, index, nr);
	return true;
}

/* ---- reserves, purge ---- */

void buddy_reserve_highatomic(struct kmem_zone *zone, const struct page *page)
{
	uint64_t most = zone_managed_pages(zone) / 100;
	uint32_t index = page_index(page);

	if (most < PAGEBLOCK_PAGES || zone->highatomic_pages >= ALIGN_UP(most, (uint64_t)PAGEBLOCK_PAGES) ||
	    pageblock_type(index) == MIGRATE_HIGHATOMIC || page->order >= PAGEBLOCK_ORDER)
		return;
	claim_pageblock(zone, index, MIGRATE_HIGHATOMIC);
	WRITE_ONCE(zone->highatomic_pages, zone->highatomic_pages + PAGEBLOCK_PAGES);
}

bool buddy_unreserve_highatomic(struct kmem_zone *zone, enum migratetype type, bool force)
{
	unsigned int order;

	if (zone->highatomic_pages <= (force ? 0 : PAGEBLOCK_PAGES))
		return false;
	for (order = 0; order <= MAX_PAGE_ORDER; order++) {
		uint32_t head = first_of(&zone->free_list[order][MIGRATE_HIGHATOMIC]);

		if (!head)
			continue;
		claim_pageblock(zone, head, type);
		WRITE_ONCE(zone->highatomic_pages, zone->highatomic_pages - PAGEBLOCK_PAGES);
		return true;
	}
	return false;
}

/* Whether taking a piece out of this pageblock's memory would break up a huge page in good use. */
static bool breaks_huge_page(uint32_t index)
{
	return pageblock_is_huge(index) && pageblock_use(index).free < PAGEBLOCK_PAGES / 2;
}

struct page *buddy_take_dirty(struct kmem_zone *zone, unsigned int min_order)
{
	unsigned int order, type;

	for (order = MAX_PAGE_ORDER + 1; order-- > min_order;) {
		for (type = 0; type < KMEM_NR_MIGRATETYPES; type++) {
			uint32_t at = zone->free_list[order][type].tail;
			struct page *page = page_at(at);

			unsigned int tries = PURGE_TRIES;

			while (at && order < PAGEBLOCK_ORDER && min_order && breaks_huge_page(at)) {
				at = --tries ? page->prev : 0;
				page = page_at(at);
			}
			if (!at)
				continue;
			list_del(zone, page);
			return page;
		}
	}
	return NULL;
}

struct page *buddy_take_empty(struct kmem_zone *zone, uint32_t index)
{
	struct page *page = page_at(ALIGN_DOWN(index, BLOCK_PAGES));

	if (!is_free(page, MAX_PAGE_ORDER) || !(page->flags & KMEM_PG_CLEAN))
		return NULL;
	list_del(zone, page);
	return page;
}

struct page *buddy_take_block(struct kmem_zone *zone)
{
	unsigned int type;

	for (type = 0; type < KMEM_NR_PCPTYPES; type++) {
		struct page *page = take_first(zone, MAX_PAGE_ORDER, MAX_PAGE_ORDER, (enum migratetype)type);

		if (page)
			return page;
	}
	return NULL;
}

/* ---- check ---- */

/* Adds the dirty pages of the list to *dirty. Return: blocks. */
static uint64_t validate_chain(struct kmem_zone *zone, uint32_t at, unsigned int order, unsigned int type,
			       bool clean, uint32_t *last, uint64_t *dirty)
{
	uint64_t nr = 0;

	for (*last = 0; at; *last = at, at = page_at(at)->next) {
		const struct page *page = page_at(at);

		BUG_ON(page->type != KMEM_PAGE_FREE || page->order != order || page->prev != *last);
		BUG_ON(page->nr_pages != 1u << order);
		BUG_ON(at & ((1u << order) - 1));
		BUG_ON(page->migratetype != type || zone_of(page) != zone);
		BUG_ON(!!(page->flags & KMEM_PG_CLEAN) != clean);
		BUG_ON(clean ? page->inuse : !page->inuse || page->inuse > 1u << order);
		*dirty += page->inuse;
		BUG_ON(pageblock_type(at) != type);
		/* Two free buddies would have been merged. */
		BUG_ON(mergeable_buddy(at, order));
		nr++;
	}
	return nr;
}

void buddy_validate(struct kmem_zone *zone)
{
	unsigned int order, type;
	uint64_t pages = 0, dirty = 0, highatomic = 0;

	for (order = 0; order <= MAX_PAGE_ORDER; order++) {
		for (type = 0; type < KMEM_NR_MIGRATETYPES; type++) {
			const struct kmem_free_list *list = &zone->free_list[order][type];
			uint32_t last;
			uint64_t with = validate_chain(zone, list->head, order, type, false, &last, &dirty);
			uint64_t without;

			BUG_ON(last != list->tail);
			without = validate_chain(zone, list->clean, order, type, true, &last, &dirty);
			BUG_ON(with + without != list->nr);
			pages += (with + without) << order;
			highatomic += type == MIGRATE_HIGHATOMIC ? (with + without) << order : 0;
		}
	}
	BUG_ON(pages != zone->free_pages);
	BUG_ON(dirty != zone->dirty_pages);
	BUG_ON(highatomic != zone->highatomic_free);
	BUG_ON(highatomic > zone->highatomic_pages);
	BUG_ON(zone->free_pages > zone->present_pages);
}
