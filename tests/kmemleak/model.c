/* SPDX-License-Identifier: BSD-2-Clause */
/* model.c - from page descriptors, bitmaps and parked lists to objects. */
#include <criterion/criterion.h>

#include "kmemleak/synthetic.h"

static struct synthetic *s;

static void setup(void)
{
	s = syn_new();
}

static void teardown(void)
{
	syn_free(s);
}

TestSuite(model, .init = setup, .fini = teardown);

static void build(void)
{
	cr_assert_eq(model_build(&s->model, &s->copy), 0);
}

Test(model, empty_heap)
{
	struct model_object o = { 0 };

	build();
	cr_assert_eq(s->model.nr_objects, 0);
	cr_assert(!model_find(&s->model, SYN_BASE, &o));
	cr_assert(!model_find(&s->model, SYN_BASE + 5000, &o));
}

/* Every byte of every object is found, for strides that no shift divides. */
Test(model, find_is_exact_for_all_addresses)
{
	static const uint32_t strides[] = { 8, 24, 40, 56, 96, 192, 328, 1000, 2048, 4096, 12288, 32768 };
	struct model_object o = { 0 };

	for (size_t i = 0; i < sizeof(strides) / sizeof(strides[0]); i++) {
		struct synthetic *t = syn_new();
		uint64_t slab;
		uint32_t objects;

		t->caches[SYN_24].size = t->caches[SYN_24].object_size = strides[i];
		slab = syn_slab(t, SYN_24, 8);
		objects = (8u << 12) / strides[i];
		cr_assert_eq(model_build(&t->model, &t->copy), 0);
		for (uint32_t at = 0; at < 8u << 12; at++) {
			bool found = model_find(&t->model, slab + at, &o);

			cr_assert_eq(found, at / strides[i] < objects, "stride %u at %u", strides[i], at);
			if (found)
				cr_assert_eq(o.index, at / strides[i], "stride %u at %u", strides[i], at);
			if (found)
				cr_assert_eq(SYN_BASE + o.offset, slab + at / strides[i] * strides[i]);
		}
		syn_free(t);
	}
}

/* Slabs beyond the exactness of the reciprocal divide. */
Test(model, big_stride_in_a_big_slab)
{
	struct model_object o = { 0 };
	uint64_t slab;

	s->caches[SYN_24].size = s->caches[SYN_24].object_size = 100000;
	slab = syn_slab(s, SYN_24, 60);
	build();
	cr_assert(model_find(&s->model, slab + 199999, &o));
	cr_assert_eq(o.index, 1);
	cr_assert(!model_find(&s->model, slab + 200000, &o));
}

/* A slab that begins 128 bytes late. */
Test(model, objects_behind_the_colour_of_their_slab)
{
	uint64_t slab = syn_slab(s, SYN_24, 1);
	struct model_object o = { 0 };
	struct page *page = syn_page(s, (slab - SYN_BASE) >> KMEM_PAGE_SHIFT);

	page->offset = 128;
	page->objects = (uint16_t)((4096 - 128) / 24);
	build();
	cr_assert_eq(s->model.nr_damaged, 0);
	for (uint64_t at = 0; at < 4096; at++) {
		bool inside = at >= 128 && at < 128 + page->objects * 24u;

		cr_assert_eq(model_find(&s->model, slab + at, &o), inside, "at %lu", at);
		cr_assert(!inside || o.index == (at - 128) / 24);
		cr_assert(!inside || SYN_BASE + o.offset == slab + 128 + o.index * 24u);
	}
}

Test(model, a_colour_that_leaves_no_room_is_damage)
{
	uint64_t slab = syn_slab(s, SYN_64, 1);

	syn_page(s, (slab - SYN_BASE) >> KMEM_PAGE_SHIFT)->offset = 64;
	build();
	cr_assert_eq(s->model.nr_damaged, 1);
}

Test(model, counts)
{
	uint64_t slab = syn_slab(s, SYN_64, 2), notrace = syn_slab(s, SYN_NOTRACE, 1);

	for (uint32_t i = 0; i < 100; i++)
		syn_take(s, slab, i);
	syn_take(s, notrace, 7);
	syn_large(s, 9000);
	syn_pages(s, 4);
	syn_park(s, slab);
	syn_park(s, slab + 64 * 64);
	build();
	cr_assert_eq(s->model.nr_objects, 99);
	cr_assert_eq(s->model.object_bytes, 98 * 64 + 9000);
	cr_assert_eq(s->model.nr_parked, 2);
	cr_assert_eq(s->model.nr_ignored, 1);
	cr_assert_eq(s->model.nr_root_blocks, 1);
	cr_assert_eq(s->model.nr_damaged, 0);
}

Test(model, parked_objects_are_not_white)
{
	uint64_t slab = syn_slab(s, SYN_64, 1), parked = syn_take(s, slab, 63);
	struct model_object o = { 0 };

	syn_park(s, parked);
	syn_park(s, parked);
	build();
	cr_assert(model_find(&s->model, parked, &o));
	cr_assert(!model_is_white(&s->model, o.number));
	cr_assert_eq(s->model.nr_objects, 0);
}

Test(model, bits_behind_the_last_object_are_cut)
{
	uint64_t slab = syn_slab(s, SYN_24, 1);

	memset(&s->bitmap[kmem_bitmap_word(1, 0)], 0, 64);
	syn_page(s, (slab - SYN_BASE) >> 12)->fresh = UINT32_MAX;
	build();
	cr_assert_eq(s->model.nr_objects, 170);
}

Test(model, objects_that_never_left_their_slab_are_none)
{
	uint64_t slab = syn_slab(s, SYN_24, 1);

	memset(&s->bitmap[kmem_bitmap_word(1, 0)], 0, 64);
	syn_page(s, (slab - SYN_BASE) >> 12)->fresh = 128;
	build();
	cr_assert_eq(s->model.nr_objects, 128);
}

/* Descriptors behind the head of a free or large block mean nothing. */
Test(model, stale_descriptors_inside_blocks_are_skipped)
{
	uint64_t large = syn_large(s, 3 * 4096), slab = syn_slab(s, SYN_64, 1);
	uint64_t first = (large - SYN_BASE) >> 12;
	struct model_object o = { 0 };

	*syn_page(s, first + 1) = *syn_page(s, (slab - SYN_BASE) >> 12);
	syn_page(s, s->next_page)->type = KMEM_PAGE_FREE;
	syn_page(s, s->next_page)->nr_pages = 4;
	syn_page(s, s->next_page + 1)->type = KMEM_PAGE_LARGE;
	syn_page(s, s->next_page + 1)->nr_pages = 1;
	syn_page(s, s->next_page + 1)->size = 100;
	build();
	cr_assert(model_find(&s->model, large + 5000, &o));
	cr_assert_eq(SYN_BASE + o.offset, large);
	cr_assert(!model_find(&s->model, SYN_BASE + ((s->next_page + 1) << 12), &o));
	cr_assert_eq(s->model.nr_damaged, 0);
}

Test(model, damage_is_counted_and_left_out)
{
	uint64_t slab = syn_slab(s, SYN_64, 1);
	uint64_t first = (slab - SYN_BASE) >> 12;

	syn_page(s, first)->objects = 65; /* more than fit */
	syn_page(s, 10)->type = KMEM_PAGE_SLAB;
	syn_page(s, 10)->nr_pages = 1;
	syn_page(s, 10)->cache_id = 200; /* no such cache */
	syn_page(s, 20)->type = KMEM_PAGE_LARGE;
	s->idmap[20] = KMEM_ID_LARGE;
	syn_page(s, 20)->nr_pages = 100000; /* leaves the heap */
	syn_page(s, 20)->size = 5;
	syn_page(s, 30)->type = KMEM_PAGE_FREE; /* of no length */
	syn_page(s, 40)->type = 99;
	syn_park(s, SYN_BASE + 50 * 4096);
	syn_park(s, 12345);
	build();
	cr_assert_eq(s->model.nr_blocks, 1);
	cr_assert_eq(s->model.nr_damaged, 6);
}

/* The object of a debug cache lies behind a red zone, a guarded one somewhere in its page. */
Test(model, objects_that_do_not_begin_where_their_place_does)
{
	uint64_t slab, guarded = syn_large(s, 4096), first = (guarded - SYN_BASE) >> 12;
	struct model_object o;

	s->caches[SYN_64].red_left_pad = 16;
	s->caches[SYN_64].object_size = 24;
	slab = syn_slab(s, SYN_64, 1);
	syn_take(s, slab, 3);
	syn_page(s, first)->flags = KMEM_PG_GUARD;
	syn_page(s, first)->cache_id = SYN_64;
	syn_page(s, first)->size = 100;
	syn_page(s, first)->offset = 3992;
	s->idmap[first] = KMEM_ID_GUARD;
	build();
	cr_assert(model_find(&s->model, slab + 3 * 64 + 5, &o));
	cr_assert_eq(SYN_BASE + o.offset, slab + 3 * 64 + 16);
	cr_assert_eq(s->model.blocks[o.block].bytes, 24);
	cr_assert(model_find(&s->model, guarded, &o));
	cr_assert_eq(SYN_BASE + o.offset, guarded + 3992);
	cr_assert(model_is_white(&s->model, o.number));
	cr_assert_eq(s->model.blocks[o.block].bytes, 100);
	cr_assert_eq(s->model.blocks[o.block].cache_id, SYN_64);
	cr_assert_eq(s->model.nr_objects, 2);
	cr_assert_eq(s->model.object_bytes, 124);
	cr_assert_eq(s->model.nr_damaged, 0);
}

Test(model, a_damaged_guarded_page_is_left_out)
{
	uint64_t first = (syn_large(s, 4096) - SYN_BASE) >> 12;

	syn_page(s, first)->flags = KMEM_PG_GUARD;
	syn_page(s, first)->cache_id = SYN_64;
	syn_page(s, first)->size = 100;
	syn_page(s, first)->offset = 4000; /* beyond its page */
	build();
	cr_assert_eq(s->model.nr_objects, 0);
	cr_assert_eq(s->model.nr_damaged, 1);
}

/* A large object between the page allocator and its owner, on the way out or back. */
Test(model, large_objects_in_flight_are_nobodys)
{
	uint64_t owned = syn_large(s, 9000), flying = syn_large(s, 9000), slab = syn_slab(s, SYN_64, 1);
	struct model_object o;

	s->idmap[(flying - SYN_BASE) >> 12] = KMEM_ID_NONE;
	syn_take(s, slab, 0);
	build();
	cr_assert(model_find(&s->model, owned, &o));
	cr_assert(!model_find(&s->model, flying, &o));
	cr_assert(model_find(&s->model, slab, &o));
	cr_assert_eq(s->model.nr_objects, 2);
	cr_assert_eq(s->model.nr_damaged, 0);
}

Test(model, live_bits_survive_marking)
{
	uint64_t a = syn_take(s, syn_slab(s, SYN_64, 1), 5);
	struct model_object o = { 0 };

	syn_mark(s, &a, 1);
	cr_assert(model_find(&s->model, a, &o));
	cr_assert(!model_is_white(&s->model, o.number));
	cr_assert(model_is_live(&s->model, o.number));
}
