/* SPDX-License-Identifier: BSD-2-Clause */
/* One slab and its bitmap: take, put, and what a bad put is told. */
#include "support.h"

#include "page/buddy.h"
#include "slab/slab.h"

static unsigned int constructed;

static void mark(void *object)
{
	memset(object, 0x77, 100);
	constructed++;
}

static struct kmem_cache *cache(unsigned int size)
{
	struct kmem_cache *s = kmem_cache_create("slab", size, 0, 0, NULL);

	cr_assert_not_null(s);
	return s;
}

static struct page *slab(struct kmem_cache *s)
{
	bool fell_back;
	struct page *page = slab_new(s, GFP_KERNEL, -1, &fell_back);

	cr_assert_not_null(page);
	cr_assert_not(fell_back);
	return page;
}

Test(slab, a_new_slab_is_described_on_all_its_pages)
{
	struct kmem_cache *s = cache(1000);
	struct page *page = slab(s);
	uint8_t *base = page_to_addr(page);
	uint32_t i;

	cr_expect_eq(page->type, KMEM_PAGE_SLAB);
	cr_expect_eq(page->cache_id, s->id);
	cr_expect_eq(page->inuse, 0);
	cr_expect_eq(page->objects, s->objects);
	cr_expect_gt(page->nr_pages, 1);
	for (i = 0; i < page->nr_pages; i++) {
		cr_expect_eq(*addr_to_id(base + i * PAGE_SIZE), s->id);
		cr_expect_eq(slab_of(base + i * PAGE_SIZE + 17), page);
	}
	cr_expect_eq(page->fresh, 0);
	cr_expect(all_bytes(page_bitmap(page), slab_bitmap_words(page) * 8, 0));
}

Test(slab, the_constructor_runs_once_for_every_object)
{
	struct kmem_cache *s = kmem_cache_create("ctor", 100, 0, 0, mark);
	struct page *page = slab(s);
	uint32_t i;

	cr_expect_eq(constructed, page->objects);
	for (i = 0; i < page->objects; i++)
		cr_expect(all_bytes(slab_object(s, page, i), 100, 0x77));
}

Test(slab, objects_are_taken_once_each_until_it_is_full)
{
	struct kmem_cache *s = cache(24); /* 170 objects: three words, the last not full */
	struct page *page = slab(s);
	void *object[512];
	uint32_t i;

	cr_assert_eq(page->objects, 170);
	cr_expect_eq(slab_take(s, page, object, 100), 100);
	cr_expect_eq(page->inuse, 100);
	cr_expect_eq(slab_take(s, page, object + 100, 400), 70);
	cr_expect_eq(slab_take(s, page, object, 1), 0);
	for (i = 0; i < 170; i++) {
		cr_expect_eq(object[i], slab_object(s, page, i));
		cr_expect(slab_object_taken(s, page, object[i]));
	}
	cr_expect_eq(page->fresh, 170);
	cr_expect_eq(kmem_slab_taken(page, *slab_word(page, 2), 2), (UINT64_C(1) << 42) - 1);
	cr_expect(all_bytes(page_bitmap(page), KMEM_BITMAP_BYTES, 0), "nothing is written before an object comes back");
}

Test(slab, what_is_put_back_is_taken_again)
{
	struct kmem_cache *s = cache(24);
	struct page *page = slab(s);
	void *object[170], *again[170];

	slab_take(s, page, object, 170);
	cr_expect_eq(slab_put(s, page, object[150]), SLAB_PUT_OK);
	cr_expect_eq(slab_put(s, page, object[3]), SLAB_PUT_OK);
	cr_expect_eq(page->inuse, 168);
	cr_expect_not(slab_object_taken(s, page, object[3]));
	cr_expect_eq(slab_take(s, page, again, 170), 2);
	cr_expect_eq(again[0], object[3]);
	cr_expect_eq(again[1], object[150]);
}

Test(slab, a_double_put_is_told_apart)
{
	struct kmem_cache *s = cache(64);
	struct page *page = slab(s);
	void *object[2];

	slab_take(s, page, object, 2);
	cr_expect_eq(slab_put(s, page, object[0]), SLAB_PUT_OK);
	cr_expect_eq(slab_put(s, page, object[0]), SLAB_PUT_DOUBLE_FREE);
	cr_expect_eq(slab_put(s, page, slab_object(s, page, 9)), SLAB_PUT_DOUBLE_FREE, "never taken");
	cr_expect_eq(page->inuse, 1);
}

Test(slab, a_bad_pointer_changes_nothing)
{
	struct kmem_cache *s = cache(24);
	struct page *page = slab(s);
	void *object[170];
	uint8_t *base = page_to_addr(page);

	slab_take(s, page, object, 170);
	cr_expect_eq(slab_put(s, page, base + 1), SLAB_PUT_BAD_POINTER);
	cr_expect_eq(slab_put(s, page, base + 25), SLAB_PUT_BAD_POINTER);
	cr_expect_eq(slab_put(s, page, base + 170 * 24), SLAB_PUT_BAD_POINTER, "the rest behind the objects");
	cr_expect_eq(slab_put(s, page, base + 4095), SLAB_PUT_BAD_POINTER);
	cr_expect_eq(page->inuse, 170);
}

Test(slab, the_index_is_exact_for_every_size)
{
	static const unsigned int sizes[] = { 8, 24, 40, 56, 96, 136, 192, 200, 344, 632, 1000, 1368, 2040, 4104, 10000, 40000, 300000 };
	size_t i;

	for (i = 0; i < ARRAY_LEN(sizes); i++) {
		struct kmem_cache *s = cache(sizes[i]);
		struct page *page = slab(s);
		uint32_t index;

		for (index = 0; index < page->objects; index++) {
			uint8_t *object = slab_object(s, page, index);

			cr_assert_eq(slab_object_index(s, page, object), index);
			cr_assert_eq(slab_object_index(s, page, object + s->size - 1), index);
		}
	}
}

Test(slab, a_released_slab_is_nobody_s)
{
	struct kmem_cache *s = cache(512);
	struct page *page = slab(s);
	uint8_t *base = page_to_addr(page);
	uint32_t nr = page->nr_pages, i;

	slab_release(s, page);
	for (i = 0; i < nr; i++) {
		cr_expect_eq(*addr_to_id(base + i * PAGE_SIZE), KMEM_ID_NONE);
		cr_expect_null(slab_of(base + i * PAGE_SIZE));
	}
	drain_all_pages();
	cr_expect_eq(zones[0].free_pages, zones[0].present_pages);
}

Test(slab, addresses_elsewhere_are_in_no_slab)
{
	void *large = kmalloc(100000, GFP_KERNEL);
	struct page *pages = alloc_pages(GFP_KERNEL, 2);
	int local;

	cr_expect_null(slab_of(&local));
	cr_expect_null(slab_of(NULL));
	cr_expect_null(slab_of(large));
	cr_expect_null(slab_of((uint8_t *)large + 50000));
	cr_expect_null(slab_of(page_address(pages)));
	cr_expect_null(slab_of((uint8_t *)page_address(pages) + 3 * PAGE_SIZE));
}

/* The tail descriptors of a slab that was there before must not lead into a large object. */
Test(slab, large_memory_over_an_old_slab_is_in_no_slab)
{
	struct kmem_cache *s = cache(2048);
	struct page *page = slab(s);
	uint8_t *base = page_to_addr(page), *large;
	size_t i;

	cr_assert_eq(page->nr_pages, 8);
	slab_release(s, page);
	drain_all_pages();
	large = kmalloc((size_t)4 << 20, GFP_KERNEL);
	cr_assert(base >= large && base < large + ((size_t)4 << 20));
	for (i = 0; i < (size_t)4 << 20; i += PAGE_SIZE)
		cr_assert_null(slab_of(large + i));
}

Test(slab, without_large_blocks_the_smallest_order_serves)
{
	struct kmem_cache *s = cache(1024);
	struct page *keep[1024] = { NULL }, *page;
	bool fell_back;

	cr_assert_gt(s->order, s->min_order);
	cr_assert_eq(alloc_pages_bulk(GFP_KERNEL, 1024, keep), 1024);
	take_the_rest();
	__free_page(keep[5]);
	drain_all_pages();
	page = slab_new(s, GFP_NOWAIT, -1, &fell_back);
	cr_assert_not_null(page);
	cr_expect(fell_back);
	cr_expect_eq(page->order, s->min_order);
	cr_expect_eq(page->objects, s->min_objects);
	cr_expect_null(slab_new(s, GFP_NOWAIT, -1, &fell_back));
}

Test(slab, reclaimable_caches_use_reclaimable_blocks)
{
	struct kmem_cache *s = kmem_cache_create("rcl", 64, 0, SLAB_RECLAIM_ACCOUNT, NULL);
	struct page *page = slab(s);

	cr_expect_eq(page->migratetype, MIGRATE_RECLAIMABLE);
	cr_expect_eq(arena.pageblock[page_index(page) >> PAGEBLOCK_ORDER], MIGRATE_RECLAIMABLE);
}

Test(slab, random_order)
{
	void *p[1024], *q[1024], *pair[2];
	struct kmem_cache *s;
	struct page *page;
	uint32_t nr, i, rises = 0;
	bool fell_back;

	cache_set_random_order(true);
	s = kmem_cache_create("shuffled", 32, 0, 0, NULL);
	cache_set_random_order(false);
	page = slab_new(s, GFP_KERNEL, -1, &fell_back);
	cr_assert_eq(page->objects, 128);
	/* In pieces: none twice, none left out. */
	nr = slab_take(s, page, p, 50);
	nr += slab_take(s, page, p + nr, 1000);
	cr_expect_eq(nr, 128);
	cr_expect_eq(page->inuse, 128);
	cr_expect_eq(slab_take(s, page, pair, 2), 0);
	for (i = 1; i < nr; i++)
		rises += (uintptr_t)p[i] == (uintptr_t)p[i - 1] + 32;
	cr_expect_lt(rises, 100, "%u of 127 follow each other", rises);
	cr_expect_eq(slab_put_run(s, page, p, nr), nr);
	/* Another slab, another order. */
	page = slab_new(s, GFP_KERNEL, -1, &fell_back);
	slab_take(s, page, q, 128);
	for (i = 0; i < 128; i++)
		if (slab_object_index(s, slab_of(p[i]), p[i]) != slab_object_index(s, page, q[i]))
			break;
	cr_expect_lt(i, 128);
	cr_expect_eq(slab_put_run(s, page, q, 128), 128);
}

/* ---- colour ---- */

static struct kmem_cache *coloured(unsigned int size, unsigned int align, slab_flags_t flags)
{
	struct kmem_cache_args args = { .align = align, .colour = true };
	struct kmem_cache *s = kmem_cache_create("coloured", size, &args, flags);

	cr_assert_not_null(s);
	return s;
}

/* Every object of a slab: where it should be, found from all its bytes, taken and put once. */
static void check_objects(struct kmem_cache *s, struct page *page, uint32_t colour)
{
	uint8_t *base = (uint8_t *)page_to_addr(page) + colour;
	void *object[1024];
	uint32_t i;

	cr_assert_eq(page->offset, colour);
	cr_assert_leq(colour + page->objects * s->size, PAGE_SIZE << page->order);
	cr_assert_eq(slab_take(s, page, object, 1024), page->objects);
	for (i = 0; i < page->objects; i++) {
		cr_expect_eq(object[i], base + i * s->size);
		cr_expect_eq((uintptr_t)object[i] & s->address_mask, 0);
		cr_expect_eq(slab_object_index(s, page, object[i]), i);
		cr_expect_eq(slab_object_index(s, page, (uint8_t *)object[i] + s->size - 1), i);
		cr_expect(slab_object_taken(s, page, object[i]));
		cr_expect_eq(slab_put(s, page, (uint8_t *)object[i] + 8), SLAB_PUT_BAD_POINTER);
	}
	if (colour) {
		cr_expect_eq(slab_put(s, page, page_to_addr(page)), SLAB_PUT_BAD_POINTER, "in front of the first");
		cr_expect_eq(slab_put(s, page, base - 8), SLAB_PUT_BAD_POINTER);
	}
	cr_expect_eq(slab_put_run(s, page, object, page->objects), page->objects);
	cr_expect_eq(page->inuse, 0);
}

Test(slab, colours_go_round_through_the_rest)
{
	struct kmem_cache *s = coloured(700, 0, 0);
	uint32_t rest = (uint32_t)(PAGE_SIZE << s->order) - s->objects * s->size, i;

	cr_expect_eq(s->colour_off, 64);
	cr_expect_eq(s->address_mask, 63);
	for (i = 0; i < 3 * (rest / 64 + 1); i++)
		check_objects(s, slab(s), i % (rest / 64 + 1) * 64);
	cr_expect_gt(rest / 64, 1);
}

Test(slab, colours_keep_the_alignment)
{
	struct kmem_cache *s = coloured(2500, 256, 0);
	uint32_t rest = (uint32_t)(PAGE_SIZE << s->order) - s->objects * s->size, i;

	cr_expect_eq(s->colour_off, 256);
	cr_expect_eq(s->address_mask, 255);
	cr_expect_gt(rest / 256, 1);
	for (i = 0; i < 4; i++)
		check_objects(s, slab(s), i % (rest / 256 + 1) * 256);
}

Test(slab, without_a_rest_there_is_one_colour)
{
	struct kmem_cache *s = coloured(4096, 0, 0);

	cr_expect_eq(s->address_mask, 63, "colours decide");
	check_objects(s, slab(s), 0);
	check_objects(s, slab(s), 0);
}

Test(slab, without_being_asked_for_none)
{
	struct kmem_cache *s = cache(700);

	check_objects(s, slab(s), 0);
	check_objects(s, slab(s), 0);
}

Test(slab, constructors_see_the_objects_behind_the_colour)
{
	struct kmem_cache_args args = { .ctor = mark, .colour = true };
	struct kmem_cache *s = kmem_cache_create("coloured", 700, &args, 0);
	struct page *page;
	uint32_t i;

	slab(s);
	page = slab(s);
	cr_assert_eq(page->offset, 64);
	for (i = 0; i < page->objects; i++)
		cr_expect(all_bytes(slab_object(s, page, i), 100, 0x77));
}
