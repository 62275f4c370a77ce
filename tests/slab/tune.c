/* SPDX-License-Identifier: BSD-2-Clause */
/* Every tunable: its range, its effect, and that it changes under load without losing an object. */
#include "support.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

static struct kmem_cache *s;

static void make(void)
{
	s = kmem_cache_create("tuned", 128, 0, 0, NULL);
	cr_assert_not_null(s);
}

TestSuite(tune, .init = make, .timeout = 60);

/* Allocate n, free them. */
static void use(unsigned int n)
{
	static void *p[10000];
	unsigned int i;

	for (i = 0; i < n; i++)
		cr_assert_not_null(p[i] = kmem_cache_alloc(s, GFP_KERNEL));
	for (i = 0; i < n; i++)
		kmem_cache_free(s, p[i]);
}

Test(tune, ranges)
{
	static const struct {
		enum kmem_tune attribute;
		int64_t value;
		int want;
	} cases[] = {
		{ KMEM_TUNE_SHEAF_CAPACITY, -1, -EINVAL }, { KMEM_TUNE_SHEAF_CAPACITY, 16385, -EINVAL },
		{ KMEM_TUNE_SHEAF_CAPACITY, 16384, 0 }, { KMEM_TUNE_BARN_FULL, 11, -EINVAL },
		{ KMEM_TUNE_BARN_FULL, 0, 0 }, { KMEM_TUNE_BARN_EMPTY, -1, -EINVAL }, { KMEM_TUNE_BARN_EMPTY, 10, 0 },
		{ KMEM_TUNE_MIN_PARTIAL, INT64_MAX, -EINVAL }, { KMEM_TUNE_MIN_PARTIAL, 0, 0 },
		{ KMEM_TUNE_ORDER, 11, -EINVAL }, { KMEM_TUNE_ORDER, 10, 0 }, { KMEM_TUNE_ORDER, 0, 0 },
		{ KMEM_TUNE_DEFRAG_RATIO, 101, -EINVAL }, { KMEM_TUNE_DEFRAG_RATIO, 100, 0 },
		{ KMEM_TUNE_FAILSLAB, 2, -EINVAL }, { KMEM_TUNE_FAILSLAB, 1, 0 }, { KMEM_TUNE_FAILSLAB, 0, 0 },
		{ KMEM_TUNE_SHRINK, 0, -EINVAL }, { KMEM_TUNE_SHRINK, 1, 0 }, { KMEM_TUNE_NR, 0, -EINVAL },
		{ (enum kmem_tune)-1, 0, -EINVAL },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(cases); i++)
		cr_expect_eq(kmem_cache_tune(s, cases[i].attribute, cases[i].value), cases[i].want, "case %zu", i);
	use(10000);
	ASSERT_BALANCED(s, 0);
}

Test(tune, order_has_a_lower_bound)
{
	struct kmem_cache *big = kmem_cache_create("big", 6000, 0, 0, NULL);

	cr_expect_eq(kmem_cache_tune(big, KMEM_TUNE_ORDER, 0), -EINVAL);
	cr_expect_eq(kmem_cache_tune(big, KMEM_TUNE_ORDER, 1), 0);
}

Test(tune, debug_caches_keep_their_layout)
{
	struct kmem_cache *debug = kmem_cache_create("debug", 64, 0, SLAB_POISON, NULL);

	cr_expect_eq(kmem_cache_tune(debug, KMEM_TUNE_SHEAF_CAPACITY, 10), -EINVAL);
	cr_expect_eq(kmem_cache_tune(debug, KMEM_TUNE_ORDER, 3), -EINVAL);
}

Test(tune, sheaf_capacity)
{
	static const uint32_t capacity[] = { 1, 200, 0, 3, 5000, 60 };
	size_t i;

	pin_to(0);
	for (i = 0; i < ARRAY_LEN(capacity); i++) {
		void *held = kmem_cache_alloc(s, GFP_KERNEL);

		cr_expect_eq(kmem_cache_tune(s, KMEM_TUNE_SHEAF_CAPACITY, capacity[i]), 0);
		cr_expect_eq(s->sheaf_capacity, capacity[i]);
		ASSERT_BALANCED(s, 1);
		kmem_cache_free(s, held);
		use(5000);
		cr_expect_leq(slot_objects(s), 2 * capacity[i]);
		cr_expect(!capacity[i] == !slot_objects(s));
		ASSERT_BALANCED(s, 0);
	}
	cr_expect_eq(kmem_cache_destroy(s), 0);
}

Test(tune, barn_limits)
{
	kmem_cache_tune(s, KMEM_TUNE_BARN_FULL, 2);
	kmem_cache_tune(s, KMEM_TUNE_BARN_EMPTY, 1);
	use(5000);
	cr_expect_eq(node_of(s, 0)->nr_full, 2);
	kmem_cache_tune(s, KMEM_TUNE_BARN_FULL, 0);
	cr_expect_eq(node_of(s, 0)->nr_full, 0);
	use(5000);
	cr_expect_eq(node_of(s, 0)->nr_full, 0);
	ASSERT_BALANCED(s, 0);
}

Test(tune, order_of_slabs_to_come)
{
	void *old = kmem_cache_alloc(s, GFP_KERNEL), *p[4000];
	unsigned int old_order = slab_of(old)->order, i;

	cr_expect_eq(kmem_cache_tune(s, KMEM_TUNE_ORDER, 6), 0);
	cr_expect_eq(s->objects, 2048);
	for (i = 0; i < 4000; i++)
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
	cr_expect_eq(slab_of(p[3999])->order, 6);
	cr_expect_eq(slab_of(p[3999])->objects, 2048);
	cr_expect_eq(slab_of(old)->order, old_order);
	ASSERT_BALANCED(s, 4001);
	kmem_cache_free_bulk(s, 4000, p);
	kmem_cache_free(s, old);
	cr_expect_eq(kmem_cache_destroy(s), 0);
}

/* 8192 * 2^19 bytes is the last product of 32 bits: beyond it a division finds the index. */
Test(tune, large_slabs_find_their_objects_by_reciprocal_or_division)
{
	struct kmem_cache *large = kmem_cache_create("large", 8192, 0, 0, NULL);
	unsigned int order, i;

	for (order = 6; order <= 8; order++) {
		void *p[300];

		cr_expect_eq(kmem_cache_tune(large, KMEM_TUNE_ORDER, order), 0);
		cr_expect_eq(!large->reciprocal, order == 8);
		for (i = 0; i < 300; i++)
			p[i] = kmem_cache_alloc(large, GFP_KERNEL);
		for (i = 0; i < 300; i++)
			cr_assert_eq(slab_object(large, slab_of(p[i]), slab_object_index(large, slab_of(p[i]), p[i])), p[i]);
		kmem_cache_free_bulk(large, 300, p);
		ASSERT_BALANCED(large, 0);
		kmem_cache_shrink(large);
	}
}

static atomic_bool stop;

static void *work(void *arg)
{
	uint64_t seed = (uintptr_t)arg;
	void *p[300];

	memset(p, 0, sizeof(p));
	while (!atomic_load(&stop)) {
		uint32_t i = random_next(&seed) % 300;

		if (p[i]) {
			cr_assert_eq(*(void **)p[i], p[i], "nobody else has it");
			kmem_cache_free(s, p[i]);
			p[i] = NULL;
		} else {
			p[i] = kmem_cache_alloc(s, GFP_KERNEL);
			*(void **)p[i] = p[i];
		}
	}
	for (uint32_t i = 0; i < 300; i++)
		if (p[i])
			kmem_cache_free(s, p[i]);
	return NULL;
}

static void under_load(void)
{
	pthread_t thread[3];
	uint64_t seed = 1;
	int i;

	for (i = 0; i < 3; i++)
		pthread_create(&thread[i], NULL, work, (void *)(uintptr_t)(i + 1));
	for (i = 0; i < 2000; i++) {
		kmem_cache_tune(s, KMEM_TUNE_SHEAF_CAPACITY, random_next(&seed) % 100);
		kmem_cache_tune(s, KMEM_TUNE_ORDER, random_next(&seed) % 6);
		kmem_cache_tune(s, KMEM_TUNE_BARN_FULL, random_next(&seed) % 11);
		kmem_cache_tune(s, KMEM_TUNE_MIN_PARTIAL, random_next(&seed) % 5);
	}
	atomic_store(&stop, true);
	for (i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	ASSERT_BALANCED(s, 0);
	cr_expect_eq(kmem_cache_destroy(s), 0);
}

Test(tune, under_load)
{
	under_load();
}
