/* SPDX-License-Identifier: BSD-2-Clause */
/* The engine: slot, barn and slabs together, with counters exact after everything. */
#include "support.h"

#include <pthread.h>

#include "base/os.h"
#include "page/buddy.h"
#include "slab/slub.h"

static unsigned int constructed;

static void count_ctor(void *object)
{
	memset(object, 0x77, 64);
	constructed++;
}

static struct kmem_cache *cache(void)
{
	struct kmem_cache *s = kmem_cache_create("slub", 64, 0, 0, NULL);

	cr_assert_not_null(s);
	return s;
}

static struct kmem_cache_stat stat_of(struct kmem_cache *s)
{
	struct kmem_cache_stat stat;

	kmem_cache_stat(s, &stat);
	return stat;
}

static void drain(struct kmem_cache *s)
{
	kmem_cache_shrink(s);
}

Test(slub, objects_are_apart)
{
	enum { NR = 5000 };
	static uint64_t *object[NR];
	struct kmem_cache *s = cache();
	uint64_t i, j;

	for (i = 0; i < NR; i++) {
		cr_assert_not_null(object[i] = slub_alloc(s, GFP_KERNEL));
		for (j = 0; j < 8; j++)
			object[i][j] = i * 8 + j;
	}
	for (i = 0; i < NR; i++)
		for (j = 0; j < 8; j++)
			cr_assert_eq(object[i][j], i * 8 + j);
	ASSERT_BALANCED(s, NR);
	for (i = 0; i < NR; i++)
		slub_free(s, object[i]);
	ASSERT_BALANCED(s, 0);
}

Test(slub, the_last_object_freed_is_the_next_one_allocated)
{
	struct kmem_cache *s = cache();
	void *a, *b;

	pin_to(0);
	a = slub_alloc(s, GFP_KERNEL);
	b = slub_alloc(s, GFP_KERNEL);
	slub_free(s, a);
	slub_free(s, b);
	if (percpu_mode() != PERCPU_NONE)
		cr_expect_eq(slub_alloc(s, GFP_KERNEL), b);
}

Test(slub, a_refill_brings_a_sheaf)
{
	struct kmem_cache *s = cache();

	pin_to(0);
	slub_free(s, slub_alloc(s, GFP_KERNEL));
	cr_expect_eq(s->sheaf_capacity, 60);
	cr_expect_eq(s->slot_capacity, 120);
	cr_expect_eq(stat_of(s).cached, 61);
	cr_expect_eq(stat_of(s).refills, 1);
	cr_expect_eq(stat_of(s).slab_allocs, 1);
	ASSERT_BALANCED(s, 0);
}

Test(slub, freed_objects_fill_slot_and_barn_and_then_their_slabs)
{
	enum { NR = 4000 };
	static void *object[NR];
	struct kmem_cache *s = cache();
	struct kmem_cache_stat stat;
	int i;

	pin_to(0);
	for (i = 0; i < NR; i++)
		object[i] = slub_alloc(s, GFP_KERNEL);
	for (i = 0; i < NR; i++)
		slub_free(s, object[i]);
	stat = stat_of(s);
	cr_expect_eq(node_of(s, 0)->nr_full, KMEM_BARN_SHEAVES);
	cr_expect_leq(stat.cached, 10 * 60 + 120);
	cr_expect_geq(stat.cached, 10 * 60);
	cr_expect_eq(stat.barn_put, 10);
	cr_expect_gt(stat.slab_frees, 0);
	ASSERT_BALANCED(s, 0);
}

Test(slub, full_sheaves_of_the_barn_come_before_slabs)
{
	enum { NR = 2000 };
	static void *object[NR];
	struct kmem_cache *s = cache();
	uint64_t slabs;
	int i;

	pin_to(0);
	for (i = 0; i < NR; i++)
		object[i] = slub_alloc(s, GFP_KERNEL);
	for (i = 0; i < 600; i++)
		slub_free(s, object[i]);
	slabs = stat_of(s).slab_allocs;
	for (i = 0; i < 600; i++)
		object[i] = slub_alloc(s, GFP_KERNEL);
	cr_expect_eq(stat_of(s).slab_allocs, slabs);
	cr_expect_gt(stat_of(s).barn_get, 0);
	ASSERT_BALANCED(s, NR);
}

Test(slub, counters_are_exact_after_any_mix, .timeout = 60)
{
	enum { NR = 3000 };
	static void *object[NR];
	struct kmem_cache *s = cache();
	uint64_t seed = 3, live = 0;
	int i, j;

	for (i = 0; i < 20000; i++) {
		unsigned int n = random_next(&seed) % 200;

		switch (random_next(&seed) % 5) {
		case 0:
			if (live < NR)
				cr_assert_not_null(object[live++] = slub_alloc(s, GFP_KERNEL));
			break;
		case 1:
			if (live)
				slub_free(s, object[--live]);
			break;
		case 2:
			if (live + n <= NR) {
				cr_assert(slub_alloc_bulk(s, GFP_KERNEL, n, object + live));
				live += n;
			}
			break;
		case 3:
			n = (unsigned int)MIN(n, live);
			live -= n;
			slub_free_bulk(s, n, object + live);
			break;
		default:
			if (random_next(&seed) % 50 == 0)
				drain(s);
		}
		if (i % 500 == 0)
			ASSERT_BALANCED(s, live);
	}
	/* No object was handed out twice. */
	for (i = 0; i < (int)live; i++)
		*(uint64_t *)object[i] = (uint64_t)i;
	for (j = 0; j < (int)live; j++)
		cr_assert_eq(*(uint64_t *)object[j], (uint64_t)j);
	ASSERT_BALANCED(s, live);
	slub_free_bulk(s, live, object);
	drain(s);
	ASSERT_BALANCED(s, 0);
	cr_expect_eq(stat_of(s).slabs, 0);
	cr_expect_eq(stat_of(s).cached, 0);
}

Test(slub, a_drain_empties_slots_and_barn_and_keeps_the_counters)
{
	struct kmem_cache *s = cache();
	void *object[1000];
	struct kmem_cache_stat before, after;

	cr_assert(slub_alloc_bulk(s, GFP_KERNEL, 1000, object));
	slub_free_bulk(s, 700, object);
	before = stat_of(s);
	drain(s);
	after = stat_of(s);
	cr_expect_gt(before.cached, 0);
	cr_expect_eq(after.cached, 0);
	cr_expect_eq(after.allocs, before.allocs);
	cr_expect_eq(after.frees, before.frees);
	cr_expect_eq(after.drains, before.drains + 1);
	ASSERT_BALANCED(s, 300);
	drain(s);
	drain(s);
	ASSERT_BALANCED(s, 300);
	slub_free_bulk(s, 300, object + 700);
	ASSERT_BALANCED(s, 0);
}

Test(slub, slots_of_all_cpus_are_drained)
{
	struct kmem_cache *s = cache();
	unsigned int cpu;

	if (percpu_mode() == PERCPU_NONE)
		cr_skip("no rseq here");
	for (cpu = 0; cpu < os_nr_cpus(); cpu++) {
		pin_to((int)cpu);
		slub_free(s, slub_alloc(s, GFP_KERNEL));
	}
	drain(s);
	cr_expect_eq(slot_objects(s), 0);
	ASSERT_BALANCED(s, 0);
}

Test(slub, zero_clears_the_object_only)
{
	struct kmem_cache *s = kmem_cache_create("zero", 52, 0, 0, NULL); /* 56 with its neighbour's distance */
	uint8_t *object[100];
	int i, round;

	for (round = 0; round < 3; round++) {
		for (i = 0; i < 100; i++) {
			cr_assert_not_null(object[i] = slub_alloc(s, GFP_KERNEL | __GFP_ZERO));
			cr_assert(all_bytes(object[i], 52, 0));
			memset(object[i], 0xff, 56);
		}
		for (i = 0; i < 100; i++)
			cr_assert_eq(object[i][55], 0xff);
		for (i = 0; i < 100; i++)
			slub_free(s, object[i]);
	}
	cr_assert(slub_alloc_bulk(s, GFP_KERNEL | __GFP_ZERO, 100, (void **)object));
	for (i = 0; i < 100; i++)
		cr_assert(all_bytes(object[i], 52, 0));
}

Test(slub, constructed_state_survives_and_is_made_once)
{
	struct kmem_cache *s = kmem_cache_create("ctor", 64, 0, 0, count_ctor);
	void *object[500];
	int i, round;

	for (round = 0; round < 20; round++) {
		for (i = 0; i < 500; i++) {
			cr_assert_not_null(object[i] = slub_alloc(s, GFP_KERNEL));
			cr_assert(all_bytes(object[i], 64, 0x77));
		}
		slub_free_bulk(s, 500, object);
	}
	cr_expect_eq(constructed, stat_of(s).slab_allocs * s->objects);
}

Test(slub, zero_and_a_constructor_are_reported_once_and_the_state_kept)
{
	struct kmem_cache *s = kmem_cache_create("both", 64, 0, 0, count_ctor);
	void *object[10];
	const char *out;
	int i;

	capture_start();
	for (i = 0; i < 9; i++)
		object[i] = slub_alloc(s, GFP_KERNEL | __GFP_ZERO);
	cr_expect(slub_alloc_bulk(s, GFP_KERNEL | __GFP_ZERO, 1, &object[9]));
	out = capture_end();
	for (i = 0; i < 10; i++)
		cr_expect(all_bytes(object[i], 64, 0x77));
	cr_expect_str_eq(out, "kmem: both: __GFP_ZERO is ignored: the cache has a constructor\n");
}

Test(slub, bulk_is_all_or_nothing)
{
	struct kmem_cache *s = cache();
	void *object[600];
	struct page *block;

	/* 4 pages, 256 objects, and no way to get more. */
	block = alloc_pages(GFP_KERNEL, 10);
	split_page(block, 10);
	take_the_rest();
	__free_page(block);
	__free_page(page_behind(block, 2));
	__free_page(page_behind(block, 4));
	__free_page(page_behind(block, 6));
	cr_expect_not(slub_alloc_bulk(s, GFP_NOWAIT, 600, object));
	ASSERT_BALANCED(s, 0);
	cr_expect_eq(stat_of(s).alloc_fail, 1);
	cr_expect(slub_alloc_bulk(s, GFP_NOWAIT, 256, object));
	cr_expect_null(slub_alloc(s, GFP_NOWAIT));
	ASSERT_BALANCED(s, 256);
	cr_expect(slub_alloc_bulk(s, GFP_NOWAIT, 0, object));
	cr_expect_eq(stat_of(s).alloc_fail, 2);
}

Test(slub, bulk_larger_than_all_caches_together)
{
	enum { NR = 100000 };
	static void *object[NR];
	struct kmem_cache *s = cache();

	cr_assert(slub_alloc_bulk(s, GFP_KERNEL, NR, object));
	ASSERT_BALANCED(s, NR);
	slub_free_bulk(s, NR, object);
	ASSERT_BALANCED(s, 0);
}

/* ---- threads ---- */

enum { THREADS = 6, HELD = 256 };

struct worker {
	struct kmem_cache *s;
	uint64_t seed, live;
	void *held[HELD];
	unsigned int rounds;
};

static void *work(void *arg)
{
	struct worker *w = arg;
	unsigned int i;

	for (i = 0; i < w->rounds; i++) {
		unsigned int at = random_next(&w->seed) % HELD;

		if (w->held[at]) {
			if (*(struct worker **)w->held[at] != w)
				abort();
			slub_free(w->s, w->held[at]);
			w->held[at] = NULL;
			w->live--;
		} else {
			w->held[at] = slub_alloc(w->s, GFP_KERNEL);
			*(struct worker **)w->held[at] = w;
			w->live++;
		}
		if (i % 4096 == 0) {
			cpu_set_t set;

			CPU_ZERO(&set);
			CPU_SET(random_next(&w->seed) % os_nr_cpus(), &set);
			sched_setaffinity(0, sizeof(set), &set);
		}
	}
	return NULL;
}

static void threads(struct kmem_cache *s, unsigned int rounds, unsigned int drains)
{
	static struct worker worker[THREADS];
	pthread_t thread[THREADS];
	uint64_t live = 0, i;

	for (i = 0; i < THREADS; i++) {
		worker[i] = (struct worker){ .s = s, .seed = i, .rounds = rounds };
		pthread_create(&thread[i], NULL, work, &worker[i]);
	}
	for (i = 0; i < drains; i++) {
		kmem_cache_shrink(s);
		usleep(500);
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(thread[i], NULL);
		live += worker[i].live;
	}
	ASSERT_BALANCED(s, live);
}

Test(slub, threads_that_migrate_lose_nothing, .timeout = 60)
{
	threads(cache(), 300000, 0);
}

Test(slub, drains_while_threads_run_lose_nothing, .timeout = 60)
{
	threads(cache(), 300000, 300);
}

static void *free_all(void *arg)
{
	struct worker *w = arg;
	unsigned int i;

	for (i = 0; i < HELD; i++)
		slub_free(w->s, w->held[i]);
	return NULL;
}

Test(slub, any_thread_may_free)
{
	struct worker w = { .s = cache() };
	pthread_t thread;
	unsigned int i, round;

	for (round = 0; round < 50; round++) {
		for (i = 0; i < HELD; i++)
			w.held[i] = slub_alloc(w.s, GFP_KERNEL);
		pthread_create(&thread, NULL, free_all, &w);
		pthread_join(thread, NULL);
		ASSERT_BALANCED(w.s, 0);
	}
}

/* ---- without rseq ---- */

static struct kmem_cache *shared_cache(void)
{
	struct kmem_cache *s;

	cr_assert_eq(percpu_init(false), 0);
	s = cache();
	cr_assert_eq(s->slot_offset, 0);
	cr_assert_neq(node_of(s, 0)->shared, 0);
	return s;
}

Test(slub, without_rseq_a_shared_slot_serves)
{
	struct kmem_cache *s = shared_cache();
	void *object[1000];
	unsigned int i;

	for (i = 0; i < 1000; i++)
		cr_assert_not_null(object[i] = slub_alloc(s, GFP_KERNEL));
	ASSERT_BALANCED(s, 1000);
	for (i = 0; i < 1000; i++)
		slub_free(s, object[i]);
	ASSERT_BALANCED(s, 0);
	cr_expect_gt(stat_of(s).cached, 0);
	cr_assert(slub_alloc_bulk(s, GFP_KERNEL, 1000, object));
	slub_free_bulk(s, 1000, object);
	ASSERT_BALANCED(s, 0);
	drain(s);
	cr_expect_eq(stat_of(s).slabs, 0);
	ASSERT_BALANCED(s, 0);
}

Test(slub, without_rseq_threads_lose_nothing, .timeout = 60)
{
	threads(shared_cache(), 50000, 50);
}
