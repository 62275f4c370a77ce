/* SPDX-License-Identifier: BSD-2-Clause */
/* Attributes of live caches are their numbers. */
#include "support.h"

#include <errno.h>
#include <kmem/info.h>

static char buf[4096];

static const char *attribute(struct kmem_cache *s, const char *name)
{
	long len = kmem_slab_sysfs(s, name, buf, sizeof(buf));

	cr_assert_geq(len, 0, "%s", name);
	cr_assert_eq((size_t)len, strlen(buf));
	return buf;
}

static void ctor(void *object)
{
	*(char *)object = 1;
}

Test(sysfs, numbers_of_a_cache)
{
	struct kmem_cache *s = kmem_cache_create("mine", 100, 0, SLAB_HWCACHE_ALIGN, ctor);
	void *object[200];
	unsigned int bytes;
	int end = 0;

	pin_to(0);
	cr_assert_eq(kmem_cache_alloc_bulk(s, GFP_KERNEL, 200, object), 200);
	kmem_cache_free_bulk(s, 50, object);
	cr_expect_str_eq(attribute(s, "object_size"), "100\n");
	cr_expect_str_eq(attribute(s, "slab_size"), "128\n");
	cr_expect_str_eq(attribute(s, "align"), "64\n");
	cr_expect_str_eq(attribute(s, "hwcache_align"), "1\n");
	cr_expect_str_eq(attribute(s, "active"), "150\n");
	cr_expect_eq(sscanf(attribute(s, "ctor"), "ctor+0x0/0x%x%n", &bytes, &end), 1, "%s", attribute(s, "ctor"));
	cr_expect_str_eq(attribute(s, "ctor") + end, "\n", "in the program itself");
	cr_expect_eq(strtoul(attribute(s, "objects"), NULL, 10) - strtoul(attribute(s, "cached"), NULL, 10), 150);
	kmem_cache_shrink(s);
	cr_expect_str_eq(attribute(s, "objects"), "150 N0=150\n");
	cr_expect_str_eq(attribute(s, "cached"), "0\n");
}

Test(sysfs, partial_slabs)
{
	struct kmem_cache *s = kmem_cache_create("mine", 1024, 0, 0, NULL);
	struct kmem_cache_stat stat;
	void *object[100];
	char want[64];

	cr_assert_eq(kmem_cache_alloc_bulk(s, GFP_KERNEL, 100, object), 100);
	kmem_cache_free_bulk(s, 10, object);
	kmem_cache_shrink(s);
	kmem_cache_stat(s, &stat);
	cr_assert_gt(stat.partial, 0);
	snprintf(want, sizeof(want), "%lu N0=%lu\n", (unsigned long)stat.partial, (unsigned long)stat.partial);
	cr_expect_str_eq(attribute(s, "partial"), want);
	cr_expect_lt(strtoul(attribute(s, "objects_partial"), NULL, 10), stat.partial * s->objects);
}

Test(sysfs, every_attribute_can_be_read)
{
	struct kmem_cache *s = kmem_cache_create("mine", 8, 0, 0, NULL);
	unsigned int nth;

	for (nth = 0; kmem_slab_attribute(nth); nth++)
		attribute(s, kmem_slab_attribute(nth));
	cr_expect_geq(nth, 30);
	cr_expect_eq(kmem_slab_sysfs(s, "colour", buf, sizeof(buf)), -ENOENT);
}
