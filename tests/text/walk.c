/* SPDX-License-Identifier: BSD-2-Clause */
/* Every head is visited once, and nothing behind a head is. */
#include "text/arena.h"

#include "text/walk.h"

static uint32_t seen[64], nr_seen;

static void remember(void *context, const struct page *page, unsigned int zone)
{
	(void)zone;
	(void)context;
	seen[nr_seen++ % ARRAY_LEN(seen)] = page->head; /* the tests put the index there */
}

static struct page *mark(uint32_t index, enum kmem_page_type type, uint8_t order)
{
	struct page *page = put_block(index, type, order);

	page->head = index;
	return page;
}

static void expect_seen(uint32_t nr, const uint32_t *index)
{
	cr_assert_eq(walk_blocks(&source, remember, NULL), 0);
	cr_assert_eq(nr_seen, nr, "%u blocks", nr_seen);
	if (nr)
		cr_expect_arr_eq(seen, index, nr * sizeof(*index));
}

Test(walk, nothing_in_an_empty_arena)
{
	arena_setup(1);
	expect_seen(0, NULL);
}

Test(walk, heads_one_after_the_other)
{
	arena_setup(1);
	mark(1024, KMEM_PAGE_SLAB, 3);
	mark(1032, KMEM_PAGE_FREE, 3);
	mark(1040, KMEM_PAGE_PCP, 0);
	mark(1041, KMEM_PAGE_PAGES, 0);
	expect_seen(4, (uint32_t[]){ 1024, 1032, 1040, 1041 });
}

Test(walk, what_lies_behind_a_head_is_not_believed)
{
	arena_setup(1);
	mark(1024, KMEM_PAGE_LARGE, 9);
	mark(1025, KMEM_PAGE_SLAB, 0); /* left over from before */
	mark(1536, KMEM_PAGE_FREE, 9);
	expect_seen(2, (uint32_t[]){ 1024, 1536 });
}

Test(walk, objects_longer_than_a_block_and_gaps)
{
	arena_setup(1);
	mark(1024, KMEM_PAGE_LARGE, 0)->nr_pages = 2500;
	pages[1024].flags = KMEM_PG_MAPPED;
	mark(2048, KMEM_PAGE_SLAB, 0); /* inside */
	/* block 4 is free address space */
	mark(5 * 1024, KMEM_PAGE_FREE, 10);
	expect_seen(2, (uint32_t[]){ 1024, 5 * 1024 });
}

Test(walk, a_head_without_length_does_not_stop_it)
{
	arena_setup(1);
	mark(1024, KMEM_PAGE_SLAB, 0)->nr_pages = 0;
	mark(1025, KMEM_PAGE_SLAB, 0);
	expect_seen(2, (uint32_t[]){ 1024, 1025 });
}

Test(walk, a_failed_read_ends_it)
{
	arena_setup(1);
	mark(1024, KMEM_PAGE_FREE, 10);
	reads_left = 2;
	cr_expect_eq(walk_blocks(&source, remember, NULL), -ESRCH);
}

static unsigned int blocks[2][4];

static void count(void *context, unsigned int zone, unsigned int type)
{
	(void)context;
	blocks[zone][type]++;
}

Test(walk, pageblocks_of_the_buddy_only)
{
	arena_setup(2);
	mark(1024, KMEM_PAGE_FREE, 10);
	pageblocks[2] = 1;
	pageblocks[3] = 2 | 0x80; /* with huge pages */
	mark(2048, KMEM_PAGE_LARGE, 0)->nr_pages = 1500;
	pages[2048].flags = KMEM_PG_MAPPED;
	mark(4096, KMEM_PAGE_SLAB, 0);
	set_zone(4096, 1);
	cr_assert_eq(walk_pageblocks(&source, count, NULL), 0);
	cr_expect_eq(blocks[0][0], 0);
	cr_expect_eq(blocks[0][1], 1);
	cr_expect_eq(blocks[0][2], 1);
	cr_expect_eq(blocks[1][0], 2);
}
