/* SPDX-License-Identifier: BSD-2-Clause */
/* Purge must really return memory: the kernel is asked, not our own counters. */
#include "support.h"

#include "page/alloc.h"
#include "page/arena.h"
#include "page/buddy.h"
#include "page/grow.h"
#include "page/purge.h"

static void validate(void)
{
	buddy_lock(&zones[0]);
	buddy_validate(&zones[0]);
	buddy_unlock(&zones[0]);
}

static void *dirty_block(unsigned int order)
{
	void *p = (void *)__get_free_pages(GFP_KERNEL, order);

	cr_assert_not_null(p);
	memset(p, 0xaa, PAGE_SIZE << order);
	return p;
}

Test(purge, free_memory_leaves_the_process)
{
	void *p = dirty_block(10);

	free_pages((unsigned long)p, 10);
	cr_expect_eq(resident_pages(p, BLOCK_BYTES), 1024);
	cr_expect_geq(kmem_page_purge(0), BLOCK_BYTES);
	cr_expect_eq(resident_pages(p, BLOCK_BYTES), 0);
	cr_expect_eq(zones[0].dirty_pages, 0);
	cr_expect_eq(zones[0].purged_pages, 1024);
	validate();
}

Test(purge, purged_memory_is_known_to_be_zero_and_is)
{
	void *p = dirty_block(10), *again;

	free_pages((unsigned long)p, 10);
	kmem_page_purge(0);
	buddy_lock(&zones[0]);
	cr_expect(addr_to_page(p)->flags & KMEM_PG_ZEROED);
	buddy_unlock(&zones[0]);
	again = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, 10);
	cr_assert_eq(again, p);
	/* Not cleared by hand: its pages are still not there. */
	cr_expect_eq(resident_pages(again, BLOCK_BYTES), 0);
	cr_expect(all_bytes(again, BLOCK_BYTES, 0));
}

Test(purge, memory_in_use_stays)
{
	uint8_t *used = dirty_block(0), *freed = dirty_block(9);

	free_pages((unsigned long)freed, 9);
	kmem_page_purge(0);
	cr_expect(all_bytes(used, PAGE_SIZE, 0xaa));
	cr_expect_eq(resident_pages(freed, (size_t)2 << 20), 0);
}

Test(purge, parked_pages_are_included)
{
	void *p;

	pin_to(0);
	p = dirty_block(0);
	free_pages((unsigned long)p, 0);
	cr_expect_geq(kmem_page_purge(0), PAGE_SIZE);
	cr_expect_eq(resident_pages(p, PAGE_SIZE), 0);
}

Test(purge, blocks_below_the_order_stay)
{
	void *small = dirty_block(5), *guard = dirty_block(5), *big = dirty_block(9);

	free_pages((unsigned long)small, 5);
	free_pages((unsigned long)big, 9);
	cr_expect_eq(kmem_page_purge(9), (size_t)2 << 20);
	cr_expect_eq(resident_pages(small, PAGE_SIZE << 5), 32);
	cr_expect_eq(resident_pages(big, PAGE_SIZE << 9), 0);
	cr_expect_eq(kmem_page_purge(0), PAGE_SIZE << 5);
	cr_expect_eq(resident_pages(small, PAGE_SIZE << 5), 0);
	free_pages((unsigned long)guard, 5);
	validate();
}

Test(purge, a_second_purge_finds_nothing)
{
	free_pages((unsigned long)dirty_block(10), 10);
	cr_expect_gt(kmem_page_purge(0), 0);
	cr_expect_eq(kmem_page_purge(0), 0);
	cr_expect_eq(kmem_page_purge(99), 0);
}

Test(purge, stops_at_what_may_stay)
{
	void *p[4];
	int i;

	for (i = 0; i < 4; i++)
		p[i] = dirty_block(10);
	for (i = 0; i < 4; i++)
		free_pages((unsigned long)p[i], 10);
	cr_expect_eq(purge_blocks(&zones[0], 0, 2048), 2 * BLOCK_BYTES);
	cr_expect_eq(zones[0].dirty_pages, 2048);
	cr_expect_eq(purge_blocks(&zones[0], 0, 2048), 0);
	validate();
}

static void free_40_blocks(void)
{
	enum { BLOCKS = 40 };
	unsigned long p[BLOCKS];
	int i;

	for (i = 0; i < BLOCKS; i++)
		cr_assert(p[i] = __get_free_pages(GFP_KERNEL, 10));
	for (i = 0; i < BLOCKS; i++)
		free_pages(p[i], 10);
}

/* A free may come from where no system call is allowed. */
Test(purge, beyond_128_mib_the_next_request_that_may_block_gives_back)
{
	purge_init(KMEM_PURGE_THRESHOLD, 0, false);
	free_40_blocks();
	cr_expect_eq(zones[0].purged_pages, 0);
	__free_page(alloc_page(GFP_ATOMIC));
	cr_expect_eq(zones[0].purged_pages, 0);
	__free_page(alloc_page(GFP_KERNEL));
	cr_expect_gt(zones[0].purged_pages, 0);
	cr_expect_leq(zones[0].dirty_pages, 2 * 16384);
	validate();
}

Test(purge, frees_give_back_when_they_may)
{
	purge_init(KMEM_PURGE_THRESHOLD, 0, false);
	page_set_purge_on_free(true);
	free_40_blocks();
	cr_expect_gt(zones[0].purged_pages, 0);
	cr_expect_leq(zones[0].dirty_pages, 2 * 16384);
	validate();
}

Test(purge, off_means_off)
{
	purge_init(KMEM_PURGE_OFF, 0, false);
	page_set_purge_on_free(true);
	free_40_blocks();
	cr_expect_eq(zones[0].purged_pages, 0);
}

Test(purge, now_means_at_once)
{
	void *p = dirty_block(10), *q = dirty_block(4);

	purge_init(KMEM_PURGE_NOW, 0, false);
	free_pages((unsigned long)p, 10);
	cr_expect_eq(resident_pages(p, BLOCK_BYTES), 0);
	free_pages((unsigned long)q, 4);
	cr_expect_eq(resident_pages(q, 16 * PAGE_SIZE), 0);
	validate();
}

/* ---- eager purge, with regret ---- */

enum { SWING = 8 }; /* blocks of 4 MiB */

/* Purging takes an eighth of the time: save some up after each allocation. */
static void swing(void)
{
	void *p[SWING];
	int i;

	for (i = 0; i < SWING; i++)
		p[i] = dirty_block(10);
	usleep(40000);
	for (i = 0; i < SWING; i++)
		free_pages((unsigned long)p[i], 10);
}

Test(purge, what_is_freed_first_goes_back_at_once)
{
	purge_init(KMEM_PURGE_DECAY, 1000000, false);
	page_set_purge_on_free(true);
	swing();
	cr_expect_geq(zones[0].purged_pages, (SWING - 1) * 1024);
	cr_expect_leq(zones[0].dirty_pages, 1024);
	validate();
}

Test(purge, a_heap_that_breathes_keeps_what_it_breathes_with)
{
	uint64_t purged;
	int i;

	purge_init(KMEM_PURGE_DECAY, 1000000, false);
	page_set_purge_on_free(true);
	for (i = 0; i < 4; i++)
		swing();
	purged = zones[0].purged_pages;
	for (i = 0; i < 8; i++)
		swing();
	cr_expect_eq(zones[0].purged_pages, purged, "%lu more pages", zones[0].purged_pages - purged);
	cr_expect_geq(zones[0].dirty_pages, (SWING - 1) * 1024);
	validate();
}

Test(purge, what_was_learned_is_forgotten_when_idle)
{
	int i;

	purge_init(KMEM_PURGE_DECAY, 20, false);
	page_set_purge_on_free(true);
	for (i = 0; i < 4; i++)
		swing();
	for (i = 0; i < 4; i++) {
		usleep(21000);
		purge_now_and_then();
	}
	cr_expect_eq(zones[0].dirty_pages, 0);
	purge_init(KMEM_PURGE_DECAY, 1000000, false);
	swing();
	cr_expect_leq(zones[0].dirty_pages, 1024);
}

Test(purge, parked_pages_count_and_go_with_the_rest)
{
	enum { NR = 900 };
	unsigned long p[NR];
	int i;

	pin_to(0);
	purge_init(KMEM_PURGE_DECAY, 1000000, false);
	page_set_purge_on_free(true);
	for (i = 0; i < NR; i++)
		p[i] = (unsigned long)dirty_block(0);
	usleep(40000);
	for (i = 0; i < NR; i++)
		free_pages(p[i], 0);
	cr_expect_leq(pcp_count() + zones[0].dirty_pages, 200);
	validate();
}

Test(purge, descriptors_and_bitmaps_of_an_empty_block_go_too)
{
	void *p = dirty_block(10);
	struct page *page = addr_to_page(p);
	uint8_t *bitmap = (uint8_t *)page_bitmap(page);

	memset(bitmap, 0xff, (size_t)1024 * KMEM_BITMAP_BYTES);
	for (uint32_t i = 1; i < 1024; i++)
		page_behind(page, i)->head = page_index(page);
	cr_expect_eq(resident_pages(page, 1024 * sizeof(*page)), 16);
	cr_expect_eq(resident_pages(bitmap, 1024 * KMEM_BITMAP_BYTES), 16);
	free_pages((unsigned long)p, 10);
	kmem_page_purge(0);
	cr_expect_eq(resident_pages(bitmap, 1024 * KMEM_BITMAP_BYTES), 0);
	cr_expect_eq(resident_pages(page, 1024 * sizeof(*page)), 1);
	validate();
	/* And it serves again, in pieces. */
	swing();
	for (int i = 0; i < 100; i++)
		cr_expect_not_null(alloc_page(GFP_KERNEL));
	page_validate();
}

static void ticks(int nr)
{
	while (nr--)
		purge_now_and_then();
}

Test(purge, decay_gives_back_what_was_idle_for_the_period_and_no_more)
{
	void *idle, *busy;
	int i;

	purge_init(KMEM_PURGE_DECAY, 20, false);
	ticks(1);
	idle = dirty_block(10);
	busy = dirty_block(10);
	free_pages((unsigned long)idle, 10);
	/* Half of what is dirty is used again and again. */
	for (i = 0; i < 8; i++) {
		usleep(5000);
		free_pages((unsigned long)busy, 10);
		ticks(1);
		busy = dirty_block(10);
		ticks(1);
	}
	cr_expect_eq(resident_pages(idle, BLOCK_BYTES) + resident_pages(busy, BLOCK_BYTES), 1024);
	free_pages((unsigned long)busy, 10);
	validate();
}

Test(purge, decay_takes_pieces_of_16_pages_too)
{
	void *piece = dirty_block(4), *guard = dirty_block(4), *small = dirty_block(3);

	purge_init(KMEM_PURGE_DECAY, 10, false);
	free_pages((unsigned long)piece, 4);
	ticks(1);
	usleep(11000);
	ticks(1);
	usleep(11000);
	ticks(1);
	cr_expect_eq(resident_pages(piece, 16 * PAGE_SIZE), 0);
	cr_expect_eq(resident_pages(guard, 16 * PAGE_SIZE), 16);
	free_pages((unsigned long)small, 3);
}

Test(purge, pieces_of_huge_pages_in_good_use_stay)
{
	void *piece, *guard;
	struct page *page;

	grow_zone(&zones[0], MIGRATE_UNMOVABLE);
	arena.pageblock[page_index(page_at(zones[0].free_list[10][0].clean)) >> 9] |= PAGEBLOCK_HUGE;
	guard = dirty_block(8);
	piece = dirty_block(7);
	dirty_block(6);
	page = addr_to_page(piece);
	cr_assert(pageblock_is_huge(page_index(page)));
	cr_assert_eq(page_index(page) >> 9, page_index(addr_to_page(guard)) >> 9);
	free_pages((unsigned long)piece, 7);
	cr_expect_eq(purge_blocks(&zones[0], 4, 0), 0, "320 of 512 pages are in use");
	free_pages((unsigned long)guard, 8);
	cr_expect_gt(purge_blocks(&zones[0], 4, 0), 0);
	cr_expect_not(pageblock_is_huge(page_index(page)), "a huge page would bring the memory back");
	validate();
}

Test(purge, huge_pages_come_back_where_a_whole_block_is_free)
{
	void *p = dirty_block(10);
	struct page *page = addr_to_page(p);

	grow_thp = KMEM_THP_ALWAYS;
	cr_assert_not(pageblock_is_huge(page_index(page)));
	free_pages((unsigned long)p, 10);
	kmem_page_purge(0);
	cr_expect(pageblock_is_huge(page_index(page)));
	cr_expect(pageblock_is_huge(page_index(page) + PAGEBLOCK_PAGES));
	cr_expect_eq(pageblock_type(page_index(page)), MIGRATE_UNMOVABLE);
	validate();
}

Test(purge, scattered_pages_go_too_when_there_is_nothing_else)
{
	enum { NR = 4096 };
	static void *p[NR];
	int i;

	pin_to(0);
	purge_init(KMEM_PURGE_DECAY, 1000000, false);
	page_set_purge_on_free(true);
	for (i = 0; i < NR; i++)
		p[i] = dirty_block(0);
	/* Pieces of up to 4 pages, between pages that stay. */
	for (i = 0; i < NR; i++)
		if (page_index(addr_to_page(p[i])) % 8)
			free_pages((unsigned long)p[i], 0);
	for (i = 0; i < 100; i++) {
		usleep(1000);
		purge_now_and_then();
	}
	/* Single pages stay: each is a system call. */
	cr_expect_leq(zones[0].dirty_pages, NR / 8 + 300, "%lu", zones[0].dirty_pages);
	for (i = 0; i < NR; i++)
		if (page_index(addr_to_page(p[i])) % 8 == 0)
			cr_expect(all_bytes(p[i], PAGE_SIZE, 0xaa));
	validate();
}

Test(purge, lazily_given_back_memory_is_not_zero_and_not_dirty)
{
	void *p = dirty_block(10), *again;

	purge_init(KMEM_PURGE_OFF, 0, true);
	free_pages((unsigned long)p, 10);
	cr_expect_eq(kmem_page_purge(9), BLOCK_BYTES);
	cr_expect_eq(zones[0].dirty_pages, 0);
	again = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, 10);
	cr_expect(all_bytes(again, BLOCK_BYTES, 0));
	validate();
}
