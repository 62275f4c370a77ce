/* SPDX-License-Identifier: BSD-2-Clause */
/* histogram.c - quantiles against a sorted array. */
#include "kmemtrace/histogram.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define VALUES 20000u

static int compare(const void *a, const void *b)
{
	uint64_t l = *(const uint64_t *)a, r = *(const uint64_t *)b;

	return l < r ? -1 : l > r;
}

Test(histogram, quantiles)
{
	static const unsigned int permille[] = { 1, 10, 250, 500, 900, 990, 999, 1000 };
	static uint64_t value[VALUES];
	struct histogram h = { 0 };
	uint64_t seed = 1;

	for (uint32_t i = 0; i < VALUES; i++) {
		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
		/* All magnitudes. */
		value[i] = seed >> 24 >> (seed & 31);
		cr_assert(histogram_add(&h, value[i]));
	}
	qsort(value, VALUES, sizeof(value[0]), compare);
	for (size_t i = 0; i < sizeof(permille) / sizeof(permille[0]); i++) {
		uint64_t exact = value[(uint64_t)VALUES * permille[i] / 1000 - 1];
		uint64_t got = histogram_quantile(&h, permille[i]);
		uint64_t off = got > exact ? got - exact : exact - got;

		cr_expect(off <= exact / 4 + 1, "%u: %lu instead of %lu", permille[i], got, exact);
	}
	cr_expect_eq(histogram_quantile(&h, 1000), value[VALUES - 1]);
	histogram_free(&h);
}

Test(histogram, few_values_are_exact)
{
	struct histogram h = { 0 }, sum = { 0 };

	cr_expect_eq(histogram_quantile(&h, 500), 0);
	cr_assert(histogram_merge(&sum, &h));
	cr_expect_null(sum.bin);
	for (uint64_t i = 1; i <= 3; i++)
		histogram_add(&h, i);
	cr_expect_eq(histogram_quantile(&h, 500), 2);
	cr_expect_eq(histogram_quantile(&h, 0), 1);
	histogram_add(&h, 1000);
	cr_expect_eq(histogram_quantile(&h, 999), 1000);
	histogram_free(&h);
	histogram_add(&h, 12345);
	cr_expect_eq(histogram_quantile(&h, 1), 12345, "a single value is the largest, too");
	histogram_free(&h);
}

Test(histogram, ends_of_the_scale)
{
	uint64_t octave[HISTOGRAM_OCTAVES];
	struct histogram h = { 0 }, more = { 0 };

	histogram_octaves(&h, octave);
	cr_expect_eq(octave[0], 0);
	histogram_add(&h, 0);
	histogram_add(&h, 1);
	histogram_add(&h, UINT64_MAX);
	histogram_add(&more, 1023);
	histogram_add(&more, 1024);
	cr_assert(histogram_merge(&h, &more));
	histogram_octaves(&h, octave);
	cr_expect(octave[0] == 2 && octave[9] == 1 && octave[10] == 1 && octave[63] == 1);
	cr_expect_eq(h.nr, 5);
	cr_expect_eq(h.max, UINT64_MAX);
	cr_expect_eq(histogram_quantile(&h, 1000), UINT64_MAX);
	histogram_free(&h);
	histogram_free(&more);
}
