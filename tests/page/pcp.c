/* SPDX-License-Identifier: BSD-2-Clause */
/* Per-CPU page lists: LIFO, by order and type, bounded, and never in the way of the zone. */
#include "support.h"

#include "page/buddy.h"
#include "page/grow.h"
#include "page/pcp.h"

static struct page *take(unsigned int order, enum migratetype type)
{
	const struct page_request request = { .gfp = GFP_KERNEL, .order = order, .type = type, .flags = ALLOC_WAIT };
	struct page *page = pcp_take(&zones[0], 0, order, type);

	return page ? page : pcp_refill(&zones[0], &request);
}

static void setup(void)
{
	pin_to(0);
	start_empty();
	cr_assert_eq(grow_zone(&zones[0], MIGRATE_UNMOVABLE), 0);
}

TestSuite(pcp, .init = setup);

static void validate(void)
{
	buddy_lock(&zones[0]);
	buddy_validate(&zones[0]);
	buddy_unlock(&zones[0]);
}

Test(pcp, batch_is_the_kernel_s)
{
	cr_expect_eq(pcp_batch((uint64_t)1 << 28), 63);
	cr_expect_eq(pcp_batch(262144), 63); /* 1 GiB */
	cr_expect_eq(pcp_batch(65536), 15);
	cr_expect_eq(pcp_batch(16384), 3);
	cr_expect_eq(pcp_batch(4096), 0); /* the caller makes it 1 */
}

Test(pcp, the_page_just_put_is_the_next_one_taken)
{
	struct page *a = take(0, MIGRATE_UNMOVABLE), *b = take(0, MIGRATE_UNMOVABLE);

	cr_assert(a && b);
	cr_assert(pcp_put(a, 0, MIGRATE_UNMOVABLE));
	cr_assert(pcp_put(b, 0, MIGRATE_UNMOVABLE));
	cr_expect_eq(take(0, MIGRATE_UNMOVABLE), b);
	cr_expect_eq(take(0, MIGRATE_UNMOVABLE), a);
}

Test(pcp, a_refill_moves_a_batch)
{
	cr_assert_not_null(take(0, MIGRATE_UNMOVABLE));
	cr_expect_eq(pcp_count(), 62);
	cr_expect_eq(zones[0].free_pages, 1024 - 63);
	cr_assert_not_null(take(3, MIGRATE_UNMOVABLE));
	cr_expect_eq(pcp_count(), 62 + 6 * 8);
	validate();
}

Test(pcp, parked_blocks_are_described)
{
	struct page *page = take(2, MIGRATE_UNMOVABLE);

	cr_expect_eq(page->type, KMEM_PAGE_TAIL);
	pcp_put(page, 2, MIGRATE_UNMOVABLE);
	cr_expect_eq(page->type, KMEM_PAGE_PCP);
	cr_expect_eq(page->order, 2);
	cr_expect_eq(page->nr_pages, 4);
	cr_expect_not(page->flags & KMEM_PG_ZEROED);
}

Test(pcp, lists_of_orders_and_types_are_apart)
{
	struct page *a = take(0, MIGRATE_UNMOVABLE), *b = take(1, MIGRATE_UNMOVABLE);

	pcp_put(a, 0, MIGRATE_MOVABLE);
	pcp_put(b, 1, MIGRATE_UNMOVABLE);
	cr_expect_neq(take(0, MIGRATE_UNMOVABLE), a);
	cr_expect_eq(take(0, MIGRATE_MOVABLE), a);
	cr_expect_eq(take(1, MIGRATE_UNMOVABLE), b);
}

Test(pcp, no_more_than_its_high_mark_is_parked)
{
	struct page *page[1900];
	unsigned int i;

	cr_assert_eq(grow_zone(&zones[0], MIGRATE_UNMOVABLE), 0);
	for (i = 0; i < 1900; i++)
		cr_assert_not_null(page[i] = take(0, MIGRATE_UNMOVABLE));
	for (i = 0; i < 1900; i++) {
		cr_assert(pcp_put(page[i], 0, MIGRATE_UNMOVABLE));
		cr_assert_leq(pcp_count(), BLOCK_PAGES);
	}
	cr_expect_geq(pcp_count(), 63);
	cr_expect_eq(zones[0].free_pages + pcp_count(), 2 * BLOCK_PAGES);
	validate();
}

Test(pcp, a_drain_returns_everything_and_it_merges)
{
	struct page *page = take(0, MIGRATE_UNMOVABLE);
	size_t parked;

	pcp_put(page, 0, MIGRATE_UNMOVABLE);
	parked = pcp_count();
	cr_expect_eq(parked, 63);
	cr_expect_eq(pcp_drain_all(), parked);
	cr_expect_eq(pcp_count(), 0);
	cr_expect_eq(zones[0].free_pages, 1024);
	cr_expect_eq(zones[0].free_list[10][MIGRATE_UNMOVABLE].nr, 1);
	cr_expect_eq(pcp_drain_all(), 0);
	validate();
}

Test(pcp, pages_taken_and_drained_unused_stay_known_zero)
{
	struct page *page = take(0, MIGRATE_UNMOVABLE);

	cr_expect(page->flags & KMEM_PG_ZEROED);
	pcp_drain_all();
	cr_expect_eq(zones[0].dirty_pages, 0);
}

Test(pcp, an_empty_zone_gives_nothing)
{
	buddy_lock(&zones[0]);
	while (buddy_take(&zones[0], 0, MIGRATE_UNMOVABLE, 0))
		;
	buddy_unlock(&zones[0]);
	cr_expect_null(take(0, MIGRATE_UNMOVABLE));
}

Test(pcp, blocks_of_64_pages_are_parked_when_freed_and_decay)
{
	struct page *page = take(6, MIGRATE_UNMOVABLE);

	cr_assert_not_null(page);
	cr_expect_eq(pcp_count(), 0, "no larger block is parked ahead of need");
	cr_expect(pcp_put(page, 6, MIGRATE_UNMOVABLE));
	cr_expect_eq(pcp_count(), 64);
	pcp_validate();
	cr_expect_eq(pcp_take(&zones[0], 0, 6, MIGRATE_UNMOVABLE), page);
	cr_expect(pcp_put(page, 6, MIGRATE_UNMOVABLE));
	pcp_decay(&zones[0]);
	cr_expect_eq(pcp_count(), 0);
	cr_expect_eq(zones[0].free_pages, 1024);
}

Test(pcp, larger_blocks_are_not_parked_within_a_budget_or_when_told)
{
	struct page *page = take(4, MIGRATE_UNMOVABLE);

	pcp_parks_costly = false;
	cr_expect_not(pcp_put(page, 4, MIGRATE_UNMOVABLE));
	pcp_parks_costly = true;
	zones[0].max_pages = 4096;
	cr_expect_not(pcp_put(page, 4, MIGRATE_UNMOVABLE));
	zones[0].max_pages = UINT64_MAX;
	cr_expect(pcp_put(page, 4, MIGRATE_UNMOVABLE));
}

Test(pcp, a_taken_list_is_passed_by)
{
	struct page *page = take(0, MIGRATE_UNMOVABLE);

	pcp_lock_for_fork();
	cr_expect_null(take(0, MIGRATE_UNMOVABLE));
	cr_expect_not(pcp_put(page, 0, MIGRATE_UNMOVABLE));
	pcp_unlock_after_fork(false);
	cr_expect(pcp_put(page, 0, MIGRATE_UNMOVABLE));
	pcp_lock_for_fork();
	pcp_unlock_after_fork(true);
	cr_expect_eq(take(0, MIGRATE_UNMOVABLE), page);
}
