/* SPDX-License-Identifier: BSD-2-Clause */
/* kmem_dump_obj(): cache, start, offset and size of what an address belongs to. */
#include "support.h"

static const char *dump(const void *p, bool want)
{
	capture_start();
	cr_expect_eq(kmem_dump_obj(p), want);
	return capture_end();
}

Test(dump, an_object_and_its_inside)
{
	struct kmem_cache *s = kmem_cache_create("dumped", 100, 0, 0, NULL);
	char *p = kmem_cache_alloc(s, GFP_KERNEL), want[256];

	cr_expect(kmem_valid_obj(p));
	cr_expect(kmem_valid_obj(p + 99));
	snprintf(want, sizeof(want), "kmem: %p: slab dumped start %p pointer offset 7 size 100\n", (void *)(p + 7), (void *)p);
	cr_expect_str_eq(dump(p + 7, true), want);
	cr_expect(!kmem_valid_obj(p + 102), "padding between objects");
	cr_expect_neq(strstr(dump(p + 102, true), "not inside an object"), NULL);
	kmem_cache_free(s, p);
	kmem_cache_shrink(s);
	cr_expect(!kmem_valid_obj(p));
}

Test(dump, what_is_no_slab_s)
{
	int local;
	void *large = kmalloc(100000, GFP_KERNEL);

	cr_expect_str_eq(dump(&local, false), "");
	cr_expect_str_eq(dump(large, false), "");
	cr_expect_str_eq(dump(NULL, false), "");
	cr_expect(!kmem_valid_obj(&local) && !kmem_valid_obj(large) && !kmem_valid_obj(NULL));
	kfree(large);
}

Test(dump, with_tracks)
{
	struct kmem_cache *s = kmem_cache_create("tracked", 100, 0, SLAB_STORE_USER, NULL);
	char *p = kmem_cache_alloc(s, GFP_KERNEL), *q = kmem_cache_alloc(s, GFP_KERNEL);

	cr_expect_neq(strstr(dump(p, true), "Allocated in "), NULL);
	kmem_cache_free(s, p);
	cr_expect(!kmem_valid_obj(p));
	cr_expect_neq(strstr(dump(p, true), ": free slab tracked start "), NULL);
	cr_expect_neq(strstr(dump(p, true), "Freed in "), NULL);
	kmem_cache_free(s, q);
}
