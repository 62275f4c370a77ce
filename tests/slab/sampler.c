/* SPDX-License-Identifier: BSD-2-Clause */
/* Samples add up to what was allocated and what lives, whatever the size and the way; each is freed once. */
#include "support.h"

#include <math.h>
#include <pthread.h>

#include <kmem/fastpath.h>
#include <kmem/slab.h>

#include "base/sample.h"
#include "entry/init.h"
#include "slab/kmalloc.h"
#include "slab/sampler.h"
#include "slab/sampling.h"
#include "slab/slots.h"

#define INTERVAL 16384u

static void start(void)
{
	kmem_init();
	sample_seed(7);
	cr_assert_eq(sampling_set(INTERVAL), 0);
}

/* The sum of the weights of n objects' samples is within 5 standard deviations of their bytes. */
static void expect_weight(uint64_t weight, double n, double size, double chance_size, const char *what)
{
	double p = 1 - exp(-chance_size / INTERVAL), bytes = n * size;

	cr_expect_lt(fabs((double)weight - bytes), 5 * size / p * sqrt(n * p * (1 - p)) + n * p + 1, "%s of %g: %llu for %g",
		     what, size, (unsigned long long)weight, bytes);
}

static uint64_t live_weight(void)
{
	const struct kmem_sample *entry = (const struct kmem_sample *)(uintptr_t)sample_root.entries;
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; entry && i < sample_root.capacity; i++)
		sum += entry[i].ptr ? entry[i].weight : 0;
	return sum;
}

static void expect_all_freed(void)
{
	cr_expect_eq(sample_root.live, 0);
	cr_expect_eq(sample_root.taken, sample_root.freed);
	cr_expect_eq(sample_root.lost, 0);
}

static const size_t sizes[] = { 8, 50, 64, 500, 3000, 8192, 10000, 100000, 5u << 20 };

static unsigned int number_of(size_t size)
{
	return size < 10000 ? 400000 : size < (1 << 20) ? 20000 : 200;
}

/* The fast path all the time: no slot is ever empty or full. */
Test(sampler, pairs_of_kmalloc_and_kfree)
{
	unsigned int i, k;

	start();
	for (i = 0; i < 8; i++) {
		uint64_t before = sample_root.taken_weight;
		unsigned int n = number_of(sizes[i]);

		for (k = 0; k < n; k++)
			kfree(kmalloc(sizes[i], GFP_KERNEL));
		expect_weight(sample_root.taken_weight - before, n, (double)sizes[i],
			      sizes[i] > KMALLOC_MAX_CACHE_SIZE ? (double)sizes[i] : (double)kmalloc_size_roundup(sizes[i]),
			      "pairs");
	}
	expect_all_freed();
}

Test(sampler, objects_that_live)
{
	enum { NR = 20000 };
	static void *object[NR];
	unsigned int i, k;

	start();
	for (i = 0; i < 6; i++) {
		for (k = 0; k < NR; k++) {
			object[k] = kmalloc(sizes[i], GFP_KERNEL);
			kfree(kmalloc(sizes[i], GFP_KERNEL));
			memset(object[k], (int)k, sizes[i]);
		}
		expect_weight(live_weight(), NR, (double)sizes[i], (double)kmalloc_size_roundup(sizes[i]), "live");
		for (k = 0; k < NR; k++) {
			const uint8_t *byte = object[k];

			cr_assert(byte[0] == (uint8_t)k && byte[sizes[i] - 1] == (uint8_t)k);
			kfree(object[k]);
		}
		expect_all_freed();
	}
}

/* Kept objects and short-lived ones from two places, in turns: a choice by what leaves the slot would see one of them only. */
Test(sampler, neither_of_two_callers_is_preferred)
{
	enum { NR = 100000 };
	static void *kept[NR];
	unsigned int k;
	uint64_t all;

	start();
	for (k = 0; k < NR; k++) {
		kept[k] = kmalloc(64, GFP_KERNEL);
		kfree(kmalloc(64, GFP_KERNEL));
	}
	all = sample_root.taken_weight;
	expect_weight(all, 2 * NR, 64, 64, "all");
	expect_weight(live_weight(), NR, 64, 64, "kept");
	for (k = 0; k < NR; k++)
		kfree(kept[k]);
	expect_all_freed();
}

Test(sampler, a_sample_is_an_object_like_others)
{
	unsigned int k;

	start();
	for (k = 0; k < 300000; k++) {
		char *p = kmalloc(100, GFP_KERNEL | __GFP_ZERO);

		cr_assert(p && !p[0] && !p[99] && ksize(p) >= 100 && !((uintptr_t)p % 16));
		p[0] = 'x';
		p = krealloc(p, k % 2 ? 5000 : 50, GFP_KERNEL);
		cr_assert(p && p[0] == 'x');
		if (k % 3)
			kfree(p);
		else
			kfree_sensitive(p);
	}
	cr_expect_gt(sample_root.taken, 100);
	expect_all_freed();
}

Test(sampler, objects_of_caches)
{
	struct kmem_cache *s = kmem_cache_create("sampled", 200, 0, 0, NULL);
	enum { NR = 100000 };
	static void *object[NR];
	unsigned int k;

	start();
	for (k = 0; k < NR; k++) {
		object[k] = k % 2 ? kmem_cache_alloc(s, GFP_KERNEL) : kmem_cache_alloc_inline(s, GFP_KERNEL);
		kmem_cache_free_inline(s, kmem_cache_alloc_inline(s, GFP_KERNEL));
	}
	expect_weight(sample_root.taken_weight, 2 * NR, 200, 200, "all");
	expect_weight(live_weight(), NR, 200, 200, "live");
	kmem_cache_free_bulk(s, NR / 2, object);
	for (k = NR / 2; k < NR; k++)
		kmem_cache_free(s, object[k]);
	expect_all_freed();
	ASSERT_BALANCED(s, 0);
	kmem_cache_destroy(s);
}

Test(sampler, counters_stay_what_they_are)
{
	struct kmem_cache *s = kmalloc_cache(64, GFP_KERNEL);
	struct kmem_cache_stat before, after;
	unsigned int k;
	uint64_t taken;

	start();
	for (k = 0; k < 1000; k++)
		kfree(kmalloc(64, GFP_KERNEL));
	kmem_cache_stat(s, &before);
	taken = sample_root.taken;
	for (k = 0; k < 1000000; k++)
		kfree(kmalloc(64, GFP_KERNEL));
	kmem_cache_stat(s, &after);
	taken = sample_root.taken - taken;
	cr_expect_gt(taken, 1000);
	/* A sample chosen by a pop puts the popped one back; one chosen on the slow path pops none. */
	cr_expect_leq(after.allocs - before.allocs, 1000000);
	cr_expect_geq(after.allocs - before.allocs, 1000000 - taken);
	cr_expect_eq(after.allocs - before.allocs, after.frees - before.frees);
	cr_expect_eq(after.active, before.active);
	cr_expect_eq(sampling_set(0), 0);
	kmem_cache_shrink(s);
	kmem_cache_stat(s, &before);
	cr_expect_eq(after.allocs, before.allocs, "nor when the slots are drained");
}

static void *work(void *unused)
{
	void *object[100];
	int k, i;

	(void)unused;
	for (k = 0; k < 3000; k++) {
		for (i = 0; i < 100; i++)
			object[i] = kmalloc(i % 2 ? 64 : 256, GFP_KERNEL);
		for (i = 0; i < 100; i++)
			kfree(object[i]);
	}
	return NULL;
}

Test(sampler, threads_that_move)
{
	pthread_t thread[6];
	int i;

	start();
	for (i = 0; i < 6; i++)
		pthread_create(&thread[i], NULL, work, NULL);
	for (i = 0; i < 6; i++)
		pthread_join(thread[i], NULL);
	/* Threads are moved while they take a sample, see sampler.h: at most the sum, and most of it. */
	cr_expect_lt((double)sample_root.taken_weight, 1.05 * 6 * 3000 * 50 * 320);
	cr_expect_gt((double)sample_root.taken_weight, 0.7 * 6 * 3000 * 50 * 320);
	cr_expect_eq(sample_root.live, 0);
	cr_expect_eq(sample_root.taken, sample_root.freed);
}

Test(sampler, a_child_follows_its_own_copies)
{
	void *object[5000];
	unsigned int k;
	int status;
	pid_t pid;

	start();
	for (k = 0; k < 5000; k++)
		object[k] = kmalloc(64, GFP_KERNEL);
	pid = fork();
	for (k = 0; k < 5000; k++)
		kfree(object[k]);
	if (!pid)
		_exit(sample_root.live || sample_root.taken != sample_root.freed);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(status, 0);
	expect_all_freed();
}
