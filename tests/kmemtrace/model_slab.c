/* SPDX-License-Identifier: BSD-2-Clause */
/* model_slab.c - lists of slabs, and their order after a shrink. */
#include "kmemtrace/model_slab.h"

#include <criterion/criterion.h>

static void order_is(const struct model_list *list, const uint32_t *free, uint32_t nr)
{
	const struct model_slab *slab = list->head;

	cr_assert_eq(list->nr, nr);
	for (uint32_t i = 0; i < nr; i++, slab = slab->next)
		cr_assert_eq(slab->free, free[i], "place %u", i);
	cr_assert_null(slab);
}

static void fill(struct model_list *list, struct model_pool *pool, const uint32_t *free, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++) {
		struct model_slab *slab = model_pool_get(pool, 100);

		slab->free = free[i];
		slab->address = i;
		model_list_add(list, slab, false);
	}
}

Test(model_slab, add_and_remove)
{
	struct model_pool pool = { 0 };
	struct model_list list = { 0 };

	fill(&list, &pool, (const uint32_t[]){ 1, 2, 3 }, 3);
	model_list_del(&list, list.head->next);
	order_is(&list, (const uint32_t[]){ 1, 3 }, 2);
	model_list_del(&list, list.tail);
	model_list_add(&list, model_pool_get(&pool, 7), true);
	order_is(&list, (const uint32_t[]){ 7, 1 }, 2);
	model_pool_close(&pool);
}

/* Fullest first; beyond 32 free objects they stay behind, as they were. */
Test(model_slab, promote)
{
	struct model_pool pool = { 0 };
	struct model_list list = { 0 };

	fill(&list, &pool, (const uint32_t[]){ 50, 3, 32, 1, 40, 3, 33 }, 7);
	model_list_promote(&list, true);
	order_is(&list, (const uint32_t[]){ 1, 3, 3, 32, 50, 40, 33 }, 7);
	cr_assert_eq(list.head->next->address, 5, "the newest of a class first");
	model_list_promote(&list, false);
	cr_assert_eq(list.head->next->address, 5, "in their order");
	model_pool_close(&pool);
}

Test(model_slab, memory_is_used_again)
{
	struct model_pool pool = { 0 };
	struct model_slab *slab = model_pool_get(&pool, 5);

	for (int i = 0; i < 2000; i++)
		cr_assert_neq(model_pool_get(&pool, 5), slab);
	model_pool_put(&pool, slab);
	cr_assert_eq(slab->place, MODEL_GONE);
	cr_assert_eq(model_pool_get(&pool, 9), slab);
	cr_assert_eq(slab->free, 9);
	model_pool_close(&pool);
}
