/* SPDX-License-Identifier: BSD-2-Clause */
/* The public calls on objects, and test_meminit's matrix over sizes, constructors and zeroing. */
#include "support.h"

#include "base/trace.h"
#include "slab/kmalloc.h"

static struct kmem_cache *cache(unsigned int size)
{
	struct kmem_cache *s = kmem_cache_create("object", size, 0, 0, NULL);

	cr_assert_not_null(s);
	return s;
}

static unsigned int ctor_size;

static void pattern(void *object)
{
	memset(object, 0x3c, ctor_size);
}

Test(object, allocation_and_free_balance)
{
	struct kmem_cache *s = cache(40);
	void *object = kmem_cache_alloc(s, GFP_KERNEL);

	cr_assert_not_null(object);
	ASSERT_BALANCED(s, 1);
	kmem_cache_free(s, object);
	kmem_cache_free(s, NULL);
	ASSERT_BALANCED(s, 0);
}

Test(object, nodes_other_than_0_are_a_wish)
{
	struct kmem_cache *s = cache(40);

	cr_expect_not_null(kmem_cache_alloc_node(s, GFP_KERNEL, 0));
	cr_expect_not_null(kmem_cache_alloc_node(s, GFP_KERNEL, -1));
	cr_expect_not_null(kmem_cache_alloc_node(s, GFP_KERNEL, 3));
	cr_expect_null(kmem_cache_alloc_node(s, GFP_KERNEL | __GFP_THISNODE, 3));
	ASSERT_BALANCED(s, 3);
}

Test(object, without_reclaim_there_must_be_memory, .init = start_empty)
{
	struct kmem_cache *s = cache(40);
	void *object;

	cr_expect_null(kmem_cache_alloc(s, GFP_NOWAIT));
	object = kmem_cache_alloc(s, GFP_KERNEL);
	cr_expect_not_null(kmem_cache_alloc(s, GFP_ATOMIC));
	kmem_cache_free(s, object);
	ASSERT_BALANCED(s, 1);
}

/* test_meminit: caches of 8 .. 4096 bytes, each way of asking, memory dirtied in between. */
static void matrix(unsigned int size, bool ctor, bool zero, bool bulk)
{
	struct kmem_cache *s;
	uint8_t *object[100];
	int round, i;

	ctor_size = size;
	s = kmem_cache_create("matrix", size, 0, 0, ctor ? pattern : NULL);
	cr_assert_not_null(s);
	for (round = 0; round < 4; round++) {
		gfp_t gfp = zero ? GFP_KERNEL | __GFP_ZERO : GFP_KERNEL;
		int nr = round & 1 ? 10 : 100;

		if (bulk)
			cr_assert_eq(kmem_cache_alloc_bulk(s, gfp, (size_t)nr, (void **)object), nr);
		for (i = 0; i < nr; i++) {
			if (!bulk)
				object[i] = kmem_cache_alloc(s, gfp);
			cr_assert_not_null(object[i]);
			cr_assert_eq((uintptr_t)object[i] % 8, 0);
			if (ctor)
				cr_assert(all_bytes(object[i], size, 0x3c), "%u: constructed state lost", size);
			else if (zero)
				cr_assert(all_bytes(object[i], size, 0), "%u: not zero", size);
			if (!ctor)
				memset(object[i], 0xd1 + i, size);
		}
		for (i = 0; i < nr && !ctor; i++)
			cr_assert(all_bytes(object[i], size, (uint8_t)(0xd1 + i)), "%u: overlap", size);
		if (bulk)
			kmem_cache_free_bulk(s, (size_t)nr, (void **)object);
		for (i = 0; i < nr && !bulk; i++)
			kmem_cache_free(s, object[i]);
	}
	ASSERT_BALANCED(s, 0);
	cr_assert_eq(kmem_cache_destroy(s), 0);
}

static void matrix_sizes(bool ctor, bool zero)
{
	unsigned int size;

	for (size = 8; size <= 4096; size *= 2) {
		matrix(size, ctor, zero, false);
		matrix(size, ctor, zero, true);
		matrix(size - 3, ctor, zero, false);
		matrix(size + size / 2, ctor, zero, true);
	}
}

Test(object, meminit_plain)
{
	matrix_sizes(false, false);
}

Test(object, meminit_zero)
{
	matrix_sizes(false, true);
}

Test(object, meminit_constructor)
{
	matrix_sizes(true, false);
}

Test(object, typesafe_content_survives_free)
{
	struct kmem_cache *s = kmem_cache_create("typesafe", 64, 0, SLAB_TYPESAFE_BY_RCU, NULL);
	uint8_t *object = kmem_cache_alloc(s, GFP_KERNEL);

	memset(object, 0x42, 64);
	kmem_cache_free(s, object);
	cr_expect(all_bytes(object, 64, 0x42), "nothing is written into free objects");
	kmem_cache_shrink(s);
}

Test(object, zalloc_clears)
{
	struct kmem_cache *s = cache(100);
	void *object = kmem_cache_alloc(s, GFP_KERNEL);

	memset(object, 0xff, 100);
	kmem_cache_free(s, object);
	cr_expect(all_bytes(kmem_cache_zalloc(s, GFP_KERNEL), 100, 0));
}

Test(object, hwcache_align_keeps_objects_in_their_lines)
{
	unsigned int size;

	for (size = 1; size <= 300; size += 13) {
		struct kmem_cache *s = kmem_cache_create("line", size, 0, SLAB_HWCACHE_ALIGN, NULL);
		int i;

		for (i = 0; i < 50; i++) {
			uintptr_t object = (uintptr_t)kmem_cache_alloc(s, GFP_KERNEL);

			if (size > 32)
				cr_assert_eq(object % 64, 0);
			else
				cr_assert_eq(object / 64, (object + size - 1) / 64, "%u: crosses a line", size);
		}
	}
}

Test(object, every_alignment_is_kept)
{
	unsigned int align;
	int i;

	for (align = 8; align <= 4096; align *= 2) {
		struct kmem_cache *s = kmem_cache_create("align", 20, align, 0, NULL);

		for (i = 0; i < 100; i++)
			cr_assert_eq((uintptr_t)kmem_cache_alloc(s, GFP_KERNEL) % align, 0);
	}
}

Test(object, objects_of_megabytes)
{
	static const unsigned int sizes[] = { 10000, 70000, 1 << 20, 3 << 20, 4 << 20 };
	size_t i, j;

	for (i = 0; i < ARRAY_LEN(sizes); i++) {
		struct kmem_cache *s = cache(sizes[i]);
		uint8_t *object[5];

		for (j = 0; j < 5; j++) {
			cr_assert_not_null(object[j] = kmem_cache_alloc(s, GFP_KERNEL));
			object[j][0] = object[j][sizes[i] - 1] = (uint8_t)j;
		}
		for (j = 0; j < 5; j++) {
			cr_assert_eq(object[j][0], j);
			cr_assert_eq(object[j][sizes[i] - 1], j);
			kmem_cache_free(s, object[j]);
		}
		ASSERT_BALANCED(s, 0);
		cr_assert_eq(kmem_cache_destroy(s), 0);
	}
}

Test(object, bulk_of_nothing)
{
	struct kmem_cache *s = cache(40);
	void *object[1] = { NULL };

	cr_expect_eq(kmem_cache_alloc_bulk(s, GFP_KERNEL, 0, object), 0);
	kmem_cache_free_bulk(s, 0, object);
	ASSERT_BALANCED(s, 0);
}

Test(object, bulk_free_without_a_cache_finds_each_one_s_own)
{
	struct kmem_cache *a = cache(40), *b = cache(400);
	void *object[4] = { kmem_cache_alloc(a, GFP_KERNEL), kmem_cache_alloc(b, GFP_KERNEL),
			    kmalloc(100000, GFP_KERNEL), NULL };

	kmem_cache_free_bulk(NULL, 4, object);
	ASSERT_BALANCED(a, 0);
	ASSERT_BALANCED(b, 0);
	cr_expect_null(large_of(object[2]));
}

Test(object, the_inline_forms_are_the_same_calls)
{
	struct kmem_cache *s = cache(40);
	void *object[300];
	int i, round;

	for (round = 0; round < 3; round++) {
		for (i = 0; i < 300; i++) {
			object[i] = i % 2 ? kmem_cache_alloc_inline(s, GFP_KERNEL) : kmem_cache_alloc(s, GFP_KERNEL);
			cr_assert_not_null(object[i]);
			memset(object[i], 0xee, 40);
		}
		ASSERT_BALANCED(s, 300);
		for (i = 0; i < 300; i++) {
			if (i % 3)
				kmem_cache_free_inline(s, object[i]);
			else
				kmem_cache_free(s, object[i]);
		}
		ASSERT_BALANCED(s, 0);
	}
	cr_expect(all_bytes(kmem_cache_alloc_inline(s, GFP_KERNEL | __GFP_ZERO), 40, 0));
}

Test(object, traced_calls_do_the_same)
{
	struct kmem_cache *s = cache(40);
	void *object[100], *one;
	unsigned int event;

	for (event = 0; event < TRACE_NR_EVENTS; event++)
		trace_semaphore[event].count = 1;
	one = kmem_cache_alloc(s, GFP_KERNEL | __GFP_ZERO);
	cr_assert(all_bytes(one, 40, 0));
	cr_expect_not_null(kmem_cache_alloc_node(s, GFP_KERNEL, 0));
	cr_expect_not_null(kmem_cache_alloc_inline(s, GFP_KERNEL));
	cr_assert_eq(kmem_cache_alloc_bulk(s, GFP_KERNEL, 100, object), 100);
	ASSERT_BALANCED(s, 103);
	kmem_cache_free_inline(s, one);
	kmem_cache_free(s, NULL);
	kmem_cache_free_bulk(s, 50, object);
	kmem_cache_free_bulk(NULL, 50, object + 50);
	ASSERT_BALANCED(s, 2);
}
