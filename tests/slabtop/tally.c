/* SPDX-License-Identifier: BSD-2-Clause */
/* tally.c - tests of tools/slabtop/tally.c: call sites are summed, what has no cache is not lost silently. */
#include <criterion/criterion.h>

#include "slabtop/tally.h"

#define COUNT(cache_, site, type_, n) \
	{ .key = { .cache = cache_, .call_site = site, .type = type_ }, .count = { .events = n } }

Test(tally, call_sites_are_summed)
{
	const struct collect_count counts[] = {
		COUNT(900, 1, KMEM_EV_KMALLOC, 10), COUNT(100, 1, KMEM_EV_CACHE_ALLOC, 1),
		COUNT(900, 2, KMEM_EV_KFREE, 3), COUNT(900, 3, KMEM_EV_KMALLOC, 5),
		COUNT(100, 2, KMEM_EV_CACHE_FREE, 2), COUNT(900, 4, KMEM_EV_CACHE_FREE, 4),
		COUNT(KMEM_KEY_UNKNOWN, 1, KMEM_EV_KFREE, 7), COUNT(KMEM_KEY_LARGE, 1, KMEM_EV_KMALLOC, 8),
		COUNT(KMEM_KEY_PAGES, 1, KMEM_EV_PAGE_ALLOC, 9),
	};
	struct tally t = { 0 };

	cr_assert_eq(tally_make(&t, counts, sizeof(counts) / sizeof(*counts)), 0);
	cr_expect_eq(t.nr, 2);
	cr_expect_eq(tally_find(&t, 900)->allocs, 15);
	cr_expect_eq(tally_find(&t, 900)->frees, 7);
	cr_expect_eq(tally_find(&t, 100)->allocs, 1);
	cr_expect_eq(tally_find(&t, 100)->frees, 2);
	cr_expect_null(tally_find(&t, 500));
	cr_expect_eq(t.unknown, 7);
	tally_free(&t);
}

Test(tally, processes_are_not_the_kernel)
{
	struct collect_count count = COUNT(900, 1, KMEM_EV_KMALLOC, 10);
	struct tally t = { 0 };

	count.key.tgid = 5;
	cr_assert_eq(tally_make(&t, &count, 1), 0);
	cr_expect_null(tally_find(&t, 900));
	cr_assert_eq(tally_make(&t, NULL, 0), 0);
	cr_expect_null(tally_find(&t, 900));
	tally_free(&t);
}
