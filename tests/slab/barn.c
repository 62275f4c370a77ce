/* SPDX-License-Identifier: BSD-2-Clause */
/* Barns: how many sheaves they keep, what they learn and forget, and the memory of sheaves. */
#include "support.h"

#include "base/observe.h"
#include "slab/barn.h"

static struct kmem_cache *s;
static struct kmem_cache_node *n;

static void setup(void)
{
	s = kmem_cache_create("barn", 64, 0, 0, NULL);
	cr_assert_not_null(s);
	n = node_of(s, 0);
}

TestSuite(barn, .init = setup);

/* A sheaf of count objects that are taken from their slabs. */
static struct kmem_sheaf *full_sheaf(uint32_t count)
{
	struct kmem_sheaf *sheaf = sheaf_alloc(60);
	struct page *slab;
	bool fell_back;

	cr_assert_not_null(sheaf);
	while (n->nr_objects - n->nr_taken < count) {
		node_unlock(n);
		slab = slab_new(s, GFP_KERNEL, -1, &fell_back);
		node_lock(n);
		cr_assert_not_null(slab);
		node_add_slab(s, slab);
	}
	sheaf->count = node_take(s, n, sheaf_objects(sheaf), count);
	cr_assert_eq(sheaf->count, count);
	return sheaf;
}

/* Owe so many sheaves, and miss them. */
static void learn(uint32_t sheaves)
{
	uint32_t i;

	barn_lacks_room(n, sheaves * 60);
	for (i = 0; i < sheaves; i++)
		barn_missed(s, n);
}

static void check_parked(void)
{
	uint64_t parked = 0;
	uint32_t i;

	for (i = 0; i < n->nr_full; i++)
		parked += barn_sheaf(n, i)->count;
	cr_expect_eq(n->parked, parked);
}

Test(barn, room_is_learned_when_what_was_flushed_is_missed)
{
	node_lock(n);
	barn_missed(s, n);
	cr_expect_eq(n->learned, 0, "nothing was flushed before");
	barn_lacks_room(n, 59);
	barn_missed(s, n);
	cr_expect_eq(n->learned, 0, "less than a sheaf");
	barn_lacks_room(n, 61);
	barn_missed(s, n);
	barn_missed(s, n);
	barn_missed(s, n);
	cr_expect_eq(n->learned, 2);
	cr_expect_eq(n->debt, 0);
	node_unlock(n);
}

Test(barn, a_long_list_keeps_its_order_while_it_grows)
{
	enum { NR = 400 };
	struct kmem_sheaf *sheaf[NR];
	uint32_t i;

	node_lock(n);
	for (i = 0; i < NR; i++) {
		if (!barn_has_room(s, n))
			learn(1);
		sheaf[i] = full_sheaf(1 + i % 60);
		cr_assert(barn_put(s, n, sheaf[i]));
	}
	cr_expect_eq(n->learned, NR - 10);
	cr_expect_geq(n->more_room, n->learned);
	check_parked();
	for (i = NR; i-- > 0;) {
		cr_assert_eq(barn_get_full(n), sheaf[i]);
		sheaf[i]->count = 0;
		cr_expect(barn_put(s, n, sheaf[i]), "as many empty ones");
	}
	cr_expect_null(barn_get_full(n));
	cr_expect_eq(n->parked, 0);
	cr_expect_eq(n->nr_empty + n->nr_spare, NR);
	for (i = 0; i < NR; i++)
		cr_assert_not_null(barn_get_empty(n));
	cr_expect_null(barn_get_empty(n));
	node_unlock(n);
}

Test(barn, what_nobody_took_for_a_period_is_given_back_bit_by_bit)
{
	struct page *empty = NULL;
	uint32_t i, before;

	node_lock(n);
	learn(50);
	for (i = 0; i < 60; i++)
		cr_assert(barn_put(s, n, full_sheaf(60)));
	/* The first period has no beginning; in the second 40 sheaves are never taken. */
	n->ticks = 0;
	barn_age(s, n, &empty);
	cr_expect_eq(n->learned, 50);
	for (i = 0; i < 20; i++)
		sheaf_free(barn_get_full(n));
	for (i = 0; i < 20; i++)
		cr_assert(barn_put(s, n, full_sheaf(60)));
	n->ticks = 0;
	barn_age(s, n, &empty);
	cr_expect_eq(n->learned, 50, "the period is not over");
	n->period_ns = 1;
	n->ticks = 0;
	barn_age(s, n, &empty);
	cr_expect_eq(n->learned, 10);
	cr_expect_eq(n->nr_full, 59, "one sheaf for each call");
	for (i = 59; i > 20; i--) {
		before = n->nr_full;
		barn_age(s, n, &empty);
		cr_expect_eq(n->nr_full, before - 1);
	}
	barn_age(s, n, &empty);
	cr_expect_eq(n->nr_full, 20);
	check_parked();
	node_unlock(n);
	node_release(s, empty);
}

Test(barn, the_default_limit_stays)
{
	struct page *empty = NULL;
	uint32_t i;

	node_lock(n);
	for (i = 0; i < 10; i++)
		cr_assert(barn_put(s, n, full_sheaf(60)));
	for (i = 0; i < 5; i++) {
		n->period_ns = 1;
		n->ticks = 0;
		barn_age(s, n, &empty);
	}
	cr_expect_eq(n->nr_full, 10);
	cr_expect_null(empty);
	node_unlock(n);
}

Test(barn, a_drain_in_parts_forgets_what_was_learned)
{
	struct page *empty = NULL;
	uint32_t i;

	node_lock(n);
	learn(30);
	for (i = 0; i < 40; i++)
		cr_assert(barn_put(s, n, full_sheaf(60)));
	for (i = 0; i < 100; i++)
		barn_put(s, n, sheaf_alloc(60));
	cr_expect_not(barn_drain(s, n, 15, &empty));
	cr_expect_eq(n->nr_full, 25);
	cr_expect_eq(n->learned, 30);
	check_parked();
	cr_expect(barn_drain(s, n, 25, &empty));
	cr_expect_eq(n->nr_full, 0);
	cr_expect_eq(n->nr_empty + n->nr_spare, 0);
	cr_expect_eq(n->learned, 0);
	cr_expect_eq(n->more, 0);
	cr_expect_eq(n->nr_taken, 0);
	node_unlock(n);
	node_release(s, empty);
}

Test(barn, what_is_learned_has_a_bound)
{
	node_lock(n);
	learn(6000);
	cr_expect_eq(n->learned, (16u << 20) / (60 * 64));
	node_unlock(n);
}

Test(barn, an_object_of_a_sheaf_that_keeps_others)
{
	node_lock(n);
	cr_expect_null(barn_take_object(n));
	cr_assert(barn_put(s, n, full_sheaf(2)));
	cr_expect_not_null(barn_take_object(n));
	cr_expect_null(barn_take_object(n));
	cr_expect_eq(n->parked, 1);
	node_unlock(n);
}

Test(barn, the_barn_holds_10_full_and_10_empty)
{
	struct kmem_sheaf *sheaf, *last = NULL;
	int i;

	node_lock(n);
	for (i = 0; i < 10; i++) {
		sheaf = sheaf_alloc(60);
		sheaf->count = (uint32_t)i + 1;
		cr_expect(barn_has_room(s, n));
		cr_expect(barn_put(s, n, sheaf));
		last = sheaf;
	}
	cr_expect_not(barn_has_room(s, n));
	sheaf = sheaf_alloc(60);
	sheaf->count = 1;
	cr_expect_not(barn_put(s, n, sheaf));
	for (i = 0; i < 10; i++)
		cr_expect(barn_put(s, n, sheaf_alloc(60)));
	sheaf->count = 0;
	cr_expect_not(barn_put(s, n, sheaf));
	cr_expect_eq(n->nr_full, 10);
	cr_expect_eq(n->nr_empty, 10);
	cr_expect_eq(n->stat.barn_put, 10);
	/* The last one in is the first one out: it is the warmest. */
	cr_expect_eq(barn_get_full(n), last);
	for (i = 0; i < 9; i++)
		cr_expect_not_null(barn_get_full(n));
	cr_expect_null(barn_get_full(n));
	for (i = 0; i < 10; i++)
		cr_expect_not_null(barn_get_empty(n));
	cr_expect_null(barn_get_empty(n));
	cr_expect_eq(n->stat.barn_get, 10);
	node_unlock(n);
}

Test(barn, freed_sheaves_are_reused_by_capacity)
{
	struct kmem_sheaf *a = sheaf_alloc(60), *b = sheaf_alloc(12);

	cr_expect_eq(a->capacity, 60);
	cr_expect_eq(a->count, 0);
	a->count = 5;
	sheaf_free(a);
	cr_expect_neq(sheaf_alloc(12), a);
	cr_expect_eq(sheaf_alloc(60), a);
	cr_expect_eq(a->count, 0);
	cr_expect_neq(sheaf_alloc(60), a);
	sheaf_free(b);
	cr_expect_eq(sheaf_alloc(12), b);
}

Test(barn, sheaves_of_any_capacity_do_not_overlap)
{
	struct kmem_sheaf *sheaf[40];
	uint32_t i, j;

	for (i = 0; i < 40; i++) {
		sheaf[i] = sheaf_alloc(i + 1);
		cr_assert_not_null(sheaf[i]);
		for (j = 0; j <= i; j++)
			sheaf[i]->object[j] = i;
	}
	for (i = 0; i < 40; i++)
		for (j = 0; j <= i; j++)
			cr_assert_eq(sheaf[i]->object[j], i);
	for (i = 0; i < 40; i++)
		sheaf_free(sheaf[i]);
	sheaf_after_fork();
	cr_expect_eq(sheaf_alloc(1), sheaf[0]);
	cr_expect_leq((uintptr_t)&sheaf[39]->object[40], observe_root.sheaves_end);
}
