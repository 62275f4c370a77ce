/* SPDX-License-Identifier: BSD-2-Clause */
/* leaks.c - direct and indirect leaks: one leader per chain, tree and circle. */
#include <criterion/criterion.h>

#include "kmemleak/synthetic.h"

static struct synthetic *s;
static struct leaks leaks;
static uint64_t slab, object[64];

static void setup(void)
{
	s = syn_new();
	slab = syn_slab(s, SYN_64, 1);
	for (uint32_t i = 0; i < 64; i++)
		object[i] = slab + i * 64;
}

static void teardown(void)
{
	leaks_free(&leaks);
	syn_free(s);
}

TestSuite(leaks, .init = setup, .fini = teardown);

static void take(uint32_t first, uint32_t last)
{
	for (; first <= last; first++)
		syn_take(s, slab, first);
}

static void link_objects(uint32_t from, uint32_t to)
{
	static uint32_t used[64];

	syn_poke(s, object[from] + 8 * (used[from]++ % 8), object[to]);
}

static void find(void)
{
	syn_mark(s, NULL, 0);
	cr_assert_eq(leaks_find(&leaks, &s->model, (const uint8_t *)s->memory), 0);
	cr_assert_eq(leaks_group(&leaks, &s->model), 0);
}

static uint32_t leader(uint32_t i)
{
	for (size_t k = 0; k < leaks.nr; k++)
		if (leaks.list[k].address == object[i])
			return (uint32_t)((leaks.list[leaks.list[k].leader].address - slab) / 64);
	cr_assert(false, "object %u is no leak", i);
	return 0;
}

Test(leaks, none)
{
	find();
	cr_assert_eq(leaks.nr, 0);
	cr_assert_eq(leaks.nr_groups, 0);
}

Test(leaks, chain_has_its_head_as_leader)
{
	take(1, 3);
	link_objects(3, 2);
	link_objects(2, 1);
	find();
	cr_assert_eq(leaks.nr_direct, 1);
	cr_assert_eq(leader(1), 3);
	cr_assert_eq(leader(2), 3);
	cr_assert_eq(leaks.list[leaks.list[0].leader].held_objects, 2);
	cr_assert_eq(leaks.list[leaks.list[0].leader].held_bytes, 128);
}

Test(leaks, circle_has_one_leader)
{
	take(5, 7);
	link_objects(5, 7);
	link_objects(7, 6);
	link_objects(6, 5);
	find();
	cr_assert_eq(leaks.nr_direct, 1);
	cr_assert_eq(leader(5), 5);
	cr_assert_eq(leader(6), 5);
	cr_assert_eq(leader(7), 5);
}

Test(leaks, self_pointer_is_a_direct_leak)
{
	take(1, 1);
	link_objects(1, 1);
	find();
	cr_assert_eq(leaks.nr_direct, 1);
	cr_assert_eq(leader(1), 1);
}

/* An object that points to a circle leads it, wherever it lies. */
Test(leaks, head_of_a_circle)
{
	take(1, 4);
	link_objects(1, 2);
	link_objects(2, 1);
	link_objects(4, 2);
	link_objects(2, 3);
	find();
	cr_assert_eq(leaks.nr_direct, 1);
	cr_assert_eq(leader(1), 4);
	cr_assert_eq(leader(2), 4);
	cr_assert_eq(leader(3), 4);
}

/* valgrind's leak-tree shape: two heads that share a tail. */
Test(leaks, shared_tail_counts_once)
{
	take(0, 3);
	link_objects(0, 2);
	link_objects(1, 2);
	link_objects(2, 3);
	find();
	cr_assert_eq(leaks.nr, 4);
	cr_assert_eq(leaks.nr_direct, 2);
	cr_assert_eq(leader(2), leader(3));
	cr_assert_eq(leaks.list[0].held_objects + leaks.list[1].held_objects, 2);
}

/* Two circles, one pointing to the other: the second is indirect. */
Test(leaks, circle_behind_a_circle)
{
	take(10, 13);
	link_objects(10, 11);
	link_objects(11, 10);
	link_objects(12, 13);
	link_objects(13, 12);
	link_objects(13, 10);
	find();
	cr_assert_eq(leaks.nr_direct, 1);
	for (uint32_t i = 10; i <= 13; i++)
		cr_assert_eq(leader(i), 12);
}

Test(leaks, groups_by_cache)
{
	uint64_t small = syn_slab(s, SYN_24, 1), lost = syn_take(s, small, 0);

	take(0, 2);
	link_objects(0, 1);
	syn_poke(s, object[2], lost);
	syn_large(s, 20000);
	find();
	cr_assert_eq(leaks.nr, 5);
	cr_assert_eq(leaks.bytes, 20000 + 3 * 64 + 24);
	cr_assert_eq(leaks.nr_groups, 3);
	cr_assert_eq(leaks.groups[0].cache_id, KMEM_ID_LARGE);
	cr_assert_eq(leaks.groups[1].cache_id, SYN_64);
	cr_assert_eq(leaks.groups[1].direct, 2);
	cr_assert_eq(leaks.groups[1].indirect, 1);
	cr_assert_eq(leaks.groups[1].held_bytes, 64 + 24);
	cr_assert_eq(leaks.groups[2].indirect, 1);
}

Test(leaks, hidden_leaks_do_not_count)
{
	take(0, 3);
	find();
	leaks.list[1].hidden = true;
	cr_assert_eq(leaks_group(&leaks, &s->model), 0);
	cr_assert_eq(leaks.nr_direct, 3);
	cr_assert_eq(leaks.bytes, 3 * 64);
}

/* More call sites than the table of groups has room for at first. */
Test(leaks, groups_by_call_site)
{
	take(0, 62);
	syn_large(s, 20000);
	find();
	for (size_t i = 0; i < leaks.nr; i++)
		leaks.list[i].call_site = i / 2 * 16;
	cr_assert_eq(leaks_group(&leaks, &s->model), 0);
	cr_assert_eq(leaks.nr_groups, 33); /* the last pair is of two caches */
	cr_assert_eq(leaks.groups[0].cache_id, KMEM_ID_LARGE);
	cr_assert_eq(leaks.groups[0].call_site, 31 * 16);
	for (size_t i = 1; i < 32; i++) {
		cr_assert_eq(leaks.groups[i].call_site, (i - 1) * 16);
		cr_assert_eq(leaks.groups[i].direct, 2);
		cr_assert_eq(leaks.groups[i].direct_bytes, 128);
	}
	cr_assert_eq(leaks.groups[32].direct, 1);
	cr_assert_eq(leaks.nr_direct, 64);
}

Test(leaks, a_call_site_each)
{
	take(0, 63);
	find();
	for (size_t i = 0; i < leaks.nr; i++)
		leaks.list[i].call_site = 0x555500001000 + i;
	cr_assert_eq(leaks_group(&leaks, &s->model), 0);
	cr_assert_eq(leaks.nr_groups, 64);
	for (size_t i = 0; i < 64; i++)
		cr_assert_eq(leaks.groups[i].call_site, 0x555500001000 + i);
}

/* Deep enough to break a recursive search on a small stack. */
Test(leaks, long_chain)
{
	take(0, 63);
	for (uint32_t i = 63; i > 0; i--)
		link_objects(i, i - 1);
	find();
	cr_assert_eq(leaks.nr_direct, 1);
	cr_assert_eq(leader(0), 63);
}
