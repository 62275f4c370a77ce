/* SPDX-License-Identifier: BSD-2-Clause */
/* Shrinkers are asked for as much as the kernel's do_shrink_slab() would ask, and live as long as they should. */
#include "support.h"

#include <pthread.h>

#include "page/shrinker.h"

struct pool {
	unsigned long objects, scanned, calls, largest;
	unsigned long stop_after; /* calls of scan, 0 never */
	struct shrink_control last;
};

static unsigned long count(struct shrinker *s, struct shrink_control *sc)
{
	(void)sc;
	return ((struct pool *)s->private_data)->objects;
}

static unsigned long scan(struct shrinker *s, struct shrink_control *sc)
{
	struct pool *pool = s->private_data;
	unsigned long freed = MIN(sc->nr_to_scan, pool->objects);

	pool->last = *sc;
	pool->scanned += sc->nr_to_scan;
	pool->largest = MAX(pool->largest, sc->nr_to_scan);
	if (++pool->calls == pool->stop_after)
		return SHRINK_STOP;
	pool->objects -= freed;
	return freed;
}

static struct shrinker *make(struct pool *pool, unsigned int flags)
{
	struct shrinker *s = shrinker_alloc(flags, "test-%d", 7);

	cr_assert_not_null(s);
	s->count_objects = count;
	s->scan_objects = scan;
	s->private_data = pool;
	return s;
}

static unsigned long shrink_one(struct shrinker *s, unsigned int priority)
{
	struct shrink_control sc = { .gfp_mask = GFP_KERNEL };

	return shrinker_shrink_one(s, &sc, priority);
}

Test(shrinker, defaults_are_the_kernel_s)
{
	struct shrinker *s = shrinker_alloc(0, "plain");

	cr_expect_eq(s->seeks, DEFAULT_SEEKS);
	cr_expect_eq(s->batch, 0);
	shrinker_free(s);
	shrinker_free(NULL);
}

/* delta = (freeable >> priority) * 4 / seeks, in batches of 128; what is less than a batch is deferred. */
Test(shrinker, pressure_rises_with_falling_priority)
{
	struct pool pool = { .objects = 1 << 20 };
	struct shrinker *s = make(&pool, 0);

	cr_expect_eq(shrink_one(s, 12), 512);
	cr_expect_eq(pool.calls, 4);
	cr_expect_eq(pool.largest, 128);
	pool = (struct pool){ .objects = 1 << 20 };
	cr_expect_eq(shrink_one(s, 4), (1 << 16) * 2);
	pool = (struct pool){ .objects = 1000 };
	cr_expect_eq(shrink_one(s, 0), 1000);
	shrinker_free(s);
}

Test(shrinker, dear_objects_are_spared)
{
	struct pool pool = { .objects = 1 << 20 };
	struct shrinker *s = make(&pool, 0);

	s->seeks = 8;
	cr_expect_eq(shrink_one(s, 12), 128);
	s->seeks = 0;
	pool.objects = 1000;
	shrink_one(s, 12);
	cr_expect_geq(pool.scanned, 128 + 384);
	cr_expect_leq(pool.scanned, 128 + 500);
	shrinker_free(s);
}

Test(shrinker, what_was_too_little_for_a_batch_is_made_up_for)
{
	struct pool pool = { .objects = 1 << 18 };
	struct shrinker *s = make(&pool, 0);

	s->seeks = 8;
	/* 32 objects each time: less than a batch, until four of them are due. */
	cr_expect_eq(shrink_one(s, 12), 0);
	cr_expect_eq(shrink_one(s, 12), 0);
	cr_expect_eq(pool.calls, 0);
	cr_expect_gt(shrink_one(s, 0), 0);
	shrinker_free(s);
}

Test(shrinker, the_batch_is_the_owner_s)
{
	struct pool pool = { .objects = 4096 };
	struct shrinker *s = make(&pool, 0);

	s->batch = 1000;
	shrink_one(s, 0);
	cr_expect_eq(pool.largest, 1000);
	shrinker_free(s);
}

Test(shrinker, stop_and_empty)
{
	struct pool pool = { .objects = 100000, .stop_after = 2 };
	struct shrinker *s = make(&pool, 0);

	cr_expect_eq(shrink_one(s, 0), 128);
	cr_expect_eq(pool.calls, 2);
	pool.objects = SHRINK_EMPTY;
	cr_expect_eq(shrink_one(s, 0), 0);
	pool.objects = 0;
	cr_expect_eq(shrink_one(s, 0), 0);
	cr_expect_eq(pool.calls, 2);
	shrinker_free(s);
}

Test(shrinker, only_registered_ones_are_called_with_flags_and_node)
{
	struct pool aware = { .objects = 1000 }, blind = { .objects = 1000 };
	struct shrinker *a = make(&aware, SHRINKER_NUMA_AWARE), *b = make(&blind, 0);

	shrinker_shrink_all(GFP_NOFS, 3, 0);
	cr_expect_eq(aware.calls + blind.calls, 0);
	shrinker_register(a);
	shrinker_register(b);
	shrinker_register(b);
	cr_expect_eq(shrinker_count(), 2);
	cr_expect_eq(shrinker_shrink_all(GFP_NOFS, 3, 0), 2000);
	cr_expect_eq(aware.last.nid, 3);
	cr_expect_eq(blind.last.nid, 0);
	cr_expect_eq(aware.last.gfp_mask, GFP_NOFS);
	shrinker_free(a);
	blind.objects = 10;
	cr_expect_eq(shrinker_shrink_all(GFP_KERNEL, 0, 0), 10);
	shrinker_free(b);
	cr_expect_eq(shrinker_count(), 0);
}

Test(shrinker, without_callbacks_it_is_not_registered)
{
	struct shrinker *s = shrinker_alloc(0, "half");
	const char *out;

	capture_start();
	shrinker_register(s);
	out = capture_end();
	cr_expect_str_eq(out, "kmem: shrinker \"half\" not registered: set count_objects and scan_objects first\n");
	cr_expect_eq(shrinker_count(), 0);
}

Test(shrinker, many_may_come_and_go)
{
	static struct shrinker *s[500];
	struct pool pool = { .objects = 0 };
	int round, i;

	for (round = 0; round < 20; round++) {
		for (i = 0; i < 500; i++)
			shrinker_register(s[i] = make(&pool, 0));
		for (i = 0; i < 500; i++)
			shrinker_free(s[(i * 7) % 500]);
	}
	cr_expect_eq(shrinker_count(), 0);
}

static int inside, leave;

static unsigned long slow_scan(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	__atomic_store_n(&inside, 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&leave, __ATOMIC_ACQUIRE))
		usleep(100);
	return sc->nr_to_scan;
}

static void *shrink_all(void *unused)
{
	shrinker_shrink_all(GFP_KERNEL, 0, 0);
	return unused;
}

static void *let_go(void *unused)
{
	usleep(20000);
	__atomic_store_n(&leave, 1, __ATOMIC_RELEASE);
	return unused;
}

Test(shrinker, free_waits_for_who_is_inside, .timeout = 30)
{
	struct pool pool = { .objects = 100 };
	struct shrinker *s = make(&pool, 0);
	pthread_t in, out;

	s->scan_objects = slow_scan;
	shrinker_register(s);
	pthread_create(&in, NULL, shrink_all, NULL);
	while (!__atomic_load_n(&inside, __ATOMIC_ACQUIRE))
		usleep(100);
	pthread_create(&out, NULL, let_go, NULL);
	shrinker_free(s);
	cr_expect(__atomic_load_n(&leave, __ATOMIC_ACQUIRE), "freed while a thread was inside");
	pthread_join(in, NULL);
	pthread_join(out, NULL);
}
