/* SPDX-License-Identifier: BSD-2-Clause */
/* model_sheaf.c - single rules of sheaves. The whole of it: placement.sh. */
#include "kmemtrace/model_sheaf.h"

#include <criterion/criterion.h>

static struct sheaf_model s;
static struct kmem_cache_info info;

static void make(uint32_t capacity, uint32_t barn, bool fixed)
{
	const struct sheaf_config config = { .size = 64, .objects = 16, .min_partial = 2, .capacity = capacity, .barn_full = barn,
					     .fixed_capacity = fixed, .fixed_barn = fixed, .nr_cpus = 2 };

	cr_assert_eq(sheaf_model_open(&s, &config), 0);
}

Test(model_sheaf, a_refill_takes_a_sheaf_and_one)
{
	make(4, 2, true);
	cr_assert_not_null(sheaf_model_alloc(&s, 0));
	sheaf_model_state(&s, &info);
	cr_assert_eq(info.in_use, 1);
	cr_assert_eq(info.sheaf_main, 4);
	cr_assert_eq(info.partial_free, 11);
	cr_assert_eq(s.trips.refills, 1);
	sheaf_model_close(&s);
}

Test(model_sheaf, a_full_array_goes_to_the_barn_and_then_to_slabs)
{
	struct model_slab *object[64];

	make(4, 2, true);
	for (int i = 0; i < 64; i++)
		object[i] = sheaf_model_alloc(&s, 0);
	for (int i = 0; i < 64; i++)
		sheaf_model_free(&s, 1, object[i]);
	sheaf_model_state(&s, &info);
	cr_assert_eq(info.barn_full, 2);
	cr_assert_eq(info.barn_objects, 8);
	cr_assert_eq(info.in_use, 0);
	cr_assert_gt(s.trips.barn_put_fail, 0);
	cr_assert_leq(info.node_partial, 5, "empty ones beyond min_partial went");
	sheaf_model_shrink(&s);
	sheaf_model_state(&s, &info);
	cr_assert_eq(info.slabs, 0);
	sheaf_model_close(&s);
}

Test(model_sheaf, without_sheaves_all_go_to_slabs)
{
	make(0, 10, true);
	sheaf_model_free(&s, 0, sheaf_model_alloc(&s, 0));
	sheaf_model_state(&s, &info);
	cr_assert_eq(info.sheaf_main + info.barn_objects, 0);
	cr_assert_eq(info.partial_free, 16);
	sheaf_model_close(&s);
}

Test(model_sheaf, a_swing_makes_the_array_larger)
{
	static struct model_slab *object[400];

	make(8, 10, false);
	for (int round = 0; round < 30; round++) {
		for (int i = 0; i < 400; i++)
			object[i] = sheaf_model_alloc(&s, 0);
		for (int i = 0; i < 400; i++)
			sheaf_model_free(&s, 0, object[i]);
	}
	cr_assert_gt(s.cpu[0].limit, 16);
	sheaf_model_close(&s);
}
