/* SPDX-License-Identifier: BSD-2-Clause */
/* The public page calls: sizes, zeroing, references, and what misuse leads to. */
#include "support.h"

#include <pthread.h>

#include "base/trace.h"
#include "page/alloc.h"
#include "page/buddy.h"
#include "page/grow.h"
#include "page/pcp.h"
#include "page/vmstat.h"

static uint64_t free_pages_now(void)
{
	drain_all_pages();
	buddy_lock(&zones[0]);
	buddy_validate(&zones[0]);
	buddy_unlock(&zones[0]);
	return zones[0].free_pages;
}

/* test_meminit: every order, zero when promised, also over memory that was dirty. */
Test(pages, every_order_is_aligned_apart_and_zero_when_promised)
{
	unsigned int order, round;

	for (order = 0; order <= MAX_PAGE_ORDER; order++) {
		for (round = 0; round < 3; round++) {
			struct page *page = alloc_pages(GFP_KERNEL | __GFP_ZERO, order);
			void *p = page_address(page);

			cr_assert_not_null(page);
			cr_expect_eq((uintptr_t)p % (PAGE_SIZE << order), 0);
			cr_expect(all_bytes(p, PAGE_SIZE << order, 0), "order %u round %u", order, round);
			cr_expect_eq(page_count(page), 1);
			memset(p, 0xa5, PAGE_SIZE << order);
			__free_pages(page, order);
		}
	}
	cr_expect_eq(free_pages_now(), zones[0].present_pages);
}

Test(pages, orders_beyond_10_are_refused_and_reported_once)
{
	const char *out;

	capture_start();
	cr_expect_null(alloc_pages(GFP_KERNEL, 11));
	cr_expect_null(alloc_pages(GFP_KERNEL, 4000000000u));
	cr_expect_eq(__get_free_pages(GFP_KERNEL, 11), 0);
	out = capture_end();
	cr_expect_str_eq(out, "kmem: page allocation of order 11 refused: the largest is 10\n");
}

Test(pages, an_address_and_its_descriptor_lead_to_each_other)
{
	struct page *page = alloc_pages(GFP_KERNEL, 2);
	uint8_t *p = page_address(page);
	int on_stack;

	cr_expect_eq(virt_to_page(p), page);
	cr_expect_eq(virt_to_page(p + PAGE_SIZE), page_behind(page, 1));
	cr_expect_eq(page_address(page_behind(page, 1)), p + PAGE_SIZE);
	cr_expect_eq(page_to_pfn(page_behind(page, 1)), page_to_pfn(page) + 1);
	cr_expect_null(virt_to_page(&on_stack));
	cr_expect_null(virt_to_page(NULL));
}

Test(pages, get_order_is_the_smallest_that_fits)
{
	int order;

	cr_expect_eq(get_order(0), 0);
	cr_expect_eq(get_order(1), 0);
	for (order = 0; order <= 20; order++) {
		cr_expect_eq(get_order(PAGE_SIZE << order), order);
		cr_expect_eq(get_order((PAGE_SIZE << order) + 1), order + 1);
	}
}

Test(pages, by_address)
{
	unsigned long p = __get_free_pages(GFP_KERNEL, 3), zeroed;

	cr_assert_neq(p, 0);
	memset((void *)p, 0xff, PAGE_SIZE << 3);
	free_pages(p, 3);
	free_pages(0, 5);
	__free_pages(NULL, 0);
	zeroed = get_zeroed_page(GFP_KERNEL);
	cr_assert_neq(zeroed, 0);
	cr_expect(all_bytes((void *)zeroed, PAGE_SIZE, 0));
	free_page(zeroed);
	cr_expect_eq(free_pages_now(), zones[0].present_pages);
}

Test(pages, exact_sizes_give_the_rest_back)
{
	static const size_t pages[] = { 1, 2, 3, 5, 7, 8, 9, 31, 100, 513, 1023, 1024 };
	size_t i;

	for (i = 0; i < ARRAY_LEN(pages); i++) {
		size_t size = pages[i] * PAGE_SIZE - 5;
		uint64_t before = free_pages_now(), present = zones[0].present_pages;
		uint8_t *p = alloc_pages_exact(size, GFP_KERNEL);

		cr_assert_not_null(p);
		memset(p, 0x11, pages[i] * PAGE_SIZE);
		cr_expect_eq(free_pages_now(), before + (zones[0].present_pages - present) - pages[i]);
		free_pages_exact(p, size);
		cr_expect_eq(free_pages_now(), zones[0].present_pages);
	}
}

Test(pages, the_rest_of_an_exact_block_is_usable_by_others)
{
	uint8_t *p = alloc_pages_exact(5 * PAGE_SIZE, GFP_KERNEL), *other[3];
	int i;

	memset(p, 0x11, 5 * PAGE_SIZE);
	for (i = 0; i < 3; i++) {
		other[i] = (void *)__get_free_page(GFP_KERNEL | __GFP_ZERO);
		memset(other[i], 0x22, PAGE_SIZE);
	}
	cr_expect(all_bytes(p, 5 * PAGE_SIZE, 0x11));
	free_pages_exact(p, 5 * PAGE_SIZE);
	for (i = 0; i < 3; i++)
		cr_expect(all_bytes(other[i], PAGE_SIZE, 0x22));
}

Test(pages, impossible_exact_sizes)
{
	cr_expect_null(alloc_pages_exact(0, GFP_KERNEL));
	cr_expect_null(alloc_pages_exact(BLOCK_BYTES + 1, GFP_KERNEL));
	free_pages_exact(NULL, 12345);
}

Test(pages, bulk_fills_the_empty_entries_only)
{
	struct page *page[50] = { NULL }, *kept = alloc_page(GFP_KERNEL);
	int i, j;

	page[7] = kept;
	cr_assert_eq(alloc_pages_bulk(GFP_KERNEL, 50, page), 50);
	cr_expect_eq(page[7], kept);
	for (i = 0; i < 50; i++) {
		cr_assert_not_null(page[i]);
		cr_expect_eq(page_count(page[i]), 1);
		for (j = 0; j < i; j++)
			cr_assert_neq(page[i], page[j]);
	}
	for (i = 0; i < 50; i++)
		__free_page(page[i]);
	cr_expect_eq(alloc_pages_bulk(GFP_KERNEL, 0, page), 0);
	cr_expect_eq(free_pages_now(), zones[0].present_pages);
}

Test(pages, bulk_may_fall_short_without_memory, .init = start_empty)
{
	static struct page *page[4000];
	unsigned long got;

	cr_expect_eq(alloc_pages_bulk(GFP_NOWAIT, 4000, page), 0);
	__free_pages(alloc_pages(GFP_KERNEL, 10), 10);
	got = alloc_pages_bulk(GFP_NOWAIT, 4000, page);
	cr_expect_eq(got, zones[0].present_pages);
	cr_expect_null(page[got]);
}

Test(pages, split_pages_are_freed_one_by_one_and_merge)
{
	struct page *page = alloc_pages(GFP_KERNEL, 4);
	int i;

	split_page(page, 4);
	for (i = 0; i < 16; i++) {
		cr_expect_eq(page_count(page_behind(page, (uint32_t)i)), 1);
		cr_expect_eq(page_behind(page, (uint32_t)i)->order, 0);
	}
	for (i = 0; i < 16; i += 2)
		__free_page(page_behind(page, (uint32_t)i));
	for (i = 1; i < 16; i += 2)
		__free_page(page_behind(page, (uint32_t)i));
	cr_expect_eq(free_pages_now(), zones[0].present_pages);
	cr_expect_eq(zones[0].free_list[10][MIGRATE_UNMOVABLE].nr, 1);
}

Test(pages, a_compound_page_does_not_split, .signal = SIGABRT)
{
	split_page(alloc_pages(GFP_KERNEL | __GFP_COMP, 2), 2);
}

Test(pages, the_last_reference_frees)
{
	struct page *page = alloc_pages(GFP_KERNEL, 1);

	get_page(page);
	cr_expect_eq(page_count(page), 2);
	put_page(page);
	cr_expect_eq(page_count(page), 1);
	cr_expect_eq(page->type, KMEM_PAGE_PAGES);
	put_page(page);
	cr_expect_neq(page->type, KMEM_PAGE_PAGES);
	cr_expect_eq(free_pages_now(), zones[0].present_pages);
}

/* lib/test_free_pages: a speculative reference while the owner frees leaks nothing, a million times. */
Test(pages, a_speculative_reference_leaks_nothing, .timeout = 60)
{
	int i;

	for (i = 0; i < 1000000; i++) {
		struct page *page = alloc_pages(i & 1 ? GFP_KERNEL | __GFP_COMP : GFP_KERNEL, 3);

		cr_assert_not_null(page);
		get_page(page);
		__free_pages(page, 3);
		put_page(page);
	}
	cr_expect_eq(free_pages_now(), zones[0].present_pages);
	/* First pages whose neighbours are gone may fill the per-CPU lists; leaked, they would be millions. */
	cr_expect_leq(zones[0].present_pages, 32 * 1024);
}

/* While one is held, the owner's other pages are free; the first one is not. */
Test(pages, the_owner_of_a_block_frees_what_nobody_holds)
{
	struct page *page = alloc_pages(GFP_KERNEL, 4);
	uint64_t before = free_pages_now();

	memset(page_address(page), 0x5a, PAGE_SIZE);
	get_page(page);
	__free_pages(page, 4);
	cr_expect_eq(free_pages_now(), before + 15);
	cr_expect_eq(page_count(page), 1);
	cr_expect(all_bytes(page_address(page), PAGE_SIZE, 0x5a));
	put_page(page);
	cr_expect_eq(free_pages_now(), before + 16);
}

static void *holder(void *arg)
{
	struct page **slot = arg;
	int i;

	for (i = 0; i < 100000; i++) {
		struct page *page;

		while (!(page = __atomic_exchange_n(slot, NULL, __ATOMIC_ACQ_REL)))
			;
		put_page(page);
	}
	return NULL;
}

Test(pages, two_threads_drop_the_last_references_together, .timeout = 60)
{
	struct page *slot = NULL;
	pthread_t thread;
	int i;

	pthread_create(&thread, NULL, holder, &slot);
	for (i = 0; i < 100000; i++) {
		struct page *page = alloc_pages(i & 1 ? GFP_KERNEL | __GFP_COMP : GFP_KERNEL, 1 + i % 3);

		get_page(page);
		while (__atomic_load_n(&slot, __ATOMIC_ACQUIRE))
			;
		__atomic_store_n(&slot, page, __ATOMIC_RELEASE);
		__free_pages(page, (unsigned int)(1 + i % 3));
	}
	pthread_join(thread, NULL);
	cr_expect_eq(free_pages_now(), zones[0].present_pages);
}

Test(pages, tails_lead_to_their_head)
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, 3), *plain = alloc_pages(GFP_KERNEL, 3);
	int i;

	for (i = 0; i < 8; i++)
		cr_expect_eq(compound_head(page_behind(page, (uint32_t)i)), page);
	cr_expect_eq(compound_order(page), 3);
	cr_expect_eq(compound_nr(page), 8);
	cr_expect_eq(compound_order(plain), 0);
	cr_expect_eq(compound_head(plain), plain);
	get_page(page_behind(page, 5));
	cr_expect_eq(page_count(page_behind(page, 2)), 2);
	put_page(page_behind(page, 7));
	cr_expect_eq(page_count(page), 1);
	put_page(page_behind(page, 1));
	__free_pages(plain, 3);
	cr_expect_eq(free_pages_now(), zones[0].present_pages);
}

Test(pages, raw_references)
{
	struct page *page = alloc_page(GFP_KERNEL);

	cr_expect(page_ref_add_unless_zero(page, 3));
	cr_expect_eq(page_ref_count(page), 4);
	cr_expect_not(page_ref_sub_and_test(page, 3));
	put_page(page);
	cr_expect_not(page_ref_add_unless_zero(page, 1), "a free page cannot be had");
	cr_expect_eq(free_pages_now(), zones[0].present_pages);
}

Test(pages, bulk_frees_and_numbers)
{
	struct page *page[20] = { NULL };

	cr_assert_eq(alloc_pages_bulk_node(GFP_KERNEL, 0, 20, page), 20);
	__free_page(page[4]);
	page[4] = NULL;
	cr_expect_eq(pfn_to_page(page_to_pfn(page[7])), page[7]);
	cr_expect_eq(page_to_nid(page[7]), 0);
	cr_expect_null(pfn_to_page(~0UL));
	free_pages_bulk(20, page);
	cr_expect_null(page[7]);
	cr_expect_eq(free_pages_now(), zones[0].present_pages);
	cr_expect_null(alloc_pages_exact_nid(5, 100, GFP_KERNEL | __GFP_THISNODE));
}

Test(pages, without_reclaim_the_arena_does_not_grow, .init = start_empty)
{
	cr_expect_null(alloc_pages(GFP_NOWAIT, 0));
	cr_expect_null(alloc_pages(GFP_ATOMIC, 10));
	cr_expect_eq(zones[0].present_pages, 0);
	cr_expect_not_null(alloc_pages(GFP_KERNEL, 0));
	cr_expect_not_null(alloc_pages(GFP_NOWAIT, 0));
	cr_expect_not_null(alloc_pages(GFP_ATOMIC, 5));
}

Test(pages, only_node_0_exists)
{
	cr_expect_not_null(alloc_pages_node(0, GFP_KERNEL, 0));
	cr_expect_not_null(alloc_pages_node(1, GFP_KERNEL, 0));
	cr_expect_null(alloc_pages_node(1, GFP_KERNEL | __GFP_THISNODE, 0));
}

Test(pages, mobility_keeps_kinds_in_blocks_of_their_own)
{
	struct page *u = alloc_page(GFP_KERNEL), *m, *r;

	grow_zone(&zones[0], MIGRATE_MOVABLE);
	grow_zone(&zones[0], MIGRATE_RECLAIMABLE);
	m = alloc_page(GFP_KERNEL | __GFP_MOVABLE);
	r = alloc_page(GFP_KERNEL | __GFP_RECLAIMABLE);
	cr_expect_neq(page_to_pfn(u) >> 9, page_to_pfn(m) >> 9);
	cr_expect_neq(page_to_pfn(m) >> 9, page_to_pfn(r) >> 9);
	cr_expect_eq(m->migratetype, MIGRATE_MOVABLE);
	cr_expect_eq(r->migratetype, MIGRATE_RECLAIMABLE);
}

/* ZEROED may only say so of memory that is zero, whatever happened to it before. */
Test(pages, zeroed_is_always_true, .timeout = 60)
{
	enum { LIVE = 64 };
	struct {
		uint8_t *p;
		unsigned int order;
	} live[LIVE] = { { 0 } };
	uint64_t seed = 7;
	int i;

	for (i = 0; i < 6000; i++) {
		unsigned int at = random_next(&seed) % LIVE;

		if (random_next(&seed) % 200 == 0)
			kmem_page_purge(random_next(&seed) % 11);
		if (live[at].p) {
			free_pages((unsigned long)live[at].p, live[at].order);
			live[at].p = NULL;
			continue;
		}
		live[at].order = random_next(&seed) % 7;
		live[at].p = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, live[at].order);
		cr_assert(all_bytes(live[at].p, PAGE_SIZE << live[at].order, 0), "step %d", i);
		if (random_next(&seed) % 2)
			memset(live[at].p, 0xff, PAGE_SIZE << live[at].order);
	}
	for (i = 0; i < LIVE; i++)
		if (live[i].p)
			free_pages((unsigned long)live[i].p, live[i].order);
	cr_expect_eq(free_pages_now(), zones[0].present_pages);
}

Test(pages, handed_out_and_freed_pages_are_counted)
{
	uint64_t allocated = vmstat_stat(KMEM_ZS_ALLOC), freed = vmstat_stat(KMEM_ZS_FREE);
	void *exact = alloc_pages_exact(3 * PAGE_SIZE, GFP_KERNEL);
	struct page *page = alloc_pages(GFP_KERNEL, 5);

	__free_pages(page, 5);
	free_pages_exact(exact, 3 * PAGE_SIZE);
	cr_expect_eq(vmstat_stat(KMEM_ZS_ALLOC) - allocated, 4 + 32);
	cr_expect_eq(vmstat_stat(KMEM_ZS_FREE) - freed, 4 + 32);
}

Test(pages, trimming_counts_and_describes)
{
	struct page *page = page_alloc(GFP_KERNEL, 3, KMEM_PAGE_LARGE);

	page_trim(page, 8);
	cr_expect_not(page->flags & KMEM_PG_EXACT);
	page_trim(page, 3);
	cr_expect(page->flags & KMEM_PG_EXACT);
	cr_expect_eq(page->nr_pages, 3);
	page_trim(page, 2);
	cr_expect_eq(page->nr_pages, 2);
	page_free_exact(page);
	cr_expect_eq(free_pages_now(), zones[0].present_pages);
}

Test(pages, traced_calls_give_the_same_results, .init = start_empty)
{
	struct page *page;

	trace_semaphore[TRACE_MM_PAGE_ALLOC].count = 1;
	trace_semaphore[TRACE_MM_PAGE_FREE].count = 1;
	cr_expect_null(alloc_pages(GFP_NOWAIT, 2));
	page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 2);
	cr_assert_not_null(page);
	cr_expect(all_bytes(page_address(page), PAGE_SIZE << 2, 0));
	__free_pages(page, 2);
	free_pages_exact(alloc_pages_exact(5 * PAGE_SIZE, GFP_KERNEL), 5 * PAGE_SIZE);
	cr_expect_eq(free_pages_now(), zones[0].present_pages);
}

Test(pages, freeing_twice_is_a_bug, .signal = SIGABRT)
{
	struct page *page = alloc_page(GFP_KERNEL);

	__free_page(page);
	__free_page(page);
}

Test(pages, freeing_with_the_wrong_order_is_a_bug, .signal = SIGABRT)
{
	__free_pages(alloc_pages(GFP_KERNEL, 2), 1);
}

Test(pages, freeing_a_tail_is_a_bug, .signal = SIGABRT)
{
	__free_pages(alloc_pages(GFP_KERNEL, 2) + 1, 0);
}

Test(pages, freeing_foreign_memory_is_a_bug, .signal = SIGABRT)
{
	int local;

	free_pages((unsigned long)&local, 0);
}

Test(pages, one_put_too_many_is_a_bug, .signal = SIGABRT)
{
	struct page *page = alloc_page(GFP_KERNEL);

	put_page(page);
	put_page(page);
}

Test(pages, a_wrong_exact_size_is_a_bug, .signal = SIGABRT)
{
	free_pages_exact(alloc_pages_exact(3 * PAGE_SIZE, GFP_KERNEL), 4 * PAGE_SIZE);
}

Test(pages, exact_free_of_foreign_memory_is_a_bug, .signal = SIGABRT)
{
	static char object[4096];

	free_pages_exact(object, 4096);
}

static void *churn(void *seed_start)
{
	uint64_t seed = (uintptr_t)seed_start;
	struct page *live[32] = { NULL };
	unsigned int order[32] = { 0 };
	int i;

	for (i = 0; i < 20000; i++) {
		unsigned int at = random_next(&seed) % 32;

		if (live[at]) {
			__free_pages(live[at], order[at]);
			live[at] = NULL;
		} else {
			order[at] = random_next(&seed) % 6;
			live[at] = alloc_pages(GFP_KERNEL, order[at]);
		}
	}
	for (i = 0; i < 32; i++)
		__free_pages(live[i], order[i]);
	return NULL;
}

Test(pages, threads_share_the_zone, .timeout = 60)
{
	pthread_t thread[4];
	uintptr_t i;

	for (i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, churn, (void *)(i + 1));
	for (i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	cr_expect_eq(free_pages_now(), zones[0].present_pages);
	cr_expect_eq(vmstat_stat(KMEM_ZS_ALLOC), vmstat_stat(KMEM_ZS_FREE));
}
