/* SPDX-License-Identifier: BSD-2-Clause */
/* mark.c - which words keep which objects alive: the hidden-pointer corpus on made-up heaps. */
#include <stdlib.h>
#include <criterion/criterion.h>

#include "kmemleak/synthetic.h"

static struct synthetic *s;
static uint64_t slab;

static void setup(void)
{
	s = syn_new();
	slab = syn_slab(s, SYN_64, 1);
}

static void teardown(void)
{
	syn_free(s);
}

TestSuite(mark, .init = setup, .fini = teardown);

Test(mark, direct_leak_and_reachable)
{
	uint64_t lost = syn_take(s, slab, 3), kept = syn_take(s, slab, 4);

	syn_mark(s, &kept, 1);
	cr_assert(syn_leaked(s, lost));
	cr_assert(!syn_leaked(s, kept));
	cr_assert_eq(s->mark.nr_marked, 1);
}

Test(mark, first_object_of_the_arena)
{
	uint64_t lost = syn_take(s, slab, 0);

	syn_mark(s, NULL, 0);
	cr_assert(syn_leaked(s, lost));
}

Test(mark, chain)
{
	uint64_t a = syn_take(s, slab, 0), b = syn_take(s, slab, 1), c = syn_take(s, slab, 2);
	uint64_t lost = syn_take(s, slab, 5), behind_lost = syn_take(s, slab, 6);

	syn_poke(s, a + 16, b);
	syn_poke(s, b + 56, c);
	syn_poke(s, lost, behind_lost);
	syn_mark(s, &a, 1);
	cr_assert(!syn_leaked(s, b));
	cr_assert(!syn_leaked(s, c));
	cr_assert(syn_leaked(s, lost));
	cr_assert(syn_leaked(s, behind_lost));
}

Test(mark, cycle_is_no_root_for_itself)
{
	uint64_t a = syn_take(s, slab, 0), b = syn_take(s, slab, 1);

	syn_poke(s, a, b);
	syn_poke(s, b, a);
	syn_mark(s, NULL, 0);
	cr_assert(syn_leaked(s, a));
	cr_assert(syn_leaked(s, b));
}

Test(mark, self_pointer_does_not_keep)
{
	uint64_t a = syn_take(s, slab, 0);

	syn_poke(s, a, a);
	syn_poke(s, a + 8, a + 8);
	syn_mark(s, NULL, 0);
	cr_assert(syn_leaked(s, a));
}

Test(mark, cycle_reached_from_outside_ends)
{
	uint64_t a = syn_take(s, slab, 0), b = syn_take(s, slab, 1);

	syn_poke(s, a, b);
	syn_poke(s, b, a);
	syn_mark(s, &b, 1);
	cr_assert(!syn_leaked(s, a));
	cr_assert(!syn_leaked(s, b));
	cr_assert_eq(s->mark.nr_marked, 2);
}

Test(mark, interior_pointers)
{
	uint64_t eight = syn_take(s, slab, 1), member = syn_take(s, slab, 2), last = syn_take(s, slab, 3);
	uint64_t tagged = syn_take(s, slab, 4);
	uint64_t roots[] = { eight + 8, member + 24, last + 63, tagged | 1 };

	syn_mark(s, roots, 4);
	cr_assert(!syn_leaked(s, eight));
	cr_assert(!syn_leaked(s, member));
	cr_assert(!syn_leaked(s, last));
	cr_assert(!syn_leaked(s, tagged));
}

Test(mark, exact_mode_refuses_interior_pointers)
{
	uint64_t start = syn_take(s, slab, 1), inner = syn_take(s, slab, 2);
	uint64_t roots[] = { start, inner + 8 };

	syn_mark_exact(s, roots, 2);
	cr_assert(!syn_leaked(s, start));
	cr_assert(syn_leaked(s, inner));
}

Test(mark, one_past_the_end_belongs_to_the_neighbour)
{
	uint64_t before = syn_take(s, slab, 1), after = syn_take(s, slab, 2);
	uint64_t root = before + 64;

	syn_mark(s, &root, 1);
	cr_assert(syn_leaked(s, before));
	cr_assert(!syn_leaked(s, after));
}

Test(mark, one_past_the_end_with_padding_keeps)
{
	uint64_t roomy = syn_slab(s, SYN_ROOMY, 1), a = syn_take(s, roomy, 1), root = a + 40;

	syn_mark(s, &root, 1);
	cr_assert(!syn_leaked(s, a));
}

Test(mark, words_around_the_heap_are_ignored)
{
	uint64_t lost = syn_take(s, slab, 0);
	uint64_t roots[] = { 0, 8, UINT64_MAX, SYN_BASE - 1, SYN_BASE, SYN_BASE + (SYN_PAGES << 12), SYN_BASE + 4095,
			     s->next_page << 12 };

	syn_mark(s, roots, sizeof(roots) / sizeof(roots[0]));
	cr_assert(syn_leaked(s, lost));
	cr_assert_eq(s->mark.nr_marked, 0);
}

Test(mark, free_and_parked_objects_are_not_scanned)
{
	uint64_t freed = slab + 64 * 10, parked = syn_take(s, slab, 11);
	uint64_t a = syn_take(s, slab, 0), b = syn_take(s, slab, 1);
	uint64_t roots[] = { freed, parked };

	syn_park(s, parked);
	syn_poke(s, freed, a);
	syn_poke(s, parked, b);
	syn_mark(s, roots, 2);
	cr_assert(syn_leaked(s, a));
	cr_assert(syn_leaked(s, b));
}

Test(mark, only_the_object_size_is_scanned)
{
	uint64_t roomy = syn_slab(s, SYN_ROOMY, 1), a = syn_take(s, roomy, 0);
	uint64_t in = syn_take(s, slab, 0), out = syn_take(s, slab, 1);

	syn_poke(s, a + 32, in);
	syn_poke(s, a + 40, out);
	syn_mark(s, &a, 1);
	cr_assert(!syn_leaked(s, in));
	cr_assert(syn_leaked(s, out));
}

Test(mark, large_object_is_scanned_to_its_end)
{
	uint64_t large = syn_large(s, 20000), middle = large + 8192;
	uint64_t first = syn_take(s, slab, 0), last = syn_take(s, slab, 1), behind = syn_take(s, slab, 2);

	syn_poke(s, large, first);
	syn_poke(s, large + 19992, last);
	syn_poke(s, large + 20000, behind);
	syn_mark(s, &middle, 1);
	cr_assert(!syn_leaked(s, large));
	cr_assert(!syn_leaked(s, first));
	cr_assert(!syn_leaked(s, last));
	cr_assert(syn_leaked(s, behind));
}

Test(mark, page_blocks_are_roots)
{
	uint64_t pages = syn_pages(s, 2), a = syn_take(s, slab, 0), b = syn_take(s, slab, 1);

	syn_poke(s, pages + 8184, a);
	syn_poke(s, a, b);
	syn_mark(s, NULL, 0);
	cr_assert(!syn_leaked(s, a));
	cr_assert(!syn_leaked(s, b));
}

Test(mark, notrace_objects_are_neither_scanned_nor_reported)
{
	uint64_t notrace = syn_slab(s, SYN_NOTRACE, 1), hidden = syn_take(s, notrace, 0), a = syn_take(s, slab, 0);

	syn_poke(s, hidden, a);
	syn_mark(s, &hidden, 1);
	cr_assert(!syn_leaked(s, hidden));
	cr_assert(syn_leaked(s, a));
}

/* A list through every object of two slabs in random order, longer than the prefetch queue. */
Test(mark, long_list)
{
	uint64_t second = syn_slab(s, SYN_24, 2), all[64 + 341], previous = 0;
	size_t nr = 0;

	for (uint32_t i = 0; i < 64; i++)
		all[nr++] = syn_take(s, slab, i);
	for (uint32_t i = 0; i < 341; i++)
		all[nr++] = syn_take(s, second, i);
	srandom(1);
	for (size_t i = nr - 1; i > 0; i--) {
		size_t k = (size_t)random() % (i + 1);
		uint64_t swap = all[i];

		all[i] = all[k];
		all[k] = swap;
	}
	for (size_t i = 0; i < nr; i++) {
		syn_poke(s, all[i], previous);
		previous = all[i];
	}
	syn_mark(s, &previous, 1);
	cr_assert_eq(s->mark.nr_marked, nr);
}

/* One object that points to all others: the stack holds them at once and no more. */
Test(mark, wide_object_fits_the_stack)
{
	uint64_t large = syn_large(s, 64 * 8 * 8), others = syn_slab(s, SYN_64, 8);

	for (uint32_t i = 0; i < 512; i++)
		syn_poke(s, large + i * 8, syn_take(s, others, i));
	syn_mark(s, &large, 1);
	cr_assert_eq(s->mark.nr_marked, 513);
}
