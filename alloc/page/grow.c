/* SPDX-License-Identifier: BSD-2-Clause */
/* grow.c - blocks of 4 MiB from the arena into zones; see grow.h. */
#include "page/grow.h"

#include <errno.h>

#include "base/numa.h"
#include "base/os.h"
#include "base/trace.h"
#include "page/arena.h"
#include "page/buddy.h"

/* thp=madvise: from this much memory on, new blocks are backed by huge pages if the program writes to what it takes. */
#define HUGE_FROM_PAGES (((uint64_t)256 << 20) >> PAGE_SHIFT)
#define DENSE_PAGES     (BLOCK_PAGES * 3 / 4) /* in memory, of a block */
#define SAMPLE_TRIES    64u                   /* blocks to look at for one that says something */

enum kmem_thp_option grow_thp KMEM_STATE;

static lock_t growing KMEM_STATE;

void grow_begin(void)
{
	lock_acquire(&growing, LOCK_GROW);
}

void grow_end(void)
{
	lock_release(&growing, LOCK_GROW);
}

void grow_lock_for_fork(void)
{
	lock_for_fork(&growing, false);
}

void grow_unlock_after_fork(bool child)
{
	lock_after_fork(&growing, child);
}

/* Zone locked. */
static bool charge(struct kmem_zone *zone, uint64_t pages, uint64_t *counter)
{
	uint64_t used = zone->present_pages + zone->mapped_pages;

	if (zone->max_pages - MIN(zone->max_pages, used) < pages)
		return false;
	WRITE_ONCE(*counter, *counter + pages);
	return true;
}

bool grow_give_back(struct kmem_zone *zone)
{
	struct page *page;
	uint32_t block;

	buddy_lock(zone);
	page = buddy_take_block(zone);
	if (page)
		WRITE_ONCE(zone->present_pages, zone->present_pages - BLOCK_PAGES);
	buddy_unlock(zone);
	if (!page)
		return false;
	page_set_type(page, KMEM_PAGE_RESERVED);
	block = page_index(page) >> MAX_PAGE_ORDER;
	os_decommit(block_addr(block), BLOCK_BYTES);
	if (trace_on(TRACE_ZONE_RETURN))
		trace_zone_return((unsigned long)block << MAX_PAGE_ORDER, BLOCK_PAGES, (int)zone_index(zone));
	arena_return_blocks(block, 1);
	zone_update_watermarks();
	return true;
}

bool grow_charge(struct kmem_zone *zone, uint64_t pages)
{
	bool ok;

	do {
		buddy_lock(zone);
		ok = charge(zone, pages, &zone->mapped_pages);
		buddy_unlock(zone);
		/* Free blocks of the buddy count as used, too. */
	} while (!ok && grow_give_back(zone));
	return ok;
}

void grow_uncharge(struct kmem_zone *zone, uint64_t pages)
{
	buddy_lock(zone);
	WRITE_ONCE(zone->mapped_pages, zone->mapped_pages - pages);
	buddy_unlock(zone);
}

static struct {
	bool dense;      /* the last block that was looked at is in memory */
	uint32_t cursor; /* the next one to look at */
} sample[KMEM_MAX_ZONES] KMEM_STATE;

/*
 * A program that writes to a small part of what it takes would get all of it in
 * memory, and pay for clearing it. A block without huge pages shows which kind it
 * is: when the zone grows, hardly anything in it is free. Racing threads at
 * worst look at the same block.
 */
static void look_at_block(const struct kmem_zone *zone, uint32_t fresh)
{
	uint32_t *cursor = &sample[zone_index(zone)].cursor, end = (uint32_t)(READ_ONCE(arena.bytes) >> BLOCK_SHIFT), i, block;

	for (i = 0; i < SAMPLE_TRIES; i++) {
		block = READ_ONCE(*cursor) + 1 < end ? READ_ONCE(*cursor) + 1 : 1;
		WRITE_ONCE(*cursor, block);
		if (block != fresh && block_state(block) == KMEM_BLOCK_BUDDY && arena.block_state[block] >> BLOCK_ZONE_SHIFT == zone_index(zone) &&
		    !pageblock_is_huge(block << MAX_PAGE_ORDER)) {
			WRITE_ONCE(sample[zone_index(zone)].dense, os_resident_pages(block_addr(block), BLOCK_BYTES) >= DENSE_PAGES);
			return;
		}
	}
}

bool grow_wants_huge(const struct kmem_zone *zone)
{
	if (grow_thp == KMEM_THP_MADVISE)
		return READ_ONCE(zone->present_pages) > HUGE_FROM_PAGES && READ_ONCE(sample[zone_index(zone)].dense);
	return grow_thp == KMEM_THP_ALWAYS;
}

/* Settings of memory that was just committed. Return: flags for its pageblocks. */
static uint8_t advise(const struct kmem_zone *zone, uint32_t block)
{
	if (grow_thp == KMEM_THP_MADVISE && READ_ONCE(zone->present_pages) > HUGE_FROM_PAGES)
		look_at_block(zone, block);
	if (numa_is_real())
		os_prefer_node(block_addr(block), BLOCK_BYTES, zone->node);
	if (grow_thp == KMEM_THP_NEVER)
		os_advise_small(block_addr(block), BLOCK_BYTES);
	if (!grow_wants_huge(zone))
		return 0;
	os_advise_huge(block_addr(block), BLOCK_BYTES);
	return PAGEBLOCK_HUGE;
}

/* Zone locked; its present_pages count the block already. */
static void add_block(struct kmem_zone *zone, uint32_t block, uint8_t pageblock)
{
	struct page *page = block_page(block);

	page_set_type(page, KMEM_PAGE_TAIL);
	page->flags = KMEM_PG_ZEROED;
	page->node = (uint8_t)zone->node;
	WRITE_ONCE(arena.pageblock[page_index(page) >> PAGEBLOCK_ORDER], pageblock);
	WRITE_ONCE(arena.pageblock[(page_index(page) >> PAGEBLOCK_ORDER) + 1], pageblock);
	buddy_put(zone, page, MAX_PAGE_ORDER);
}

/* A block with memory in it, 0 when there is none. */
static uint32_t commit_block(const struct kmem_zone *zone)
{
	uint32_t block = arena_take_blocks(1, KMEM_BLOCK_BUDDY, zone_index(zone), zone == zone_config.dma32);

	if (block && os_commit(block_addr(block), BLOCK_BYTES)) {
		arena_return_blocks(block, 1);
		block = 0;
	}
	return block;
}

int grow_zone(struct kmem_zone *zone, enum migratetype type)
{
	uint32_t block;
	uint8_t advice = 0;
	bool ok;

	if (zone == zone_config.huge)
		return -ENOMEM;
	buddy_lock(zone);
	ok = charge(zone, BLOCK_PAGES, &zone->present_pages);
	buddy_unlock(zone);
	if (!ok)
		return -ENOMEM;
	block = commit_block(zone);
	if (block)
		advice = advise(zone, block);
	buddy_lock(zone);
	if (block)
		add_block(zone, block, (uint8_t)type | advice);
	else
		WRITE_ONCE(zone->present_pages, zone->present_pages - BLOCK_PAGES);
	/* There is more again: what asked for keeping more free is served. */
	WRITE_ONCE(zone->watermark_boost, 0);
	buddy_unlock(zone);
	zone_update_watermarks();
	if (block && trace_on(TRACE_ZONE_GROW))
		trace_zone_grow((unsigned long)block << MAX_PAGE_ORDER, BLOCK_PAGES, (int)zone_index(zone));
	return block ? 0 : -ENOMEM;
}

int grow_huge(struct kmem_zone *zone, size_t bytes)
{
	uint32_t nr = (uint32_t)(ALIGN_UP(bytes, BLOCK_BYTES) >> BLOCK_SHIFT), i;
	uint32_t first = arena_take_blocks(nr, KMEM_BLOCK_BUDDY, zone_index(zone), false);

	if (!first)
		return -ENOMEM;
	if (os_commit_huge(block_addr(first), nr * BLOCK_BYTES)) {
		arena_return_blocks(first, nr);
		return -ENOMEM;
	}
	buddy_lock(zone);
	for (i = 0; i < nr; i++) {
		WRITE_ONCE(zone->present_pages, zone->present_pages + BLOCK_PAGES);
		add_block(zone, first + i, MIGRATE_UNMOVABLE);
	}
	buddy_unlock(zone);
	return 0;
}
