/* SPDX-License-Identifier: BSD-2-Clause */
/* kmem_buckets: sizes, alignment, isolation, windows, destruction. */
#include "support.h"

#include "slab/kmalloc.h"

Test(buckets, sizes_and_isolation)
{
	struct kmem_buckets *b = kmem_buckets_create("mine", 0, 0, UINT32_MAX, NULL);
	size_t size;

	cr_assert_not_null(b);
	for (size = 1; size <= KMALLOC_MAX_CACHE_SIZE; size += size / 3 + 1) {
		void *p = kmem_buckets_alloc(b, size, GFP_KERNEL | __GFP_ZERO), *q = kmalloc(size, GFP_KERNEL);

		cr_expect(all_bytes(p, size, 0));
		cr_expect_eq(ksize(p), kmalloc_size_roundup(size));
		cr_expect_neq(slab_of(p), slab_of(q));
		cr_expect_eq(strncmp(cache_by_id(slab_of(p)->cache_id)->name, "mine-", 5), 0);
		if (is_pow2(size))
			cr_expect_eq((uintptr_t)p % size % PAGE_SIZE, 0);
		kfree(p);
		kfree(q);
	}
	cr_expect_eq(kmem_buckets_destroy(b), 0);
}

Test(buckets, beyond_the_classes)
{
	struct kmem_buckets *b = kmem_buckets_create("mine", 0, 0, 0, NULL);
	void *p = kmem_buckets_valloc(b, 5 << 20, GFP_KERNEL), *q = kmem_buckets_alloc(b, 20000, GFP_KERNEL);

	cr_expect_not_null(p);
	cr_expect_not_null(q);
	cr_expect_eq(kmem_buckets_alloc(b, 0, GFP_KERNEL), ZERO_SIZE_PTR);
	kvfree(p);
	kfree(q);
	p = kmem_buckets_alloc(NULL, 100, GFP_KERNEL);
	cr_expect_str_eq(cache_by_id(slab_of(p)->cache_id)->name, "kmalloc-128");
	kfree(p);
	cr_expect_eq(kmem_buckets_destroy(b), 0);
	cr_expect_eq(kmem_buckets_destroy(NULL), 0);
}

Test(buckets, window)
{
	struct kmem_buckets *b = kmem_buckets_create("mine", 0, 16, 100, NULL);
	char *small = kmem_buckets_alloc(b, 8, GFP_KERNEL), *middle = kmem_buckets_alloc(b, 64, GFP_KERNEL);
	char *large = kmem_buckets_alloc(b, 256, GFP_KERNEL);

	capture_start();
	cr_expect(!kmem_check_usercopy(small, 1, true));
	cr_expect(kmem_check_usercopy(middle + 16, 48, true));
	cr_expect(kmem_check_usercopy(large + 16, 100, true));
	cr_expect(!kmem_check_usercopy(large + 16, 101, true));
	capture_end();
	kfree(small);
	kfree(middle);
	kfree(large);
	cr_expect_eq(kmem_buckets_destroy(b), 0);
}

Test(buckets, destroy_reports_what_is_left)
{
	struct kmem_buckets *b = kmem_buckets_create("mine", 0, 0, 0, NULL);
	void *left = kmem_buckets_alloc(b, 100, GFP_KERNEL);

	cr_assert_not_null(left);
	capture_start();
	cr_expect_eq(kmem_buckets_destroy(b), 1);
	cr_expect_neq(strstr(capture_end(), "mine-128"), NULL);
}

Test(buckets, track_caller_names_the_caller)
{
	struct kmem_buckets *b = kmem_buckets_create("mine", 0, 0, 0, NULL);
	void *p = kmem_buckets_alloc_track_caller(b, 100, GFP_KERNEL, b);

	cr_expect_not_null(p);
	kfree(p);
	cr_expect_eq(kmem_buckets_destroy(b), 0);
}
