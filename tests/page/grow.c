/* SPDX-License-Identifier: BSD-2-Clause */
/* Growth within a budget, charges for mappings, huge pages asked for and not. */
#include "support.h"

#include <pthread.h>

#include "base/numa.h"
#include "page/alloc.h"
#include "page/arena.h"
#include "page/buddy.h"
#include "page/grow.h"
#include "page/large.h"

TestSuite(grow, .init = start_empty);

Test(grow, stops_at_the_budget)
{
	zones[0].max_pages = 3 * BLOCK_PAGES;
	cr_expect_eq(grow_zone(&zones[0], MIGRATE_UNMOVABLE), 0);
	cr_expect_eq(grow_zone(&zones[0], MIGRATE_UNMOVABLE), 0);
	cr_expect_eq(grow_zone(&zones[0], MIGRATE_UNMOVABLE), 0);
	cr_expect_neq(grow_zone(&zones[0], MIGRATE_UNMOVABLE), 0);
	cr_expect_eq(zones[0].present_pages, 3 * BLOCK_PAGES);
	page_validate();
}

static void *take_one(void *done)
{
	cr_expect_not_null(alloc_pages(GFP_KERNEL, 0));
	__atomic_store_n((bool *)done, true, __ATOMIC_RELEASE);
	return NULL;
}

/* Those who come while one makes the zone larger wait for it, and do not do the same. */
Test(grow, one_thread_at_a_time)
{
	bool done[8] = { false };
	pthread_t thread[8];
	int i;

	grow_begin();
	for (i = 0; i < 8; i++)
		cr_assert_eq(pthread_create(&thread[i], NULL, take_one, &done[i]), 0);
	usleep(50000);
	for (i = 0; i < 8; i++)
		cr_expect_not(__atomic_load_n(&done[i], __ATOMIC_ACQUIRE));
	cr_expect_eq(zones[0].present_pages, 0);
	grow_end();
	for (i = 0; i < 8; i++)
		pthread_join(thread[i], NULL);
	cr_expect_leq(zones[0].present_pages, 2 * BLOCK_PAGES);
	page_validate();
}

Test(grow, mappings_count_and_free_blocks_make_room_for_them)
{
	struct page *large;

	zones[0].max_pages = 4 * BLOCK_PAGES;
	while (!grow_zone(&zones[0], MIGRATE_UNMOVABLE))
		;
	cr_assert_eq(zones[0].present_pages, 4 * BLOCK_PAGES);
	large = large_map(3 * BLOCK_BYTES - 5, NUMA_NO_NODE);
	cr_assert_not_null(large);
	cr_expect_eq(zones[0].mapped_pages, 3 * BLOCK_PAGES);
	cr_expect_eq(zones[0].present_pages, BLOCK_PAGES);
	cr_expect_null(large_map(2 * BLOCK_BYTES, NUMA_NO_NODE));
	cr_expect_eq(zones[0].mapped_pages, 3 * BLOCK_PAGES);
	large_unmap(large);
	cr_expect_eq(zones[0].mapped_pages, 0);
	page_validate();
}

Test(grow, blocks_given_back_are_found_again)
{
	uint32_t i;

	zones[0].max_pages = 2 * BLOCK_PAGES;
	for (i = 0; i < 100; i++) {
		struct page *page = alloc_pages(GFP_KERNEL, 9), *large;

		memset(page_address(page), 1, PAGE_SIZE << 9);
		__free_pages(page, 9);
		drain_all_pages();
		large = large_map(2 * BLOCK_BYTES, NUMA_NO_NODE);
		cr_assert_not_null(large);
		cr_assert(all_bytes(page_address(large), PAGE_SIZE, 0));
		large_unmap(large);
	}
	cr_expect_leq(arena.bytes, 6 * BLOCK_BYTES);
}

/* Grow to 66 blocks, in which every so many-th page is written to; whether the last one is huge. */
static bool huge_after(uint32_t every)
{
	uint32_t i, page;

	for (i = 1; i <= 66; i++) {
		grow_zone(&zones[0], MIGRATE_UNMOVABLE);
		for (page = 0; page < BLOCK_PAGES; page += every)
			*(volatile uint8_t *)page_to_addr(page_at(i * BLOCK_PAGES + page)) = 1;
	}
	cr_expect_not(pageblock_is_huge(1 * BLOCK_PAGES));
	cr_expect_not(pageblock_is_huge(64 * BLOCK_PAGES));
	return pageblock_is_huge(66 * BLOCK_PAGES);
}

Test(grow, huge_pages_are_asked_for_beyond_256_mib)
{
	cr_expect(huge_after(1));
}

Test(grow, huge_pages_are_not_asked_for_what_is_hardly_written_to)
{
	cr_expect_not(huge_after(2));
}

Test(grow, huge_pages_always_or_never)
{
	int i;

	grow_thp = KMEM_THP_ALWAYS;
	grow_zone(&zones[0], MIGRATE_UNMOVABLE);
	cr_expect(pageblock_is_huge(1 * BLOCK_PAGES));
	grow_thp = KMEM_THP_NEVER;
	for (i = 0; i < 20; i++)
		grow_zone(&zones[0], MIGRATE_UNMOVABLE);
	cr_expect_not(pageblock_is_huge(20 * BLOCK_PAGES));
}

__attribute__((constructor)) static void role(void)
{
	const char *name = getenv("KMEM_TEST_ROLE");
	struct page *page;

	if (!name || strcmp(name, "hugetlb"))
		return;
	page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 9);
	if (!page || !all_bytes(page_address(page), PAGE_SIZE << 9, 0))
		_exit(3);
	/* Taken from it first, if there is one. */
	if (zones[1].present_pages && zone_of(page) != &zones[1])
		_exit(4);
	__free_pages(page, 9);
	page_validate();
	_exit(0);
}

/* Most machines have no pool: then one line says so and memory is ordinary. */
Test(grow, hugetlb_is_used_or_its_lack_is_said)
{
	char out[1024];
	int status = run_role("hugetlb", "hugetlb=8M", NULL, out, sizeof(out));

	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x: %s", status, out);
	if (out[0])
		cr_expect_str_eq(out, "kmem: hugetlb: the system's pool has fewer than 4 free huge pages of 2 MiB; going on without them, raise vm.nr_hugepages\n");
}
