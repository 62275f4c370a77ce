/* SPDX-License-Identifier: BSD-2-Clause */
/* counters.c - the counters of this very process, exact to the object, caches that are no more included. */
#include "kmemtrace/counters.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <kmem/page.h>
#include <kmem/slab.h>
#include <string.h>
#include <unistd.h>

static char err[512];

static struct counters read_now(struct counted *c)
{
	cr_assert_eq(counted_read(c, err, sizeof(err)), 0, "%s", err);
	return counted_since(c);
}

Test(counters, each_object_once)
{
	struct kmem_cache *cache = kmem_cache_create("counters", 64, 0, 0, NULL);
	struct counted *c = counted_new(getpid());
	struct counters n;
	void *p[100];

	cr_assert_eq(counted_find(c, err, sizeof(err)), 0, "%s", err);
	read_now(c);
	counted_rebase(c);
	for (int i = 0; i < 100; i++)
		p[i] = kmem_cache_alloc(cache, GFP_KERNEL);
	for (int i = 0; i < 40; i++)
		kmem_cache_free(cache, p[i]);
	n = read_now(c);
	cr_expect_eq(n.value[COUNTER_ALLOCS], 100);
	cr_expect_eq(n.value[COUNTER_FREES], 40);
	cr_expect_eq(n.value[COUNTER_ALLOC_BYTES], 6400);
	cr_expect_eq(n.value[COUNTER_FREE_BYTES], 40 * 64);
	cr_expect_geq(n.value[COUNTER_SLABS_NEW], 1);
	/* What a cache has counted outlives it. */
	for (int i = 40; i < 100; i++)
		kmem_cache_free(cache, p[i]);
	read_now(c);
	kmem_cache_destroy(cache);
	n = read_now(c);
	cr_expect_eq(n.value[COUNTER_ALLOCS], 100);
	cr_expect_eq(n.value[COUNTER_FREES], 100);
	counted_free(c);
}

Test(counters, pages)
{
	struct counted *c = counted_new(getpid());
	struct counters n;

	cr_assert_eq(counted_find(c, err, sizeof(err)), 0, "%s", err);
	read_now(c);
	counted_rebase(c);
	__free_pages(alloc_pages(GFP_KERNEL, 3), 3);
	n = read_now(c);
	cr_expect_eq(n.value[COUNTER_PAGES_ALLOC], 8);
	cr_expect_eq(n.value[COUNTER_PAGES_FREE], 8);
	counted_free(c);
}

Test(counters, sums)
{
	struct counters a = { { 5, 7 } }, b = { { 2, 9 } };
	struct counters d = counters_since(&a, &b);

	cr_expect(d.value[0] == 3 && d.value[1] == 0, "never below 0");
	counters_add(&a, &b);
	cr_expect(a.value[0] == 7 && a.value[1] == 16);
	for (enum counter i = 0; i < COUNTER_NR; i++)
		cr_expect(*counter_name(i) && *counter_title(i));
}

Test(counters, no_process_and_one_without)
{
	struct counted *c = counted_new(0x3ffffff0);

	cr_expect_eq(counted_find(c, err, sizeof(err)), -ESRCH);
	cr_expect(strstr(err, "no process"), "%s", err);
	counted_free(c);
	counted_free(NULL);
}
