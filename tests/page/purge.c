/* SPDX-License-Identifier: BSD-2-Clause */
/* Purge must really return memory: the kernel is asked, not our own counters. */
#include "support.h"

#include "page/buddy.h"
#include "page/purge.h"

static void validate(void)
{
	buddy_lock();
	buddy_validate();
	buddy_unlock();
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
	cr_expect_eq(zone.dirty_pages, 0);
	cr_expect_eq(zone.purged_pages, 1024);
	validate();
}

Test(purge, purged_memory_is_known_to_be_zero_and_is)
{
	void *p = dirty_block(10), *again;

	free_pages((unsigned long)p, 10);
	kmem_page_purge(0);
	buddy_lock();
	cr_expect(addr_to_page(p)->flags & KMEM_PG_ZEROED);
	buddy_unlock();
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
	cr_expect_eq(purge_blocks(0, 2048), 2 * BLOCK_BYTES);
	cr_expect_eq(zone.dirty_pages, 2048);
	cr_expect_eq(purge_blocks(0, 2048), 0);
	validate();
}

Test(purge, happens_by_itself_beyond_128_mib)
{
	enum { BLOCKS = 40 };
	unsigned long p[BLOCKS];
	int i;

	for (i = 0; i < BLOCKS; i++)
		cr_assert(p[i] = __get_free_pages(GFP_KERNEL, 10));
	for (i = 0; i < 32; i++)
		free_pages(p[i], 10);
	cr_expect_eq(zone.purged_pages, 0, "128 MiB may stay");
	for (; i < BLOCKS; i++)
		free_pages(p[i], 10);
	cr_expect_gt(zone.purged_pages, 0);
	cr_expect_leq(zone.dirty_pages, 2 * 16384);
	validate();
}
