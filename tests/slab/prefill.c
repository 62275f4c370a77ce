/* SPDX-License-Identifier: BSD-2-Clause */
/* Prefilled sheaves: n objects that cannot fail, counted as parked until they are allocated. */
#include "support.h"

#include <errno.h>

static struct kmem_cache *s;

static void make(void)
{
	s = kmem_cache_create("prefilled", 256, 0, 0, NULL);
	cr_assert_eq(s->sheaf_capacity, 28);
	pin_to(0);
}

TestSuite(prefill, .init = make);

static void balanced(uint64_t live)
{
	ASSERT_BALANCED(s, live);
}

Test(prefill, objects_are_there_and_differ)
{
	struct slab_sheaf *sheaf = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 20);
	void *p[20];
	int i, j;

	cr_assert_eq(kmem_cache_sheaf_size(sheaf), 20);
	balanced(0);
	for (i = 0; i < 20; i++) {
		p[i] = kmem_cache_alloc_from_sheaf(s, GFP_NOWAIT, sheaf);
		cr_assert_not_null(p[i]);
		for (j = 0; j < i; j++)
			cr_assert_neq(p[i], p[j]);
		balanced((uint64_t)i + 1);
	}
	capture_start();
	cr_expect_null(kmem_cache_alloc_from_sheaf(s, GFP_NOWAIT, sheaf));
	cr_expect_str_eq(capture_end(),
			 "kmem: BUG prefilled: kmem_cache_alloc_from_sheaf() of an empty sheaf; prefill more objects\n");
	kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf);
	kmem_cache_free_bulk(s, 20, p);
	balanced(0);
	cr_expect_eq(kmem_cache_destroy(s), 0);
}

Test(prefill, zero)
{
	struct slab_sheaf *sheaf = kmem_cache_prefill_sheaf(s, GFP_KERNEL | __GFP_ZERO, 1);
	uint8_t *p = kmem_cache_alloc_from_sheaf(s, GFP_NOWAIT, sheaf);

	memset(p, 0x77, 256);
	kmem_cache_free(s, p);
	cr_expect_eq(kmem_cache_refill_sheaf(s, GFP_KERNEL, &sheaf, 28), 0);
	while (kmem_cache_sheaf_size(sheaf))
		cr_expect(all_bytes(kmem_cache_alloc_from_sheaf(s, GFP_NOWAIT | __GFP_ZERO, sheaf), 256, 0));
	kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf);
}

Test(prefill, oversize_and_refill)
{
	struct slab_sheaf *sheaf = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 1000);
	void *p;

	cr_expect_eq(kmem_cache_sheaf_size(sheaf), 1000);
	p = kmem_cache_alloc_from_sheaf(s, GFP_NOWAIT, sheaf);
	cr_expect_eq(kmem_cache_refill_sheaf(s, GFP_KERNEL, &sheaf, 500), 0);
	cr_expect_eq(kmem_cache_sheaf_size(sheaf), 999, "there are enough already");
	cr_expect_eq(kmem_cache_refill_sheaf(s, GFP_KERNEL, &sheaf, 2000), 0);
	cr_expect_eq(kmem_cache_sheaf_size(sheaf), 2000);
	balanced(1);
	kmem_cache_free(s, p);
	kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf);
	balanced(0);
	cr_expect_eq(node_of(s, 0)->stat.prefill_oversize, 2);
	cr_expect_null(kmem_cache_prefill_sheaf(s, GFP_KERNEL, 0));
	kmem_cache_return_sheaf(s, GFP_KERNEL, NULL);
}

Test(prefill, a_full_one_goes_through_the_barn)
{
	struct slab_sheaf *sheaf = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 28);
	struct kmem_cache_stat stat;

	kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf);
	cr_expect_eq(node_of(s, 0)->nr_full, 1);
	sheaf = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 28);
	cr_expect_eq(node_of(s, 0)->nr_full, 0);
	kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf);
	cr_expect_eq(node_of(s, 0)->stat.prefill_fast, 1);
	cr_expect_eq(node_of(s, 0)->stat.prefill_slow, 1);
	cr_expect_eq(node_of(s, 0)->stat.return_fast, 2);
	kmem_cache_stat(s, &stat);
	cr_expect_eq(stat.prefills, 2);
	cr_expect_eq(stat.returns, 2);
}

Test(prefill, without_memory_it_fails_as_a_whole)
{
	struct kmem_cache *big = kmem_cache_create("big", 4096, 0, 0, NULL);
	struct slab_sheaf *sheaf;

	free_page(get_zeroed_page(GFP_KERNEL)); /* 4 MiB are there, and no system call is allowed */
	sheaf = kmem_cache_prefill_sheaf(big, GFP_NOWAIT, 10);
	cr_assert_not_null(sheaf);
	cr_expect_null(kmem_cache_prefill_sheaf(big, GFP_NOWAIT, 5000));
	cr_expect_eq(kmem_cache_refill_sheaf(big, GFP_NOWAIT, &sheaf, 5000), -ENOMEM);
	cr_expect_eq(kmem_cache_sheaf_size(sheaf), 10);
	kmem_cache_return_sheaf(big, GFP_KERNEL, sheaf);
	ASSERT_BALANCED(big, 0);
}

Test(prefill, debug_cache)
{
	struct kmem_cache *debug = kmem_cache_create("debug", 100, 0, SLAB_POISON | SLAB_RED_ZONE, NULL);
	struct slab_sheaf *sheaf = kmem_cache_prefill_sheaf(debug, GFP_KERNEL, 5);
	void *p = kmem_cache_alloc_from_sheaf(debug, GFP_KERNEL, sheaf);

	memset(p, 1, 100);
	kmem_cache_free(debug, p);
	kmem_cache_return_sheaf(debug, GFP_KERNEL, sheaf);
	cr_expect_eq(kmem_cache_destroy(debug), 0);
}
