/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages for the layers above: exact sizes as runs of adjoining blocks, trimming, and the whole after any mix. */
#include "support.h"

#include "base/trace.h"
#include "base/numa.h"
#include "page/alloc.h"
#include "page/arena.h"
#include "page/buddy.h"
#include "page/grow.h"
#include "page/pcp.h"

static uint64_t in_use(void)
{
	drain_all_pages();
	page_validate();
	return zones[0].present_pages - zones[0].free_pages;
}

Test(page_alloc, an_exact_size_takes_and_returns_just_its_pages)
{
	uint32_t nr;

	for (nr = 1; nr <= 1024; nr += nr < 40 ? 1 : 61) {
		struct page *page = page_alloc_exact(GFP_KERNEL, nr, KMEM_PAGE_LARGE, NUMA_NO_NODE);

		cr_assert_not_null(page);
		cr_expect_eq(page->nr_pages, nr);
		cr_expect_eq(page->type, KMEM_PAGE_LARGE);
		memset(page_to_addr(page), 1, nr * PAGE_SIZE);
		cr_assert_eq(in_use(), nr);
		page_free_exact(page);
		cr_assert_eq(in_use(), 0);
	}
}

/* Two free blocks of 64 and 32 pages that adjoin hold 75 pages, though no block of 128 is free. */
Test(page_alloc, a_run_spans_blocks_that_adjoin)
{
	struct page *block = page_alloc(GFP_KERNEL, 10, KMEM_PAGE_LARGE), *run;

	take_the_rest();
	page_free_range(block, 64, 128);
	page_free_range(block, 128, 160);
	run = page_alloc_exact(GFP_NOWAIT, 75, KMEM_PAGE_LARGE, NUMA_NO_NODE);
	cr_assert_eq(run, page_behind(block, 64));
	cr_expect_eq(run->nr_pages, 75);
	cr_expect_eq(zones[0].free_pages, 96 - 75);
	page_validate();
	page_free_exact(run);
	cr_expect_eq(zones[0].free_pages, 96);
	/* Downwards, too: the larger block is the second one. */
	run = page_alloc_exact(GFP_NOWAIT, 96, KMEM_PAGE_LARGE, NUMA_NO_NODE);
	cr_expect_eq(run, page_behind(block, 64));
	cr_expect_eq(zones[0].free_pages, 0);
	page_validate();
}

/* Pages 0-9 of a block in use; 10-99 free, in blocks of many orders; 100-1023 in use. */
static struct page *block_before_free_pages(void)
{
	struct page *block = page_alloc(GFP_KERNEL, 10, KMEM_PAGE_LARGE);

	take_the_rest();
	page_free_range(block, 10, 100);
	block->nr_pages = 10;
	block->flags |= KMEM_PG_EXACT;
	return block;
}

Test(page_alloc, a_block_grows_over_the_free_pages_behind_it)
{
	struct page *block = block_before_free_pages();
	uint64_t served = zones[0].stat[KMEM_ZS_ALLOC];

	memset(page_to_addr(block), 7, 10 * PAGE_SIZE);
	cr_assert(page_extend(block, 11));
	cr_assert(page_extend(block, 75));
	cr_expect_eq(block->nr_pages, 75);
	cr_expect_eq(zones[0].free_pages, 25);
	cr_expect_eq(zones[0].stat[KMEM_ZS_ALLOC], served + 65);
	memset((char *)page_to_addr(block) + 10 * PAGE_SIZE, 8, 65 * PAGE_SIZE);
	cr_expect_eq(((char *)page_to_addr(block))[10 * PAGE_SIZE - 1], 7);
	page_validate();
	cr_expect_not(page_extend(block, 101), "the last page is another's");
	cr_expect_eq(block->nr_pages, 75);
	cr_assert(page_extend(block, 100));
	cr_expect_eq(zones[0].free_pages, 0);
	page_validate();
	page_free_exact(block);
	cr_expect_eq(zones[0].free_pages, 100);
	page_validate();
}

Test(page_alloc, a_block_does_not_grow_out_of_its_4_mib)
{
	struct page *block = page_alloc(GFP_KERNEL, 10, KMEM_PAGE_LARGE);

	page_free(page_alloc(GFP_KERNEL, 10, KMEM_PAGE_LARGE), 10);
	cr_expect_not(page_extend(block, 1025));
	page_validate();
}

Test(page_alloc, watched_no_block_grows)
{
	struct page *block = block_before_free_pages();

	trace_watch(true);
	cr_expect_not(page_extend(block, 11));
	trace_watch(false);
	cr_expect(page_extend(block, 11));
}

Test(page_alloc, a_run_is_zero_when_that_was_asked_for)
{
	uint8_t *dirty = (uint8_t *)__get_free_pages(GFP_KERNEL, 5);
	struct page *run;

	memset(dirty, 0xff, PAGE_SIZE << 5);
	free_pages((unsigned long)dirty, 5);
	run = page_alloc_exact(GFP_KERNEL | __GFP_ZERO, 37, KMEM_PAGE_LARGE, NUMA_NO_NODE);
	cr_expect(all_bytes(page_to_addr(run), 37 * PAGE_SIZE, 0));
	page_free_exact(run);
}

/* Runs, blocks and trims in any order: nothing overlaps, nothing is lost. */
Test(page_alloc, any_mix_leaves_the_buddy_whole, .timeout = 60)
{
	enum { LIVE = 300 };
	static struct page *live[LIVE];
	static uint8_t mark[LIVE];
	uint64_t seed = 11;
	int i;

	for (i = 0; i < 40000; i++) {
		unsigned int at = random_next(&seed) % LIVE;
		uint32_t nr = 1 + random_next(&seed) % (random_next(&seed) % 8 ? 40 : 300);

		if (!live[at]) {
			live[at] = random_next(&seed) % 3 ? page_alloc_exact(GFP_KERNEL, nr, KMEM_PAGE_LARGE, NUMA_NO_NODE) :
							    page_alloc(GFP_KERNEL, nr % 8, KMEM_PAGE_LARGE);
			mark[at] = (uint8_t)i;
			memset(page_to_addr(live[at]), mark[at], live[at]->nr_pages * PAGE_SIZE);
			continue;
		}
		cr_assert(all_bytes(page_to_addr(live[at]), live[at]->nr_pages * PAGE_SIZE, mark[at]));
		if (random_next(&seed) % 4 == 0) {
			page_trim(live[at], 1 + live[at]->nr_pages / 2);
		} else {
			page_free_exact(live[at]);
			live[at] = NULL;
		}
		if (i % 500 == 0)
			page_validate();
	}
	for (i = 0; i < LIVE; i++)
		if (live[i])
			page_free_exact(live[i]);
	cr_expect_eq(in_use(), 0);
	cr_expect_eq(zones[0].free_list[10][0].nr, zones[0].present_pages / BLOCK_PAGES);
}

Test(page_alloc, watched_exact_sizes_take_the_path_with_events)
{
	struct page *page;

	trace_semaphore[TRACE_MM_PAGE_ALLOC].count++;
	page = page_alloc_exact(GFP_KERNEL, 3, KMEM_PAGE_LARGE, NUMA_NO_NODE);
	cr_expect_eq(page->nr_pages, 3);
	cr_expect_eq(page_index(page) % 4, 0);
	page_free_exact(page);
	trace_semaphore[TRACE_MM_PAGE_ALLOC].count--;
	cr_expect_eq(in_use(), 0);
}

Test(page_alloc, validate_looks_into_per_cpu_lists, .signal = SIGABRT)
{
	struct page *page = page_alloc(GFP_KERNEL, 1, KMEM_PAGE_LARGE);

	page_free(page, 1);
	page->order = 2;
	page_validate();
}

/* A kernel has memory at boot: what may not wait is served first, nothing is touched for it. */
Test(page_alloc, memory_is_there_before_the_first_request)
{
	void *first;

	cr_expect_eq(zones[0].present_pages, BLOCK_PAGES);
	cr_expect_eq(zones[0].dirty_pages, 0);
	first = page_to_addr(page_at(zones[0].free_list[MAX_PAGE_ORDER][MIGRATE_UNMOVABLE].clean));
	cr_expect_eq(resident_pages(first, BLOCK_BYTES), 0);
	cr_expect_not_null(alloc_pages(GFP_NOWAIT, 0));
	cr_expect_not_null(alloc_pages(GFP_ATOMIC, PAGEBLOCK_ORDER));
	cr_expect_eq(zones[0].present_pages, BLOCK_PAGES);
}
