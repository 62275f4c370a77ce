/* SPDX-License-Identifier: BSD-2-Clause */
/* cache_model.c - both kinds behind one face; every column of a comparison counts. */
#include "kmemtrace/cache_model.h"

#include <criterion/criterion.h>

Test(cache_model, both_kinds)
{
	for (int kind = MODEL_SLUB; kind <= MODEL_SHEAF; kind++) {
		const struct model_config config = { .kind = (enum model_kind)kind, .size = 128, .objects = 32, .min_partial = 5,
						     .cpu_partial = 4, .capacity = 8, .barn_full = 2, .nr_cpus = 2 };
		struct kmem_cache_info info;
		struct model_slab *object;
		struct cache_model model;

		cr_assert_eq(cache_model_open(&model, &config), 0);
		object = cache_model_alloc(&model, 1);
		cache_model_state(&model, &info);
		cr_assert_eq(info.in_use, 1);
		cr_assert_eq(info.slabs, 1);
		cr_assert_eq(cache_model_peak_slabs(&model), 1);
		cr_assert_gt(cache_model_slow_trips(&model), 0);
		cache_model_free(&model, 0, object);
		cache_model_shrink(&model);
		cache_model_state(&model, &info);
		cr_assert_eq(info.slabs, 0);
		cache_model_close(&model);
	}
}

Test(cache_model, differences_are_named)
{
	struct kmem_cache_info a = { .slabs = 3 }, b = { .slabs = 3 };
	uint64_t x = 0, y = 0;

	cr_assert_null(cache_model_differs(MODEL_SLUB, &a, &b, &x, &y));
	b.cpu_slabs = 1;
	cr_assert_str_eq(cache_model_differs(MODEL_SLUB, &a, &b, &x, &y), "CPU slabs");
	cr_assert_eq(y, 1);
	cr_assert_null(cache_model_differs(MODEL_SHEAF, &a, &b, &x, &y), "libkmem has none");
	a.slabs = 4;
	cr_assert_str_eq(cache_model_differs(MODEL_SHEAF, &a, &b, &x, &y), "slabs");
	cr_assert_eq(x, 4);
}
