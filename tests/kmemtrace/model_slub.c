/* SPDX-License-Identifier: BSD-2-Clause */
/* model_slub.c - single rules of SLUB. The whole of it: placement.sh. */
#include "kmemtrace/model_slub.h"

#include <criterion/criterion.h>

static struct slub s;
static struct kmem_cache_info info;

static void make(uint32_t objects, uint32_t min_partial, uint32_t cpu_partial)
{
	const struct slub_config config = { .objects = objects, .min_partial = min_partial, .cpu_partial = cpu_partial, .nr_cpus = 2 };

	cr_assert_eq(slub_open(&s, &config), 0);
}

static void state(uint64_t slabs, uint64_t partial, uint64_t cpu_partial, uint64_t cpu_free)
{
	slub_state(&s, &info);
	cr_assert_eq(info.slabs, slabs, "slabs %llu", info.slabs);
	cr_assert_eq(info.node_partial, partial, "partial %llu", info.node_partial);
	cr_assert_eq(info.cpu_partial_slabs, cpu_partial, "CPU partial %llu", info.cpu_partial_slabs);
	cr_assert_eq(info.cpu_free, cpu_free, "CPU free %llu", info.cpu_free);
}

Test(model_slub, a_full_slab_comes_back_to_the_cpu_that_frees)
{
	struct model_slab *object[8];

	make(4, 5, 3);
	for (int i = 0; i < 8; i++)
		object[i] = slub_alloc(&s, 0);
	state(2, 0, 0, 0);
	slub_free(&s, 1, object[0]);
	state(2, 0, 1, 0);
	cr_assert_eq(info.cpu_partial_free, 1);
	slub_free(&s, 0, object[7]);
	state(2, 0, 1, 1);
	cr_assert_eq(slub_alloc(&s, 1), object[0], "from CPU 1's partial list");
	state(2, 0, 0, 1);
	slub_close(&s);
}

Test(model_slub, a_full_partial_list_goes_to_the_node_at_once)
{
	struct model_slab *object[20];

	make(2, 5, 3);
	for (int i = 0; i < 20; i++)
		object[i] = slub_alloc(&s, 0);
	for (int i = 0; i < 6; i += 2)
		slub_free(&s, 1, object[i]);
	state(10, 0, 3, 0);
	slub_free(&s, 1, object[6]);
	state(10, 3, 1, 0);
	slub_close(&s);
}

Test(model_slub, empty_slabs_stay_up_to_min_partial)
{
	struct model_slab *object[40];

	make(2, 2, 0);
	for (int i = 0; i < 40; i++)
		object[i] = slub_alloc(&s, 0);
	for (int i = 0; i < 40; i++)
		slub_free(&s, 1, object[i]);
	slub_state(&s, &info);
	cr_assert_eq(info.in_use, 0);
	cr_assert_leq(info.slabs, 5);
	slub_shrink(&s);
	state(0, 0, 0, 0);
	slub_close(&s);
}

Test(model_slub, import)
{
	make(4, 5, 3);
	cr_assert_not_null(slub_import(&s, MODEL_CPU, 1, 1, 2));
	cr_assert_not_null(slub_import(&s, MODEL_CPU_PARTIAL, 0, 3, 0));
	cr_assert_not_null(slub_import(&s, MODEL_NODE, 0, 2, 0));
	s.slabs = 10;
	s.total = 40;
	state(10, 1, 1, 3);
	cr_assert_eq(info.in_use, 40 - 2 - 3 - 3);
	slub_close(&s);
}
