/* SPDX-License-Identifier: BSD-2-Clause */
/* How slots grow with what a program swings, how they are replaced in use, and what a drain leaves. */
#include "support.h"

#include <pthread.h>

#include "slab/slub.h"

static struct kmem_cache *s;

static void setup(void)
{
	s = kmem_cache_create("slots", 64, 0, 0, NULL);
	cr_assert_not_null(s);
	pin_to(0);
}

TestSuite(slots, .init = setup);

enum { MOST = 20000 };
static void *object[MOST];

static void swing(int nr, int times)
{
	int i;

	while (times-- > 0) {
		for (i = 0; i < nr; i++)
			cr_assert_not_null(object[i] = slub_alloc(s, GFP_KERNEL));
		for (i = 0; i < nr; i++)
			slub_free(s, object[i]);
	}
}

static struct kmem_cache_stat stat_of(void)
{
	struct kmem_cache_stat stat;

	kmem_cache_stat(s, &stat);
	return stat;
}

static uint64_t slow_calls(void)
{
	return stat_of().refills + stat_of().flushes;
}

static void drain(void)
{
	slub_drain(s);
}

Test(slots, one_that_swings_grows_until_it_holds_the_swing)
{
	uint64_t before;

	if (percpu_mode() == PERCPU_NONE)
		cr_skip("no rseq here");
	swing(1000, 10);
	cr_expect_gt(s->slot_capacity, 1000);
	before = slow_calls();
	swing(1000, 100);
	cr_expect_leq(slow_calls() - before, 2);
	ASSERT_BALANCED(s, 0);
}

Test(slots, one_that_swings_little_stays_small)
{
	swing(200, 100);
	cr_expect_eq(s->slot_capacity, 120);
	cr_expect_leq(slot_objects(s), 120);
}

Test(slots, who_frees_everything_once_keeps_little)
{
	swing(10000, 1);
	cr_expect_eq(s->slot_capacity, 120);
	cr_expect_leq(slot_objects(s), 120);
	cr_expect_leq(barn_objects(s), 600);
	ASSERT_BALANCED(s, 0);
}

Test(slots, who_swings_by_many_needs_no_slabs)
{
	struct kmem_cache_stat before, after;

	swing(MOST, 4);
	before = stat_of();
	swing(MOST, 2);
	after = stat_of();
	cr_expect_eq(after.slab_allocs, before.slab_allocs);
	cr_expect_eq(after.slab_frees, before.slab_frees);
	ASSERT_BALANCED(s, 0);
	/* What was learned is forgotten, and nothing lost. */
	drain();
	cr_expect_eq(stat_of().cached, 0);
	cr_expect_eq(node_of(s, 0)->learned, 0);
	ASSERT_BALANCED(s, 0);
	swing(MOST, 2);
	ASSERT_BALANCED(s, 0);
}

Test(slots, a_constructor_runs_once_for_each_object)
{
	uint64_t slabs;

	swing(MOST, 3);
	slabs = stat_of().slab_allocs;
	swing(MOST, 10);
	cr_expect_eq(stat_of().slab_allocs, slabs);
}

Test(slots, sizes_that_somebody_has_set_stay)
{
	cr_assert_eq(kmem_cache_tune(s, KMEM_TUNE_SHEAF_CAPACITY, 30), 0);
	cr_assert_eq(kmem_cache_tune(s, KMEM_TUNE_BARN_FULL, 4), 0);
	swing(5000, 5);
	cr_expect_eq(s->slot_capacity, 60);
	cr_expect_leq(slot_objects(s), 60);
	cr_expect_eq(node_of(s, 0)->nr_full, 4);
	cr_expect_eq(node_of(s, 0)->learned, 0);
	ASSERT_BALANCED(s, 0);
}

Test(slots, a_drained_slot_starts_small_again)
{
	if (percpu_mode() == PERCPU_NONE)
		cr_skip("no rseq here");
	swing(1000, 10);
	drain();
	slub_free(s, slub_alloc(s, GFP_KERNEL));
	cr_expect_eq(slot_of(s, percpu_this_cpu())->limit, 120);
	swing(1000, 10);
	cr_expect_gt(slot_of(s, percpu_this_cpu())->limit, 900);
	ASSERT_BALANCED(s, 0);
}

Test(slots, a_request_that_may_not_wait_makes_no_system_call_for_them)
{
	int i, round;

	for (round = 0; round < 10; round++) {
		for (i = 0; i < 1000; i++)
			cr_assert_not_null(object[i] = slub_alloc(s, GFP_NOWAIT));
		for (i = 0; i < 1000; i++)
			slub_free(s, object[i]);
	}
	cr_expect_eq(s->slot_capacity, 120);
}

Test(slots, large_objects_have_short_slots)
{
	s = kmem_cache_create("large", 4096, 0, 0, NULL);
	swing(300, 10);
	cr_expect_leq(s->slot_capacity, 32);
	ASSERT_BALANCED(s, 0);
}

Test(slots, a_trim_leaves_what_was_learned)
{
	uint32_t learned, before;

	swing(MOST, 1);
	slub_trim(s);
	cr_expect_eq(node_of(s, 0)->nr_full, 0);
	cr_expect(node_of(s, 0)->closed, "what is freed goes past the barn");
	swing(MOST, 3);
	learned = node_of(s, 0)->learned;
	cr_expect_gt(learned, 200);
	cr_expect_not(node_of(s, 0)->closed);
	before = node_of(s, 0)->nr_full;
	slub_trim(s);
	cr_expect_eq(node_of(s, 0)->nr_full, MIN(before, learned));
	cr_expect_gt(node_of(s, 0)->nr_full, 200);
	cr_expect_not(node_of(s, 0)->closed);
	ASSERT_BALANCED(s, 0);
}

/* ---- replaced while in use ---- */

static bool stop;

static void *work(void *arg)
{
	enum { NR = 300 };
	void *held[NR];
	uint64_t seed = (uintptr_t)arg;
	uint32_t i, nr;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		nr = random_next(&seed) % NR;
		for (i = 0; i < nr; i++) {
			held[i] = slub_alloc(s, GFP_KERNEL);
			*(uint64_t *)held[i] = (uintptr_t)&held[i];
		}
		for (i = 0; i < nr; i++) {
			cr_assert_eq(*(uint64_t *)held[i], (uintptr_t)&held[i], "handed out twice");
			slub_free(s, held[i]);
		}
	}
	return NULL;
}

Test(slots, they_are_replaced_under_the_eyes_of_threads, .timeout = 60)
{
	enum { THREADS = 4 };
	pthread_t thread[THREADS];
	unsigned int i;

	for (i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_create(&thread[i], NULL, work, (void *)(uintptr_t)(i + 1)), 0);
	for (i = 0; i < 300; i++) {
		if (i % 3 == 0)
			slots_enlarge(s);
		else if (i % 3 == 1)
			kmem_cache_shrink(s);
		else
			os_yield();
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	ASSERT_BALANCED(s, 0);
	cr_expect_eq(kmem_cache_destroy(s), 0);
}

Test(slots, a_dying_cache_parks_little_until_it_lives_again)
{
	int i;

	if (percpu_mode() == PERCPU_NONE)
		cr_skip("no rseq here");
	for (i = 0; i < 2000; i++)
		cr_assert_not_null(object[i] = slub_alloc(s, GFP_KERNEL));
	for (; i > 1000; i--)
		slub_free(s, object[i - 1]);
	slub_trim(s);
	for (; i; i--)
		slub_free(s, object[i - 1]);
	cr_expect_leq(slot_objects(s), 24);
	cr_expect_eq(barn_objects(s), 0);
	ASSERT_BALANCED(s, 0);
	swing(200, 2);
	cr_expect_eq(slot_of(s, percpu_this_cpu())->limit, 120);
	ASSERT_BALANCED(s, 0);
}

Test(slots, a_cache_that_parks_nothing_needs_no_drain)
{
	void *kept;

	cr_expect(slub_is_drained(s));
	kept = slub_alloc(s, GFP_KERNEL);
	cr_expect_not(slub_is_drained(s), "the rest of the sheaf is in the slot");
	drain();
	cr_expect(slub_is_drained(s));
	slub_free(s, kept);
	cr_expect_not(slub_is_drained(s));
	drain();
	cr_expect(slub_is_drained(s));
	ASSERT_BALANCED(s, 0);
}
