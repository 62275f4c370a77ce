/* SPDX-License-Identifier: BSD-2-Clause */
/* The algorithms of genpools, on a map with free runs of known length. */
#include "support.h"

#include <kmem/genalloc.h>

enum { BITS = 200 };

/* Free runs: [3, 5) 2, [10, 18) 8, [32, 36) 4, [60, 100) 40, [128, 132) 4. */
static unsigned long map[BITS / 64 + 1];
static struct gen_pool pool = { .min_alloc_order = 4, .name = "test" };

static void setup(void)
{
	static const int runs[][2] = { { 3, 2 }, { 10, 8 }, { 32, 4 }, { 60, 40 }, { 128, 4 } };
	unsigned int i;
	int j;

	memset(map, 0xff, sizeof(map));
	for (i = 0; i < ARRAY_LEN(runs); i++)
		for (j = runs[i][0]; j < runs[i][0] + runs[i][1]; j++)
			map[j / 64] &= ~(1UL << j % 64);
}

TestSuite(genalgo, .init = setup);

#define AT(algo, start, nr, data, addr) algo(map, BITS, start, nr, data, &pool, addr)

Test(genalgo, first_fit)
{
	cr_expect_eq(AT(gen_pool_first_fit, 0, 1, NULL, 0), 3);
	cr_expect_eq(AT(gen_pool_first_fit, 0, 3, NULL, 0), 10);
	cr_expect_eq(AT(gen_pool_first_fit, 0, 9, NULL, 0), 60);
	cr_expect_eq(AT(gen_pool_first_fit, 62, 4, NULL, 0), 62);
	cr_expect_geq(AT(gen_pool_first_fit, 0, 41, NULL, 0), BITS);
	cr_expect_geq(AT(gen_pool_first_fit, 132, 1, NULL, 0), BITS);
}

Test(genalgo, first_fit_align_aligns_addresses)
{
	struct genpool_data_align data = { 64 }; /* 4 granules */

	cr_expect_eq(AT(gen_pool_first_fit_align, 0, 2, &data, 0x1000), 12);
	/* The chunk begins one granule behind a multiple of 64. */
	cr_expect_eq(AT(gen_pool_first_fit_align, 0, 2, &data, 0x1010), 3);
	cr_expect_eq(AT(gen_pool_first_fit_align, 4, 2, &data, 0x1010), 11);
	data.align = 8;
	cr_expect_eq(AT(gen_pool_first_fit_align, 0, 2, &data, 0x1010), 3, "less than a granule");
}

Test(genalgo, alignments_that_make_no_sense)
{
	struct genpool_data_align data = { 48 };

	capture_start();
	cr_expect_geq(AT(gen_pool_first_fit_align, 0, 2, &data, 0), BITS);
	data.align = 0;
	cr_expect_geq(AT(gen_pool_first_fit_align, 0, 2, &data, 0), BITS);
	cr_expect_str_eq(capture_end(), "kmem: genpool test: alignment 48 is no power of two\n"
					"kmem: genpool test: alignment 0 is no power of two\n");
}

Test(genalgo, order_align_aligns_indices)
{
	cr_expect_eq(AT(gen_pool_first_fit_order_align, 0, 1, NULL, 0), 3);
	cr_expect_eq(AT(gen_pool_first_fit_order_align, 0, 2, NULL, 0), 10);
	cr_expect_eq(AT(gen_pool_first_fit_order_align, 0, 3, NULL, 0), 12);
	cr_expect_eq(AT(gen_pool_first_fit_order_align, 0, 5, NULL, 0), 64);
	cr_expect_eq(AT(gen_pool_first_fit_order_align, 0, 17, NULL, 0), 64);
	cr_expect_geq(AT(gen_pool_first_fit_order_align, 0, 37, NULL, 0), BITS, "60 is no multiple of 64");
}

Test(genalgo, best_fit_takes_the_smallest_run)
{
	cr_expect_eq(AT(gen_pool_best_fit, 0, 1, NULL, 0), 3);
	cr_expect_eq(AT(gen_pool_best_fit, 0, 3, NULL, 0), 32);
	cr_expect_eq(AT(gen_pool_best_fit, 33, 4, NULL, 0), 128);
	cr_expect_eq(AT(gen_pool_best_fit, 0, 5, NULL, 0), 10);
	cr_expect_eq(AT(gen_pool_best_fit, 0, 40, NULL, 0), 60);
	cr_expect_geq(AT(gen_pool_best_fit, 0, 41, NULL, 0), BITS);
}

Test(genalgo, worst_fit_takes_the_largest_run)
{
	cr_expect_eq(AT(gen_pool_worst_fit, 0, 1, NULL, 0), 60);
	cr_expect_eq(AT(gen_pool_worst_fit, 0, 40, NULL, 0), 60);
	cr_expect_eq(AT(gen_pool_worst_fit, 100, 1, NULL, 0), 128);
	memset((char *)map + 64 / 8, 0xff, 8);
	map[0] |= 0xfUL << 60;
	cr_expect_eq(AT(gen_pool_worst_fit, 0, 1, NULL, 0), 10);
	map[0] |= 0xffUL << 10;
	cr_expect_eq(AT(gen_pool_worst_fit, 0, 1, NULL, 0), 32, "the lower of two of the same length");
	cr_expect_geq(AT(gen_pool_worst_fit, 0, 5, NULL, 0), BITS);
}

Test(genalgo, fixed_takes_the_place_or_none)
{
	struct genpool_data_fixed data = { 12 * 16 };

	cr_expect_eq(AT(gen_pool_fixed_alloc, 0, 6, &data, 0), 12);
	cr_expect_geq(AT(gen_pool_fixed_alloc, 0, 7, &data, 0), BITS);
	cr_expect_geq(AT(gen_pool_fixed_alloc, 12, 1, &data, 0), BITS, "after a collision");
	data.offset = 20 * 16;
	cr_expect_geq(AT(gen_pool_fixed_alloc, 0, 1, &data, 0), BITS);
	data.offset = 12 * 16 + 1;
	capture_start();
	cr_expect_geq(AT(gen_pool_fixed_alloc, 0, 1, &data, 0), BITS);
	cr_expect_str_eq(capture_end(), "kmem: genpool test: offset 193 is not a multiple of its granule of 16 bytes\n");
}
