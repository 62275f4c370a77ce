/* SPDX-License-Identifier: BSD-2-Clause */
/* The buddy: split, merge, mobility, and the truth of ZEROED, after operations in any order. */
#include "support.h"

#include "page/arena.h"
#include "page/buddy.h"
#include "page/grow.h"

static struct page *take(unsigned int order, enum migratetype type)
{
	struct page *page;

	buddy_lock(&zones[0]);
	page = buddy_take(&zones[0], order, type, 0);
	buddy_unlock(&zones[0]);
	return page;
}

/* Taken and in somebody's hands. */
static struct page *use(unsigned int order, enum migratetype type)
{
	struct page *page = take(order, type);

	page_set_type(page, KMEM_PAGE_PAGES);
	return page;
}

static void put(struct page *page, unsigned int order)
{
	buddy_lock(&zones[0]);
	buddy_put(&zones[0], page, order);
	buddy_unlock(&zones[0]);
}

static void put_dirty(struct page *page, unsigned int order)
{
	page->flags = 0;
	put(page, order);
}

static void validate(void)
{
	buddy_lock(&zones[0]);
	buddy_validate(&zones[0]);
	buddy_unlock(&zones[0]);
}

static uint32_t nr_free(unsigned int order)
{
	unsigned int type;
	uint32_t nr = 0;

	for (type = 0; type < KMEM_NR_MIGRATETYPES; type++)
		nr += zones[0].free_list[order][type].nr;
	return nr;
}

TestSuite(buddy, .init = start_empty);

Test(buddy, starts_empty_and_grows_by_4_mib_of_zeroes)
{
	cr_expect_eq(zones[0].present_pages, 0);
	cr_expect_null(take(0, MIGRATE_UNMOVABLE));
	cr_assert_eq(grow_zone(&zones[0], MIGRATE_MOVABLE), 0);
	cr_expect_eq(zones[0].present_pages, 1024);
	cr_expect_eq(zones[0].free_pages, 1024);
	cr_expect_eq(zones[0].dirty_pages, 0);
	cr_expect_eq(zones[0].free_list[10][MIGRATE_MOVABLE].nr, 1);
	validate();
}

Test(buddy, taking_one_page_leaves_one_block_of_every_smaller_order)
{
	struct page *page;
	unsigned int order;

	grow_zone(&zones[0], MIGRATE_UNMOVABLE);
	page = take(0, MIGRATE_UNMOVABLE);
	cr_assert_not_null(page);
	for (order = 0; order <= 9; order++)
		cr_expect_eq(nr_free(order), 1, "order %u", order);
	cr_expect_eq(nr_free(10), 0);
	cr_expect_eq(zones[0].free_pages, 1023);
	validate();
	put(page, 0);
	cr_expect_eq(nr_free(10), 1);
	validate();
}

Test(buddy, blocks_of_every_order_are_aligned_and_described)
{
	unsigned int order;

	for (order = 0; order <= MAX_PAGE_ORDER; order++) {
		struct page *page;

		grow_zone(&zones[0], MIGRATE_UNMOVABLE);
		page = take(order, MIGRATE_UNMOVABLE);
		cr_assert_not_null(page);
		cr_expect_eq((uintptr_t)page_to_addr(page) % (PAGE_SIZE << order), 0);
		cr_expect_eq(page->order, order);
		cr_expect_eq(page->nr_pages, 1u << order);
		cr_expect_eq(page->type, KMEM_PAGE_TAIL);
	}
	validate();
}

Test(buddy, a_block_merges_only_with_its_buddy)
{
	struct page *page[4];
	int i;

	grow_zone(&zones[0], MIGRATE_UNMOVABLE);
	for (i = 0; i < 4; i++)
		page[i] = take(0, MIGRATE_UNMOVABLE);
	for (i = 1; i < 4; i++)
		cr_assert_eq(page[i], page_behind(page[0], (uint32_t)i));
	/* 1 and 2 are neighbours, not buddies. */
	put(page[1], 0);
	put(page[2], 0);
	cr_expect_eq(nr_free(0), 2);
	put(page[3], 0);
	cr_expect_eq(nr_free(0), 1);
	cr_expect_eq(nr_free(1), 1);
	put(page[0], 0);
	cr_expect_eq(nr_free(10), 1);
	validate();
}

Test(buddy, the_largest_blocks_never_merge)
{
	struct page *a, *b;

	grow_zone(&zones[0], MIGRATE_UNMOVABLE);
	grow_zone(&zones[0], MIGRATE_UNMOVABLE);
	a = take(10, MIGRATE_UNMOVABLE);
	b = take(10, MIGRATE_UNMOVABLE);
	put(a, 10);
	put(b, 10);
	cr_expect_eq(nr_free(10), 2);
	validate();
}

Test(buddy, fallback_order_is_the_kernel_s)
{
	cr_expect_eq(buddy_fallback(MIGRATE_UNMOVABLE, 0), MIGRATE_RECLAIMABLE);
	cr_expect_eq(buddy_fallback(MIGRATE_UNMOVABLE, 1), MIGRATE_MOVABLE);
	cr_expect_eq(buddy_fallback(MIGRATE_MOVABLE, 0), MIGRATE_RECLAIMABLE);
	cr_expect_eq(buddy_fallback(MIGRATE_MOVABLE, 1), MIGRATE_UNMOVABLE);
	cr_expect_eq(buddy_fallback(MIGRATE_RECLAIMABLE, 0), MIGRATE_UNMOVABLE);
	cr_expect_eq(buddy_fallback(MIGRATE_RECLAIMABLE, 1), MIGRATE_MOVABLE);
}

Test(buddy, its_own_type_is_served_first)
{
	struct page *movable, *unmovable;

	grow_zone(&zones[0], MIGRATE_MOVABLE);
	movable = take(0, MIGRATE_MOVABLE);
	grow_zone(&zones[0], MIGRATE_UNMOVABLE);
	unmovable = take(0, MIGRATE_UNMOVABLE);
	cr_expect_neq(page_index(movable) >> MAX_PAGE_ORDER, page_index(unmovable) >> MAX_PAGE_ORDER);
	cr_expect_eq(zones[0].free_list[9][MIGRATE_MOVABLE].nr, 1);
	cr_expect_eq(zones[0].free_list[9][MIGRATE_UNMOVABLE].nr, 1);
	validate();
}

Test(buddy, a_whole_free_pageblock_is_claimed)
{
	struct page *page;

	grow_zone(&zones[0], MIGRATE_MOVABLE);
	page = take(0, MIGRATE_UNMOVABLE);
	cr_assert_not_null(page);
	cr_expect_eq(arena.pageblock[page_index(page) >> PAGEBLOCK_ORDER], MIGRATE_UNMOVABLE);
	cr_expect_eq(zones[0].free_list[0][MIGRATE_UNMOVABLE].nr, 1);
	cr_expect_eq(zones[0].free_list[9][MIGRATE_MOVABLE].nr, 0);
	validate();
}

Test(buddy, a_pageblock_at_least_half_free_is_claimed)
{
	struct page *a, *b, *page;

	grow_zone(&zones[0], MIGRATE_MOVABLE);
	a = take(9, MIGRATE_MOVABLE);
	b = take(8, MIGRATE_MOVABLE);
	cr_assert(a && b);
	page = take(0, MIGRATE_UNMOVABLE);
	cr_expect_eq(arena.pageblock[page_index(page) >> PAGEBLOCK_ORDER], MIGRATE_UNMOVABLE);
	cr_expect_eq(arena.pageblock[page_index(a) >> PAGEBLOCK_ORDER], MIGRATE_MOVABLE);
	validate();
	/* What was movable comes home to the block's new type. */
	put(b, 8);
	cr_expect_eq(zones[0].free_list[8][MIGRATE_UNMOVABLE].nr, 1);
	validate();
}

Test(buddy, a_mostly_used_pageblock_is_only_stolen_from)
{
	struct page *page;

	grow_zone(&zones[0], MIGRATE_MOVABLE);
	use(9, MIGRATE_MOVABLE);
	use(8, MIGRATE_MOVABLE);
	use(7, MIGRATE_MOVABLE);
	page = take(0, MIGRATE_UNMOVABLE);
	cr_assert_not_null(page);
	cr_expect_eq(arena.pageblock[page_index(page) >> PAGEBLOCK_ORDER], MIGRATE_MOVABLE);
	cr_expect_eq(zones[0].free_list[6][MIGRATE_MOVABLE].nr, 1);
	validate();
	put(page, 0);
	cr_expect_eq(zones[0].free_list[7][MIGRATE_MOVABLE].nr, 1);
	validate();
}

Test(buddy, a_used_pageblock_is_claimed_by_what_is_like_it)
{
	struct page *page;

	grow_zone(&zones[0], MIGRATE_MOVABLE);
	use(9, MIGRATE_MOVABLE);
	/* Unmovable pages have wandered into most of a movable pageblock. */
	use(8, MIGRATE_MOVABLE)->migratetype = MIGRATE_UNMOVABLE;
	use(7, MIGRATE_MOVABLE);
	page = take(0, MIGRATE_UNMOVABLE);
	cr_expect_eq(pageblock_type(page_index(page)), MIGRATE_UNMOVABLE);
	validate();
}

Test(buddy, memory_in_hand_is_taken_before_memory_given_back)
{
	struct page *fresh, *used, *guard;

	grow_zone(&zones[0], MIGRATE_UNMOVABLE);
	used = take(0, MIGRATE_UNMOVABLE);
	guard = take(0, MIGRATE_UNMOVABLE);
	fresh = take(0, MIGRATE_UNMOVABLE);
	take(0, MIGRATE_UNMOVABLE);
	put_dirty(used, 0);
	put(fresh, 0);
	cr_expect_eq(take(0, MIGRATE_UNMOVABLE), used);
	cr_expect_eq(take(0, MIGRATE_UNMOVABLE), fresh);
	cr_expect_neq(guard, fresh);
	validate();
}

Test(buddy, zero_and_lazily_given_back_merge_to_unknown)
{
	struct page *a, *b;

	grow_zone(&zones[0], MIGRATE_UNMOVABLE);
	a = take(0, MIGRATE_UNMOVABLE);
	b = take(0, MIGRATE_UNMOVABLE);
	b->flags = KMEM_PG_LAZY;
	put(b, 0);
	put(a, 0);
	cr_expect_eq(zones[0].dirty_pages, 0);
	a = take(10, MIGRATE_UNMOVABLE);
	cr_expect_eq(a->flags & KMEM_PG_CLEAN, KMEM_PG_LAZY);
}

Test(buddy, a_free_while_the_zone_is_locked_comes_home_later)
{
	struct page *page;

	grow_zone(&zones[0], MIGRATE_UNMOVABLE);
	page = take(3, MIGRATE_UNMOVABLE);
	buddy_lock(&zones[0]);
	page->flags = 0;
	buddy_free(&zones[0], page, 3);
	cr_expect_eq(zones[0].deferred, page_index(page));
	cr_expect_eq(page->type, KMEM_PAGE_PCP);
	buddy_unlock(&zones[0]);
	validate();
	cr_expect_eq(zones[0].deferred, 0);
	cr_expect_eq(zones[0].free_pages, 1024);
}

/* A zone of 256 MiB keeps up to three pageblocks for urgent requests of order > 0. */
Test(buddy, the_highatomic_reserve_is_bounded_and_apart)
{
	struct page *page, *other;
	int i;

	for (i = 0; i < 64; i++)
		grow_zone(&zones[0], MIGRATE_UNMOVABLE);
	for (i = 0; i < 9; i++) {
		buddy_lock(&zones[0]);
		page = buddy_take(&zones[0], 9, MIGRATE_UNMOVABLE, 0);
		buddy_put(&zones[0], page, 9);
		page = buddy_take(&zones[0], 1, MIGRATE_UNMOVABLE, 0);
		buddy_reserve_highatomic(&zones[0], page);
		buddy_unlock(&zones[0]);
		/* So that the next one comes from another pageblock. */
		take(8, MIGRATE_UNMOVABLE);
	}
	validate();
	cr_expect_eq(zones[0].highatomic_pages, 2 * 512);
	buddy_lock(&zones[0]);
	page = buddy_take(&zones[0], 1, MIGRATE_UNMOVABLE, ALLOC_HIGHATOMIC);
	other = buddy_take(&zones[0], 1, MIGRATE_UNMOVABLE, 0);
	cr_expect_eq(pageblock_type(page_index(page)), MIGRATE_HIGHATOMIC);
	cr_expect_neq(pageblock_type(page_index(other)), MIGRATE_HIGHATOMIC);
	buddy_put(&zones[0], page, 1);
	cr_expect(buddy_unreserve_highatomic(&zones[0], MIGRATE_MOVABLE, false));
	cr_expect_not(buddy_unreserve_highatomic(&zones[0], MIGRATE_MOVABLE, false), "the last one stays");
	cr_expect(buddy_unreserve_highatomic(&zones[0], MIGRATE_MOVABLE, true));
	cr_expect_eq(zones[0].highatomic_pages, 0);
	cr_expect_eq(zones[0].highatomic_free, 0);
	buddy_unlock(&zones[0]);
	validate();
}

Test(buddy, small_movable_requests_wander)
{
	struct page *page[512], *wander;
	unsigned int i;

	grow_zone(&zones[0], MIGRATE_UNMOVABLE);
	take(9, MIGRATE_UNMOVABLE);
	for (i = 0; i < 512; i++)
		page[i] = take(0, MIGRATE_UNMOVABLE);
	/* Free all but every eighth page: most of the block is free, in small pieces. */
	for (i = 0; i < 512; i++)
		if (i % 8)
			put(page[i], 0);
	wander = take(0, MIGRATE_MOVABLE);
	cr_assert_not_null(wander);
	cr_expect_eq(arena.pageblock[page_index(wander) >> PAGEBLOCK_ORDER], MIGRATE_UNMOVABLE);
	validate();
}

Test(buddy, every_type_can_use_all_memory)
{
	unsigned int pages = 0;

	grow_zone(&zones[0], MIGRATE_MOVABLE);
	grow_zone(&zones[0], MIGRATE_RECLAIMABLE);
	while (take(0, MIGRATE_UNMOVABLE))
		pages++;
	cr_expect_eq(pages, 2048);
	cr_expect_eq(zones[0].free_pages, 0);
	validate();
}

Test(buddy, zeroed_survives_a_split)
{
	struct page *page;

	grow_zone(&zones[0], MIGRATE_UNMOVABLE);
	page = take(3, MIGRATE_UNMOVABLE);
	cr_expect(page->flags & KMEM_PG_ZEROED);
	page = take(5, MIGRATE_UNMOVABLE);
	cr_expect(page->flags & KMEM_PG_ZEROED);
}

Test(buddy, a_merge_with_dirty_memory_is_dirty)
{
	struct page *page, *again;

	grow_zone(&zones[0], MIGRATE_UNMOVABLE);
	page = take(0, MIGRATE_UNMOVABLE);
	put_dirty(page, 0);
	cr_expect_eq(zones[0].dirty_pages, 1, "one page of it holds memory");
	again = take(10, MIGRATE_UNMOVABLE);
	cr_expect_not(again->flags & KMEM_PG_ZEROED);
	again->flags = KMEM_PG_ZEROED;
	put(again, 10);
	cr_expect_eq(zones[0].dirty_pages, 0);
	validate();
}

Test(buddy, dirty_pages_are_counted)
{
	struct page *a, *b;

	grow_zone(&zones[0], MIGRATE_UNMOVABLE);
	a = take(0, MIGRATE_UNMOVABLE);
	b = take(0, MIGRATE_UNMOVABLE);
	put_dirty(b, 0);
	cr_expect_eq(zones[0].dirty_pages, 1);
	put_dirty(a, 0);
	cr_expect_eq(zones[0].dirty_pages, 2);
	validate();
}

Test(buddy, taking_from_what_is_dirty_in_part_leaves_the_count_about_right)
{
	struct page *page;
	int i;

	grow_zone(&zones[0], MIGRATE_UNMOVABLE);
	for (i = 0; i < 100; i++) {
		page = take(4, MIGRATE_UNMOVABLE);
		cr_expect_leq(zones[0].dirty_pages, 6);
		put_dirty(page, 4);
		validate();
	}
	cr_expect_geq(zones[0].dirty_pages, 16);
	cr_expect_leq(zones[0].dirty_pages, 16 + 6, "at most one too many for each split");
}

Test(buddy, dirty_blocks_are_found_by_order)
{
	struct page *small, *guard, *big, *found;

	grow_zone(&zones[0], MIGRATE_UNMOVABLE);
	small = take(0, MIGRATE_UNMOVABLE);
	guard = take(0, MIGRATE_UNMOVABLE);
	big = take(8, MIGRATE_UNMOVABLE);
	put_dirty(small, 0);
	put_dirty(big, 8);
	buddy_lock(&zones[0]);
	found = buddy_take_dirty(&zones[0], 1);
	cr_expect_eq(found, big);
	cr_expect_null(buddy_take_dirty(&zones[0], 1));
	cr_expect_eq(buddy_take_dirty(&zones[0], 0), small);
	cr_expect_null(buddy_take_dirty(&zones[0], 0));
	buddy_unlock(&zones[0]);
	cr_expect_neq(guard, small);
	validate();
}

Test(buddy, random_operations_keep_every_invariant, .timeout = 60)
{
	enum { LIVE = 600 };
	static struct {
		struct page *page;
		unsigned int order;
	} live[LIVE];
	uint64_t seed = 42, taken = 0;
	int i;

	for (i = 0; i < 8; i++)
		grow_zone(&zones[0], (enum migratetype)(i % 3));
	for (i = 0; i < 40000; i++) {
		unsigned int at = random_next(&seed) % LIVE, order = random_next(&seed) % 11;

		order = random_next(&seed) % 4 ? order % 4 : order;
		if (live[at].page) {
			live[at].page->flags = random_next(&seed) % 2 ? KMEM_PG_ZEROED : 0;
			put(live[at].page, live[at].order);
			taken -= UINT64_C(1) << live[at].order;
			live[at].page = NULL;
		} else {
			live[at].page = take(order, (enum migratetype)(random_next(&seed) % 3));
			live[at].order = order;
			if (live[at].page) {
				cr_assert_eq(page_index(live[at].page) & ((1u << order) - 1), 0);
				page_set_type(live[at].page, KMEM_PAGE_PAGES);
				taken += UINT64_C(1) << order;
			}
		}
		cr_assert_eq(zones[0].free_pages + taken, zones[0].present_pages);
		if (i % 64 == 0)
			validate();
	}
	for (i = 0; i < LIVE; i++)
		if (live[i].page)
			put(live[i].page, live[i].order);
	validate();
	cr_expect_eq(nr_free(10), 8, "all memory merges back into its largest blocks");
}

Test(buddy, putting_a_free_block_is_a_bug, .signal = SIGABRT)
{
	struct page *page;

	grow_zone(&zones[0], MIGRATE_UNMOVABLE);
	page = take(0, MIGRATE_UNMOVABLE);
	take(0, MIGRATE_UNMOVABLE);
	put(page, 0);
	put(page, 0);
}

Test(buddy, validate_sees_a_wrong_order, .signal = SIGABRT)
{
	grow_zone(&zones[0], MIGRATE_UNMOVABLE);
	take(0, MIGRATE_UNMOVABLE);
	page_at(zones[0].free_list[3][0].clean)->order = 2;
	validate();
}

Test(buddy, validate_sees_a_wrong_count, .signal = SIGABRT)
{
	grow_zone(&zones[0], MIGRATE_UNMOVABLE);
	zones[0].free_pages--;
	validate();
}

Test(buddy, the_sequence_is_odd_under_the_lock)
{
	buddy_lock(&zones[0]);
	cr_expect(zones[0].seq & 1);
	buddy_unlock(&zones[0]);
	cr_expect_not(zones[0].seq & 1);
}
