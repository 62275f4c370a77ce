/* SPDX-License-Identifier: BSD-2-Clause */
/* kmalloc and its family: classes, alignment, sizes, krealloc's rules, whole pages. */
#include "support.h"

#include "base/trace.h"
#include "page/buddy.h"
#include "slab/kmalloc.h"

static const size_t classes[] = { 8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192 };

/* A size that the compiler does not know: it warns of the bad ones and of writes into the bucket's rest. */
static size_t hidden(size_t size)
{
	__asm__("" : "+r"(size));
	return size;
}

static uint64_t free_pages_now(void)
{
	cache_shrink_all();
	drain_all_pages();
	return zones[0].free_pages;
}

Test(kmalloc, sizes_go_to_the_kernel_s_classes)
{
	size_t size, class = 0;

	for (size = 1; size <= KMALLOC_MAX_CACHE_SIZE; size++) {
		if (size > classes[class])
			class++;
		cr_assert_eq(kmalloc_cache(size, GFP_KERNEL)->object_size, classes[class], "%zu", size);
		cr_assert_eq(kmalloc_size_roundup(size), classes[class], "%zu", size);
	}
}

Test(kmalloc, the_caches_have_the_kernel_s_names)
{
	cr_expect_str_eq(kmalloc_cache(8, GFP_KERNEL)->name, "kmalloc-8");
	cr_expect_str_eq(kmalloc_cache(96, GFP_KERNEL)->name, "kmalloc-96");
	cr_expect_str_eq(kmalloc_cache(1024, GFP_KERNEL)->name, "kmalloc-1k");
	cr_expect_str_eq(kmalloc_cache(8192, GFP_KERNEL)->name, "kmalloc-8k");
	cr_expect_str_eq(kmalloc_cache(64, GFP_KERNEL | __GFP_RECLAIMABLE)->name, "kmalloc-rcl-64");
	cr_expect(kmalloc_cache(64, GFP_KERNEL | __GFP_RECLAIMABLE)->flags & SLAB_RECLAIM_ACCOUNT);
}

Test(kmalloc, alignment_of_every_class)
{
	size_t class;
	int i;

	for (class = 0; class < ARRAY_LEN(classes); class++) {
		size_t size = classes[class];
		size_t align = size == 96 ? 32 : size == 192 ? 64 : MIN(size, PAGE_SIZE);

		for (i = 0; i < 200; i++)
			cr_assert_eq((uintptr_t)kmalloc(size, GFP_KERNEL) % align, 0, "kmalloc-%zu", size);
	}
}

Test(kmalloc, whole_pages_are_aligned_to_their_order)
{
	size_t size;

	for (size = 16384; size <= KMALLOC_MAX_SIZE; size *= 2) {
		void *p = kmalloc(size, GFP_KERNEL);

		cr_assert_not_null(p);
		cr_expect_eq((uintptr_t)p % size, 0);
		kfree(p);
	}
}

/* test_meminit: kmalloc of 2^0 .. 2^22. */
Test(kmalloc, meminit_powers_of_two)
{
	unsigned int shift, round;

	for (shift = 0; shift <= 22; shift++) {
		for (round = 0; round < 3; round++) {
			size_t size = (size_t)1 << shift;
			uint8_t *p = kmalloc(size, GFP_KERNEL), *q;

			cr_assert_not_null(p);
			memset(p, 0xb7, size);
			q = kzalloc(size, GFP_KERNEL);
			cr_assert_not_null(q);
			cr_assert(all_bytes(q, size, 0), "2^%u", shift);
			memset(q, 0x55, size);
			cr_assert(all_bytes(p, size, 0xb7));
			kfree(p);
			kfree(q);
			q = kzalloc(size, GFP_KERNEL);
			cr_assert(all_bytes(q, size, 0), "2^%u after a dirty free", shift);
			kfree(q);
		}
	}
	cr_expect_eq(free_pages_now(), zones[0].present_pages);
}

Test(kmalloc, zero_bytes_are_a_pointer_of_their_own)
{
	cr_expect_eq(kmalloc(0, GFP_KERNEL), ZERO_SIZE_PTR);
	cr_expect_eq(kzalloc(0, GFP_KERNEL), ZERO_SIZE_PTR);
	cr_expect_eq(kcalloc(0, 8, GFP_KERNEL), ZERO_SIZE_PTR);
	cr_expect_eq(kmemdup("x", 0, GFP_KERNEL), ZERO_SIZE_PTR);
	cr_expect_eq(ksize(ZERO_SIZE_PTR), 0);
	kfree(ZERO_SIZE_PTR);
	kvfree(ZERO_SIZE_PTR);
	kfree_sensitive(ZERO_SIZE_PTR);
	kfree(NULL);
	kvfree(NULL);
	kfree_sensitive(NULL);
	cr_expect(ZERO_OR_NULL_PTR(NULL));
	cr_expect(ZERO_OR_NULL_PTR(kmalloc(0, GFP_KERNEL)));
}

Test(kmalloc, beyond_4_mib_there_is_nothing)
{
	cr_expect_not_null(kmalloc(KMALLOC_MAX_SIZE, GFP_KERNEL));
	cr_expect_null(kmalloc(KMALLOC_MAX_SIZE + 1, GFP_KERNEL));
	cr_expect_null(kmalloc(hidden(SIZE_MAX), GFP_KERNEL));
	cr_expect_null(kmalloc(hidden(SIZE_MAX / 2), GFP_KERNEL | __GFP_ZERO));
}

Test(kmalloc, arrays_do_not_overflow)
{
	size_t huge = hidden(SIZE_MAX / 2);

	cr_expect_null(kmalloc_array(huge, 3, GFP_KERNEL));
	cr_expect_null(kcalloc(3, huge, GFP_KERNEL));
	cr_expect_eq(ksize(kmalloc_array(10, 10, GFP_KERNEL)), 128);
	cr_expect(all_bytes(kcalloc(10, 10, GFP_KERNEL), 100, 0));
}

Test(kmalloc, only_node_0_exists)
{
	cr_expect_not_null(kmalloc_node(10, GFP_KERNEL, 0));
	cr_expect_not_null(kmalloc_node(10, GFP_KERNEL, 2));
	cr_expect_null(kmalloc_node(10, GFP_KERNEL | __GFP_THISNODE, 2));
}

Test(kmalloc, ksize_is_the_class_or_the_pages)
{
	cr_expect_eq(ksize(NULL), 0);
	cr_expect_eq(ksize(kmalloc(1, GFP_KERNEL)), 8);
	cr_expect_eq(ksize(kmalloc(65, GFP_KERNEL)), 96);
	cr_expect_eq(ksize(kmalloc(8192, GFP_KERNEL)), 8192);
	cr_expect_eq(ksize(kmalloc(8193, GFP_KERNEL)), 16384);
	cr_expect_eq(ksize(kmalloc(100000, GFP_KERNEL)), 131072);
	cr_expect_eq(ksize(kvmalloc((5u << 20) + 1, GFP_KERNEL)), (5u << 20) + 4096);
}

Test(kmalloc, roundup_is_what_ksize_will_say)
{
	static const size_t sizes[] = { 1, 8, 9, 96, 97, 193, 257, 8192, 8193, 20000, 1 << 20, (1 << 20) + 1, 4 << 20 };
	size_t i;

	cr_expect_eq(kmalloc_size_roundup(0), 0);
	cr_expect_eq(kmalloc_size_roundup((4 << 20) + 1), (4 << 20) + 1);
	for (i = 0; i < ARRAY_LEN(sizes); i++) {
		void *p = kmalloc(sizes[i], GFP_KERNEL);

		cr_expect_eq(ksize(p), kmalloc_size_roundup(sizes[i]), "%zu", sizes[i]);
		memset(p, 1, ksize(p));
		kfree(p);
	}
}

Test(kmalloc, kfree_takes_objects_of_any_cache)
{
	struct kmem_cache *s = kmem_cache_create("own", 40, 0, 0, NULL);

	kfree(kmem_cache_alloc(s, GFP_KERNEL));
	ASSERT_BALANCED(s, 0);
}

Test(kmalloc, sensitive_memory_is_cleared)
{
	uint8_t *small = kmalloc(hidden(100), GFP_KERNEL), *big = kmalloc(hidden(50000), GFP_KERNEL);

	memset(small, 0x99, 128);
	memset(big, 0x99, 65536);
	kfree_sensitive(small);
	kfree_sensitive(big);
	/* Nothing is written into free memory, so what is there is what was left. */
	cr_expect(all_bytes(small, 128, 0));
	cr_expect(all_bytes(big, 65536, 0));
}

/* ---- krealloc ---- */

Test(kmalloc, krealloc_of_nothing_allocates)
{
	void *p = krealloc(NULL, 100, GFP_KERNEL), *q = krealloc(ZERO_SIZE_PTR, 100, GFP_KERNEL);

	cr_expect_eq(ksize(p), 128);
	cr_expect_eq(ksize(q), 128);
}

Test(kmalloc, krealloc_to_nothing_frees)
{
	struct kmem_cache *s = kmalloc_cache(100, GFP_KERNEL);
	void *p = kmalloc(100, GFP_KERNEL);

	ASSERT_BALANCED(s, 1);
	cr_expect_eq(krealloc(p, 0, GFP_KERNEL), ZERO_SIZE_PTR);
	ASSERT_BALANCED(s, 0);
	cr_expect_eq(krealloc(NULL, 0, GFP_KERNEL), ZERO_SIZE_PTR);
}

Test(kmalloc, krealloc_keeps_the_place_while_the_bucket_holds)
{
	char *p = kmalloc(100, GFP_KERNEL);

	strcpy(p, "content");
	cr_expect_eq(krealloc(p, 128, GFP_KERNEL), p);
	cr_expect_eq(krealloc(p, 1, GFP_KERNEL), p, "it never shrinks");
	cr_expect_str_eq(p, "content");
}

Test(kmalloc, krealloc_moves_with_the_content)
{
	static const size_t sizes[] = { 10, 100, 1000, 9000, 100000, 2000000 };
	uint8_t *p = kmalloc(5, GFP_KERNEL);
	size_t i, old = 5;

	memset(p, 0x6b, old);
	for (i = 0; i < ARRAY_LEN(sizes); i++) {
		p = krealloc(p, sizes[i], GFP_KERNEL);
		cr_assert_not_null(p);
		cr_assert(all_bytes(p, old, 0x6b));
		memset(p, 0x6b, sizes[i]);
		old = sizes[i];
	}
	kfree(p);
	cr_expect_eq(free_pages_now(), zones[0].present_pages);
}

Test(kmalloc, krealloc_that_fails_leaves_the_old)
{
	char *p = kmalloc(100, GFP_KERNEL);

	strcpy(p, "still here");
	cr_expect_null(krealloc(p, KMALLOC_MAX_SIZE + 1, GFP_KERNEL));
	cr_expect_null(krealloc_array(p, hidden(SIZE_MAX / 2), 3, GFP_KERNEL));
	cr_expect_str_eq(p, "still here");
	ASSERT_BALANCED(kmalloc_cache(100, GFP_KERNEL), 1);
}

Test(kmalloc, krealloc_with_zero_clears_what_is_new)
{
	uint8_t *dirty = kmalloc(hidden(1000), GFP_KERNEL), *p = kzalloc(64, GFP_KERNEL);

	memset(dirty, 0xff, 1024);
	kfree(dirty);
	memset(p, 1, 64);
	p = krealloc(p, 1000, GFP_KERNEL | __GFP_ZERO);
	cr_expect(all_bytes(p, 64, 1));
	cr_expect(all_bytes(p + 64, 1000 - 64, 0));
}

Test(kmalloc, krealloc_array_multiplies)
{
	cr_expect_eq(ksize(krealloc_array(NULL, 100, 10, GFP_KERNEL)), 1024);
}

/* ---- whole pages ---- */

Test(kmalloc, large_objects_are_described)
{
	uint8_t *p = kmalloc(20000, GFP_KERNEL);
	struct page *page = large_of(p);

	cr_assert_not_null(page);
	cr_expect_eq(page->size, 20000);
	cr_expect_eq(large_usable(page), 32768);
	cr_expect_null(large_of(p + 1));
	cr_expect_null(large_of(p + PAGE_SIZE));
	cr_expect_null(large_of(&page));
	kfree(p);
	cr_expect_null(large_of(p));
}

Test(kmalloc, exact_large_objects_return_their_tail)
{
	void *p = large_alloc(5 * PAGE_SIZE, GFP_KERNEL, true, false, -1);

	cr_expect_eq(large_usable(large_of(p)), 5 * PAGE_SIZE);
	cr_expect_eq(free_pages_now(), zones[0].present_pages - 5);
	large_free(large_of(p));
	cr_expect_eq(free_pages_now(), zones[0].present_pages);
}

Test(kmalloc, kvmalloc_goes_beyond_the_buddy)
{
	size_t bytes = (size_t)10 << 20;
	uint8_t *p = kvmalloc(bytes, GFP_KERNEL), *q = kvzalloc(bytes, GFP_KERNEL), *small = kvmalloc(100, GFP_KERNEL);

	cr_assert(p && q && small);
	memset(p, 1, bytes);
	cr_expect(all_bytes(q, bytes, 0));
	cr_expect_eq(ksize(small), 128);
	cr_expect_eq(zones[0].mapped_pages, 2 * bytes / PAGE_SIZE);
	kvfree(p);
	kvfree(q);
	kvfree(small);
	cr_expect_eq(zones[0].mapped_pages, 0);
	cr_expect_not(readable(p));
	cr_expect_null(kvmalloc((size_t)INT32_MAX + 1, GFP_KERNEL));
	cr_expect_null(kvmalloc(bytes, GFP_NOWAIT), "no system call without reclaim");
}

/* ---- copies ---- */

Test(kmalloc, strings_and_memory_are_copied)
{
	static const char text[] = "some text";
	char *a = kstrdup(text, GFP_KERNEL), *b = kstrndup(text, 4, GFP_KERNEL);
	char *c = kstrndup(text, 400, GFP_KERNEL), *d = kmemdup(text, 5, GFP_KERNEL);

	cr_expect_str_eq(a, text);
	cr_expect_str_eq(b, "some");
	cr_expect_str_eq(c, text);
	cr_expect_eq(memcmp(d, text, 5), 0);
	cr_expect_null(kstrdup(NULL, GFP_KERNEL));
	cr_expect_null(kstrndup(NULL, 4, GFP_KERNEL));
	cr_expect_str_eq(kstrdup("", GFP_KERNEL), "");
}

/* ---- traced ---- */

Test(kmalloc, traced_calls_do_the_same)
{
	struct kmem_cache *s = kmalloc_cache(100, GFP_KERNEL);
	unsigned int event;
	uint8_t *p;

	for (event = 0; event < TRACE_NR_EVENTS; event++)
		trace_semaphore[event].count = 1;
	cr_expect_eq(kmalloc(0, GFP_KERNEL), ZERO_SIZE_PTR);
	cr_expect_null(kmalloc(KMALLOC_MAX_SIZE + 1, GFP_KERNEL));
	p = kzalloc(100, GFP_KERNEL);
	cr_expect(all_bytes(p, 100, 0));
	ASSERT_BALANCED(s, 1);
	memset(p, 7, 100);
	p = krealloc(p, 50000, GFP_KERNEL);
	cr_expect(all_bytes(p, 100, 7));
	ASSERT_BALANCED(s, 0);
	kfree(p);
	kvfree(kvmalloc((size_t)5 << 20, GFP_KERNEL));
	kfree(kmalloc_node(100, GFP_KERNEL, 0));
	kfree_sensitive(kmalloc(100, GFP_KERNEL));
	kfree(NULL);
	kfree_watched(kmalloc(100, GFP_KERNEL), NULL);
	ASSERT_BALANCED(s, 0);
	cr_expect_eq(free_pages_now(), zones[0].present_pages);
}

/* ---- misuse ---- */

Test(kmalloc, freeing_foreign_memory_is_a_bug, .signal = SIGABRT)
{
	static const int own = 0;

	kfree(&own);
}

Test(kmalloc, freeing_pages_is_a_bug, .signal = SIGABRT)
{
	kfree((void *)__get_free_page(GFP_KERNEL));
}

Test(kmalloc, freeing_inside_large_memory_is_a_bug, .signal = SIGABRT)
{
	kfree((uint8_t *)kmalloc(20000, GFP_KERNEL) + PAGE_SIZE);
}

Test(kmalloc, freeing_large_memory_twice_is_a_bug, .signal = SIGABRT)
{
	void *p = kmalloc(20000, GFP_KERNEL);

	kfree(p);
	kfree(p);
}

Test(kmalloc, ksize_of_foreign_memory_is_a_bug, .signal = SIGABRT)
{
	static const int own = 0;

	if (ksize(&own))
		exit(0);
}

Test(kmalloc, krealloc_zero_uncovers_zeroes)
{
	uint8_t *p = kmalloc(100, GFP_KERNEL | __GFP_ZERO);

	memset(p, 0x77, 100);
	cr_expect_eq(krealloc(p, 60, GFP_KERNEL | __GFP_ZERO), p, "shrinks in place");
	cr_expect(all_bytes(p, 60, 0x77) && all_bytes(p + 60, 68, 0));
	cr_expect_eq(krealloc(p, 128, GFP_KERNEL | __GFP_ZERO), p, "grows in place");
	cr_expect(all_bytes(p + 60, 68, 0));
	p = krealloc(p, 200, GFP_KERNEL | __GFP_ZERO);
	cr_expect(all_bytes(p, 60, 0x77) && all_bytes(p + 60, 196, 0), "grows and moves");
	kfree(p);
}

struct record {
	unsigned int nr;
	uint64_t entry[];
};

Test(kmalloc, typed)
{
	struct record *r = kzalloc_flex(*r, entry, 10), *big;
	struct kmem_cache *s = kmem_cache_create("s", 8, 0, 0, NULL);
	uint64_t *one = kmalloc_obj(uint64_t), *many = kzalloc_objs(*one, 7, GFP_NOWAIT | __GFP_HIGH);
	volatile size_t huge = SIZE_MAX / 4;
	void *lru = kmem_cache_alloc_lru(s, NULL, GFP_KERNEL);

	cr_expect_eq(ksize(r), 96, "8 + 10 * 8");
	cr_expect_eq(ksize(one), 8);
	cr_expect_eq(ksize(many), 64);
	cr_expect(all_bytes(r, 88, 0) && all_bytes(many, 56, 0));
	cr_expect_null(kmalloc_objs(*one, huge), "the product overflows");
	cr_expect_null(kvmalloc_flex(*r, entry, huge / 2), "the sum overflows");
	big = kvzalloc_flex(*r, entry, 1 << 20);
	cr_expect_not_null(big);
	kvfree(big);
	kfree(r);
	kfree(one);
	kfree(many);
	cr_expect_not_null(lru);
	kfree(lru);
}

Test(kmalloc, ksize_leaves_debug_bytes_out)
{
	struct kmem_cache *s = kmem_cache_create("typesafe", 37, 0, SLAB_TYPESAFE_BY_RCU | SLAB_HWCACHE_ALIGN, NULL);
	void *p = kmem_cache_alloc(s, GFP_KERNEL);

	cr_expect_eq(ksize(p), 40);
	kfree(p);
}

Test(kmalloc, arrays_by_node_and_copies_of_arrays)
{
	static const uint32_t numbers[] = { 1, 2, 3 };
	uint32_t *a = kcalloc_node(3, sizeof(*a), GFP_KERNEL, 0), *b = kmemdup_array(numbers, 3, sizeof(*b), GFP_KERNEL);
	uint32_t *c = kvmemdup(numbers, sizeof(numbers), GFP_KERNEL), *d = kzalloc_node(12, GFP_KERNEL, 0);

	cr_assert(a && b && c && d);
	cr_expect(all_bytes(a, 12, 0));
	cr_expect(all_bytes(d, 12, 0));
	cr_expect_arr_eq(b, numbers, sizeof(numbers));
	cr_expect_arr_eq(c, numbers, sizeof(numbers));
	cr_expect_null(kmemdup_array(numbers, hidden(SIZE_MAX / 2), 3, GFP_KERNEL));
	cr_expect_null(kmalloc_array_node(hidden(SIZE_MAX / 2), 3, GFP_KERNEL, 0));
	kvfree(c);
}

Test(kmalloc, kmemdup_nul_ends_what_has_no_end)
{
	char *s = kmemdup_nul("abcdef", 3, GFP_KERNEL);

	cr_expect_str_eq(s, "abc");
	cr_expect_null(kmemdup_nul(NULL, 3, GFP_KERNEL));
}

Test(kmalloc, kfree_const_leaves_constants_alone)
{
	static const char text[] = "constant";
	const char *copy;

	pin_to(0);
	copy = kstrdup_const(text, GFP_KERNEL);
	cr_expect_str_eq(copy, text);
	kfree_const(copy);
	kfree_const(text);
	kfree_const(NULL);
	cr_expect_eq(kmalloc(9, GFP_KERNEL), copy, "it was freed");
}

static noinline void *wrapper(size_t size)
{
	return kmalloc_track_caller(size, GFP_KERNEL);
}

Test(kmalloc, a_wrapper_s_caller_allocates_for_it)
{
	void *p = wrapper(100), *q = kmalloc_node_track_caller(100, GFP_KERNEL, 0);

	cr_expect_eq(ksize(p), 128);
	cr_expect_eq(ksize(q), 128);
	kfree(p);
	kfree(q);
}
