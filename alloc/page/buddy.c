/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buddy.c - free blocks of 2^order pages, after mm/page_alloc.c.
 *
 * A block of order o starts at a page index that is a multiple of 2^o, and its
 * buddy is at index ^ 2^o. Only the head of a free block has the type FREE: a
 * head that is merged away or handed out loses it at once, so "is my buddy
 * free?" is one look at one descriptor.
 *
 * Blocks are kept by the mobility of their pageblock (2 MiB). A request whose
 * lists are empty takes from another type: the largest block first, and if that
 * leaves at least half of the pageblock to it, the whole pageblock changes type
 * (claim). Otherwise only the pages wander (steal).
 *
 * zones[0].lock guards all of it, the descriptors of free blocks included.
 */
#include "page/buddy.h"

#include <errno.h>

#include "base/numa.h"
#include "base/observe.h"
#include "base/os.h"
#include "base/report.h"
#include "page/arena.h"

/* From this much arena on, new blocks are backed by huge pages. */
#define HUGE_FROM_PAGES (((uint64_t)64 << 20) >> PAGE_SHIFT)

struct kmem_zone zones[KMEM_MAX_NODES] KMEM_STATE;

_Static_assert(KMEM_NR_ORDERS == NR_PAGE_ORDERS, "the descriptor's lists are ours");

void buddy_init(void)
{
	observe_root.zones = (uintptr_t)zones;
	observe_root.nr_nodes = numa_nr_nodes();
}

void buddy_lock(void)
{
	lock_acquire(&zones[0].lock, LOCK_ZONE);
	seq_begin(&zones[0].seq);
}

void buddy_unlock(void)
{
	seq_end(&zones[0].seq);
	lock_release(&zones[0].lock, LOCK_ZONE);
}

enum migratetype buddy_fallback(enum migratetype type, unsigned int nth)
{
	static const uint8_t fallback[KMEM_NR_MIGRATETYPES][KMEM_NR_MIGRATETYPES - 1] = {
		[MIGRATE_UNMOVABLE] = { MIGRATE_RECLAIMABLE, MIGRATE_MOVABLE },
		[MIGRATE_MOVABLE] = { MIGRATE_RECLAIMABLE, MIGRATE_UNMOVABLE },
		[MIGRATE_RECLAIMABLE] = { MIGRATE_UNMOVABLE, MIGRATE_MOVABLE },
	};

	return (enum migratetype)fallback[type][nth];
}

static uint8_t *pageblock_type(uint32_t index)
{
	return &arena.pageblock[index >> PAGEBLOCK_ORDER];
}

static void account_dirty(const struct page *page, unsigned int order, bool add)
{
	uint64_t pages = UINT64_C(1) << order;

	if (page->flags & KMEM_PG_ZEROED)
		return;
	WRITE_ONCE(zones[0].dirty_pages, zones[0].dirty_pages + (add ? pages : 0 - pages));
}

static void list_add(struct page *page, unsigned int order, enum migratetype type)
{
	struct kmem_free_list *list = &zones[0].free_list[order][type];
	uint32_t index = page_index(page);

	page_set_type(page, KMEM_PAGE_FREE);
	page->order = (uint8_t)order;
	page->migratetype = (uint8_t)type;
	page->nr_pages = 1u << order;
	page->prev = 0;
	page->next = list->head;
	if (list->head)
		arena.pages[list->head].prev = index;
	list->head = index;
	list->nr++;
	WRITE_ONCE(zones[0].free_pages, zones[0].free_pages + (UINT64_C(1) << order));
	account_dirty(page, order, true);
}

static void list_del(struct page *page)
{
	struct kmem_free_list *list = &zones[0].free_list[page->order][page->migratetype];

	if (page->next)
		arena.pages[page->next].prev = page->prev;
	if (page->prev)
		arena.pages[page->prev].next = page->next;
	else
		list->head = page->next;
	list->nr--;
	WRITE_ONCE(zones[0].free_pages, zones[0].free_pages - (UINT64_C(1) << page->order));
	account_dirty(page, page->order, false);
	page_set_type(page, KMEM_PAGE_TAIL);
}

/* Give the upper halves of a block back until it has the wanted order. */
static void split(struct page *page, unsigned int from, unsigned int to, enum migratetype type)
{
	while (from > to) {
		struct page *upper;

		from--;
		upper = page + (1u << from);
		upper->flags = page->flags & KMEM_PG_ZEROED;
		list_add(upper, from, type);
	}
	page->order = (uint8_t)to;
	page->nr_pages = 1u << to;
}

static struct page *take_smallest(unsigned int order, enum migratetype type)
{
	unsigned int current;

	for (current = order; current <= MAX_PAGE_ORDER; current++) {
		uint32_t head = zones[0].free_list[current][type].head;
		struct page *page = &arena.pages[head];

		if (!head)
			continue;
		list_del(page);
		split(page, current, order, type);
		return page;
	}
	return NULL;
}

/* Free pages in the pageblock of `index`. */
static uint32_t pageblock_free_pages(uint32_t index)
{
	uint32_t start = ALIGN_DOWN(index, PAGEBLOCK_PAGES);
	uint32_t at = start, free = 0;

	while (at < start + PAGEBLOCK_PAGES) {
		const struct page *page = &arena.pages[at];

		if (READ_ONCE(page->type) == KMEM_PAGE_FREE) {
			free += 1u << page->order;
			at += 1u << page->order;
		} else {
			at++;
		}
	}
	return free;
}

/* Change the type of a pageblock and move its free blocks to that type's lists. */
static void claim_pageblock(uint32_t index, enum migratetype type)
{
	uint32_t start = ALIGN_DOWN(index, PAGEBLOCK_PAGES);
	uint32_t at = start;

	*pageblock_type(index) = (uint8_t)type;
	while (at < start + PAGEBLOCK_PAGES) {
		struct page *page = &arena.pages[at];
		unsigned int order;

		if (READ_ONCE(page->type) != KMEM_PAGE_FREE) {
			at++;
			continue;
		}
		order = page->order;
		list_del(page);
		list_add(page, order, type);
		at += 1u << order;
	}
}

/* Whether taking this free block justifies changing its whole pageblock's type. */
static bool should_claim(const struct page *page, enum migratetype type)
{
	/* The block is the pageblock, or more. */
	if (page->order >= PAGEBLOCK_ORDER)
		return true;
	/* Movable pages do not fragment others for long: let them wander unless the block is big. */
	if (type == MIGRATE_MOVABLE && page->order < PAGEBLOCK_ORDER / 2)
		return false;
	return pageblock_free_pages(page_index(page)) >= PAGEBLOCK_PAGES / 2;
}

static void claim(struct page *page, enum migratetype type)
{
	uint32_t index = page_index(page), end = index + (1u << page->order);

	for (index = ALIGN_DOWN(index, PAGEBLOCK_PAGES); index < end; index += PAGEBLOCK_PAGES)
		claim_pageblock(index, type);
}

static struct page *take_from_other_type(unsigned int order, enum migratetype type)
{
	unsigned int current, nth;

	for (current = MAX_PAGE_ORDER + 1; current-- > order;) {
		for (nth = 0; nth < KMEM_NR_MIGRATETYPES - 1; nth++) {
			enum migratetype other = buddy_fallback(type, nth);
			uint32_t head = zones[0].free_list[current][other].head;
			struct page *page = &arena.pages[head];

			if (!head)
				continue;
			if (should_claim(page, type)) {
				claim(page, type);
				return take_smallest(order, type);
			}
			return take_smallest(order, other);
		}
	}
	return NULL;
}

struct page *buddy_take(unsigned int order, enum migratetype type)
{
	struct page *page = take_smallest(order, type);

	return page ? page : take_from_other_type(order, type);
}

/* The free block of the same order that `page` merges with, or NULL. */
static struct page *mergeable_buddy(uint32_t index, unsigned int order)
{
	struct page *buddy = &arena.pages[index ^ (1u << order)];

	if (order >= MAX_PAGE_ORDER)
		return NULL;
	return READ_ONCE(buddy->type) == KMEM_PAGE_FREE && buddy->order == order ? buddy : NULL;
}

/* A block dirty in part is dirty as a whole. */
static uint16_t merged_flags(const struct page *a, const struct page *b)
{
	return a->flags & b->flags & KMEM_PG_ZEROED;
}

void buddy_put(struct page *page, unsigned int order)
{
	struct page *buddy;

	BUG_ON(page->type == KMEM_PAGE_FREE || page->type == KMEM_PAGE_RESERVED);
	page->flags &= KMEM_PG_ZEROED;
	page_set_type(page, KMEM_PAGE_TAIL);
	while ((buddy = mergeable_buddy(page_index(page), order))) {
		uint16_t flags = merged_flags(page, buddy);

		list_del(buddy);
		page = MIN(page, buddy);
		page->flags = flags;
		order++;
	}
	/* Two pageblocks of different type in one block: it belongs to the first. */
	if (order > PAGEBLOCK_ORDER)
		*pageblock_type(page_index(page) + PAGEBLOCK_PAGES) = *pageblock_type(page_index(page));
	list_add(page, order, (enum migratetype)*pageblock_type(page_index(page)));
}

int buddy_grow(enum migratetype type)
{
	uint32_t block = arena_take_blocks(1, BLOCK_BUDDY);
	struct page *page;

	if (!block)
		return -ENOMEM;
	if (os_commit(block_addr(block), BLOCK_BYTES)) {
		arena_return_blocks(block, 1);
		return -ENOMEM;
	}
	if (READ_ONCE(zones[0].present_pages) >= HUGE_FROM_PAGES)
		os_advise_huge(block_addr(block), BLOCK_BYTES);
	page = block_page(block);
	page_set_type(page, KMEM_PAGE_TAIL);
	page->flags = KMEM_PG_ZEROED;
	buddy_lock();
	*pageblock_type(page_index(page)) = (uint8_t)type;
	*pageblock_type(page_index(page) + PAGEBLOCK_PAGES) = (uint8_t)type;
	WRITE_ONCE(zones[0].present_pages, zones[0].present_pages + BLOCK_PAGES);
	buddy_put(page, MAX_PAGE_ORDER);
	buddy_unlock();
	return 0;
}

struct page *buddy_take_dirty(unsigned int min_order)
{
	unsigned int order, type;

	for (order = MAX_PAGE_ORDER + 1; order-- > min_order;) {
		for (type = 0; type < KMEM_NR_MIGRATETYPES; type++) {
			uint32_t at = zones[0].free_list[order][type].head;

			for (; at; at = arena.pages[at].next) {
				struct page *page = &arena.pages[at];

				if (page->flags & KMEM_PG_ZEROED)
					continue;
				list_del(page);
				return page;
			}
		}
	}
	return NULL;
}

static uint64_t validate_list(unsigned int order, unsigned int type)
{
	const struct kmem_free_list *list = &zones[0].free_list[order][type];
	uint32_t at, prev = 0, nr = 0;

	for (at = list->head; at; prev = at, at = arena.pages[at].next) {
		const struct page *page = &arena.pages[at];

		BUG_ON(page->type != KMEM_PAGE_FREE || page->order != order || page->prev != prev);
		BUG_ON(at & ((1u << order) - 1));
		BUG_ON(page->migratetype != type);
		/* Two free buddies would have been merged. */
		BUG_ON(mergeable_buddy(at, order));
		nr++;
	}
	BUG_ON(nr != list->nr);
	return (uint64_t)nr << order;
}

void buddy_validate(void)
{
	unsigned int order, type;
	uint64_t pages = 0;

	for (order = 0; order <= MAX_PAGE_ORDER; order++)
		for (type = 0; type < KMEM_NR_MIGRATETYPES; type++)
			pages += validate_list(order, type);
	BUG_ON(pages != zones[0].free_pages);
	BUG_ON(zones[0].dirty_pages > zones[0].free_pages);
}
