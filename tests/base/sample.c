/* SPDX-License-Identifier: BSD-2-Clause */
/* Chances and distances are what their formulas say, and every sample is in the table until it is freed. */
#include "support.h"

#include <math.h>
#include <pthread.h>

#include "base/depot.h"
#include "base/sample.h"
#include "entry/init.h"

static void start(uint64_t interval)
{
	kmem_init();
	sample_seed(42);
	sample_root.interval = interval;
}

/* Within 5 standard deviations of a binomial distribution. */
static void expect_about(double got, double n, double p)
{
	cr_expect_lt(fabs(got - n * p), 5 * sqrt(n * p * (1 - p)) + 1, "%g of %g, chance %g", got, n, p);
}

Test(sample, the_chance_is_by_bytes)
{
	static const size_t size[] = { 16, 1000, 65536, 524288, 2000000, 1 << 30 };
	const unsigned int n = 200000;
	unsigned int i, k, hits;

	start(524288);
	for (i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
		for (hits = k = 0; k < n; k++)
			hits += sample_hit(size[i]);
		expect_about(hits, n, 1 - exp(-(double)size[i] / 524288));
	}
	cr_expect(!sample_hit(0));
}

/* The k-th is chosen with the chance p (1 - p)^(k - 1): the mean is 1 / p, half are within ln 2 / p. */
Test(sample, distances_are_geometric)
{
	static const size_t size[] = { 64, 4096, 100000, 1 << 20 };
	const unsigned int n = 200000;
	unsigned int i, k, first;

	start(65536);
	for (i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
		double p = 1 - exp(-(double)size[i] / 65536), sum = 0;

		for (first = k = 0; k < n; k++) {
			uint64_t distance = sample_distance(size[i]);

			cr_assert_geq(distance, 1);
			first += distance == 1;
			sum += (double)distance;
		}
		expect_about(first, n, p);
		cr_expect_lt(fabs(sum / n * p - 1), 5 * sqrt((1 - p) / n) + 1e-9, "mean of size %zu", size[i]);
	}
}

Test(sample, distances_end)
{
	unsigned int k;

	start(UINT64_C(1) << 60);
	for (k = 0; k < 1000; k++)
		cr_assert_leq(sample_distance(8), UINT64_C(1) << 46);
}

static void *address(uintptr_t i)
{
	return (void *)(0x100000 + i * 16);
}

Test(sample, weights_are_sizes_over_chances)
{
	start(65536);
	cr_assert(sample_taken(address(1), 100, 128, 7, address(0)));
	cr_expect_lt(fabs((double)sample_root.taken_weight - 100 / (1 - exp(-128.0 / 65536))), 2);
	cr_assert(sample_taken(address(2), 1 << 30, 1 << 30, 7, address(0)));
	cr_expect(sample_gone(address(1), NULL));
	cr_expect(!sample_gone(address(1), NULL));
	cr_expect_eq(sample_root.live, 1);
	cr_expect_eq(sample_root.taken, 2);
	cr_expect_eq(sample_root.freed, 1);
}

Test(sample, the_table_keeps_each_until_it_goes)
{
	enum { NR = 60000 };
	static bool live[NR];
	const struct kmem_sample *entry;
	unsigned int nr = 0, i, round, seed = 1, found = 0;

	start(4096);
	for (round = 0; round < 400000; round++) {
		i = (unsigned int)rand_r(&seed) % NR;
		if (live[i]) {
			cr_assert(sample_gone(address(i), NULL));
			nr--;
		} else {
			cr_assert(sample_taken(address(i), i + 1, i + 1, 3, address(0)));
			nr++;
		}
		live[i] = !live[i];
	}
	cr_expect_eq(sample_root.live, nr);
	entry = (const struct kmem_sample *)(uintptr_t)sample_root.entries;
	for (i = 0; i < sample_root.capacity; i++)
		if (entry[i].ptr) {
			unsigned int k = (unsigned int)((entry[i].ptr - (uintptr_t)address(0)) / 16);

			cr_assert(live[k] && entry[i].size == k + 1 && entry[i].cache == 3);
			cr_assert_not_null(depot_stack(entry[i].stack));
			found++;
		}
	cr_expect_eq(found, nr);
	for (i = 0; i < NR; i++)
		cr_expect_eq(sample_gone(address(i), NULL), live[i]);
	cr_expect_eq(sample_root.live, 0);
}

Test(sample, what_was_freed_unseen_leaves_when_its_address_is_used_again)
{
	start(4096);
	cr_expect(sample_taken(address(5), 10, 16, 3, NULL));
	cr_expect(sample_taken(address(5), 20, 32, 4, NULL));
	cr_expect_eq(sample_root.live, 1);
	cr_expect_eq(sample_root.taken, 2);
	cr_expect_eq(sample_root.freed, 1);
	cr_expect(sample_gone(address(5), NULL));
}

Test(sample, a_full_table_loses_and_counts)
{
	unsigned int i, taken = 0;

	start(4096);
	for (i = 0; i < sample_root.capacity; i++)
		taken += sample_taken(address(i), 1, 1, 3, NULL);
	cr_expect_lt(taken, sample_root.capacity);
	cr_expect_eq(sample_root.live, taken);
	cr_expect_eq(sample_root.lost, sample_root.capacity - taken);
}

static bool is_odd(uint32_t cache)
{
	return cache % 2;
}

Test(sample, some_are_forgotten)
{
	unsigned int i;

	start(4096);
	for (i = 0; i < 20000; i++)
		sample_taken(address(i), 1, 1, i % 2, NULL);
	sample_forget(is_odd);
	cr_expect_leq(sample_root.live, 10001);
	cr_expect_eq(sample_root.forgotten + sample_root.live, 20000);
	for (i = 0; i < 20000; i += 2)
		cr_assert(sample_gone(address(i), NULL));
}

static void *churn(void *first)
{
	uintptr_t i;
	int round;

	for (round = 0; round < 200; round++) {
		for (i = 0; i < 100; i++)
			sample_taken(address((uintptr_t)first * 1000 + i), 1, 1, 1, NULL);
		for (i = 0; i < 100; i++)
			if (!sample_gone(address((uintptr_t)first * 1000 + i), NULL))
				return (void *)1;
	}
	return NULL;
}

Test(sample, threads)
{
	pthread_t thread[4];
	void *wrong;
	uintptr_t i;

	start(4096);
	for (i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, churn, (void *)i);
	for (i = 0; i < 4; i++) {
		pthread_join(thread[i], &wrong);
		cr_expect_null(wrong);
	}
	cr_expect_eq(sample_root.live, 0);
	cr_expect_eq(sample_root.taken, sample_root.freed);
}
