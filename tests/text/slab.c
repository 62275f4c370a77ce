/* SPDX-License-Identifier: BSD-2-Clause */
/* Every attribute to the byte, from a cache made by hand; torn and missing caches. */
#include "text/arena.h"

#include <dirent.h>
#include <stdlib.h>

#include "text/slab.h"

static char buf[1 << 16];
static struct kmem_slot slots[2 << 10 >> 5]; /* CPU 0 at the start, CPU 1 a KiB behind */
static struct kmem_sheaf sheaf = { .count = 7, .capacity = 60 };

static void setup(void)
{
	struct kmem_cache *s = &caches[1];

	arena_setup(2);
	*s = (struct kmem_cache){
		.percpu = (uintptr_t)slots, .slot_offset = 64, .size = 104, .object_size = 100, .id = 1,
		.state = KMEM_CACHE_LIVE, .objects = 39, .order = 0, .sheaf_capacity = 60, .align = 8,
		.min_partial = 5, .barn_full = 10, .remote_node_defrag_ratio = 1000, .usersize = 12, .refcount = 1, .name = "things",
		.flags = KMEM_CACHE_HWCACHE_ALIGN | KMEM_CACHE_RECLAIM_ACCOUNT,
	};
	slots[0].word = 2;
	slots[32].word = 30;
	nodes[1][0] = (struct kmem_cache_node){ .nr_slabs = 4, .nr_objects = 156, .nr_taken = 100, .nr_partial = 2,
						.partial_head = 1024, .nr_full = 1, .full = { (uintptr_t)&sheaf }, .parked = 7,
						.stat = { .slab_alloc = 9, .slab_free = 5, .refill = 3 } };
	nodes[1][1] = (struct kmem_cache_node){ .nr_slabs = 1, .nr_objects = 39, .nr_taken = 1,
						.stat = { .slab_alloc = 1, .remote_free = 6 } };
	*put_block(1024, KMEM_PAGE_SLAB, 0) = (struct page){ .type = KMEM_PAGE_SLAB, .cache_id = 1, .inuse = 20, .next = 1030 };
	*put_block(1030, KMEM_PAGE_SLAB, 0) = (struct page){ .type = KMEM_PAGE_SLAB, .cache_id = 1, .inuse = 3 };
	caches[2].state = KMEM_CACHE_DEAD;
}

TestSuite(slab, .init = setup);

static const char *attribute(const char *name)
{
	struct text t = text_init(buf, sizeof(buf));
	struct text_cache c;

	cr_assert_eq(text_cache_read(&c, &source, 1), 0);
	cr_assert_eq(text_attribute(&t, &source, &c, name), 0, "%s", name);
	return buf;
}

static const char *name(void *context, uint64_t addr, char *to, size_t len)
{
	(void)context;
	if (addr == 1)
		return NULL;
	snprintf(to, len, "init_once+0x0/0x%lx", addr);
	return to;
}

/* Where code has names. */
static const char *named_attribute(const char *attribute)
{
	const struct text_source named = { &root, read_arena, NULL, name };
	struct text t = text_init(buf, sizeof(buf));
	struct text_cache c;

	cr_assert_eq(text_cache_read(&c, &named, 1), 0);
	cr_assert_eq(text_attribute(&t, &named, &c, attribute), 0);
	return buf;
}

Test(slab, attributes)
{
	static const struct { const char *name, *text; } expect[] = {
		{ "active", "62\n" }, { "aliases", "0\n" }, { "align", "8\n" },
		{ "cached", "39 C0=2 C1=30 N0=7\n" }, { "cache_dma", "0\n" }, { "cpu_partial", "0\n" },
		{ "cpu_slabs", "0\n" }, { "ctor", "" }, { "destroy_by_rcu", "0\n" }, { "hwcache_align", "1\n" },
		{ "min_partial", "5\n" }, { "object_size", "100\n" }, { "objects", "101 N0=100 N1=1\n" },
		{ "objects_partial", "23 N0=23\n" }, { "objs_per_slab", "39\n" }, { "order", "0\n" },
		{ "partial", "2 N0=2\n" }, { "reclaim_account", "1\n" }, { "red_zone", "0\n" },
		{ "sheaf_capacity", "60\n" }, { "slab_size", "104\n" }, { "slabs", "5 N0=4 N1=1\n" },
		{ "slabs_cpu_partial", "0(0)\n" }, { "shrink", "" }, { "validate", "" }, { "total_objects", "195 N0=156 N1=39\n" },
		{ "usersize", "12\n" }, { "alloc_slab", "10 N0=9 N1=1\n" }, { "sheaf_refill", "3 N0=3\n" },
		{ "barn_get", "0\n" }, { "barn_full", "10\n" }, { "remote_node_defrag_ratio", "100\n" },
		{ "remote_free", "6 N1=6\n" },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(expect); i++)
		cr_expect_str_eq(attribute(expect[i].name), expect[i].text, "%s: %s", expect[i].name, buf);
	caches[1].prefill = UINT64_C(9) << 24 | 5;
	cr_expect_str_eq(attribute("cached"), "44 C0=2 C1=30 N0=7 P=5\n");
	cr_expect_str_eq(attribute("active"), "57\n");
	caches[1].guard_allocs = 9;
	caches[1].guard_frees = 6;
	cr_expect_str_eq(attribute("active"), "60\n", "three between guard pages");
	cr_expect_str_eq(attribute("objects"), "101 N0=100 N1=1\n", "which are in no slab");
	caches[1].ctor = 0x1234abcd;
	cr_expect_str_eq(attribute("ctor"), "0x000000001234abcd\n", "without symbols");
	cr_expect_str_eq(named_attribute("ctor"), "init_once+0x0/0x1234abcd\n");
	caches[1].ctor = 1;
	cr_expect_str_eq(named_attribute("ctor"), "0x0000000000000001\n", "no name is known");
}

/* The value of an attribute of cache 2, which shares the slabs of cache 1. */
static const char *of_alias(const char *name)
{
	struct text t = text_init(buf, sizeof(buf));
	struct text_cache c;

	cr_assert_eq(text_cache_read(&c, &source, 2), 0);
	cr_assert_eq(text_attribute(&t, &source, &c, name), 0, "%s", name);
	return buf;
}

Test(slab, merged_caches)
{
	struct text t = text_init(buf, sizeof(buf));

	caches[1].refcount = 2;
	caches[1].folded_allocs = 100;
	caches[1].folded_frees = 40;
	nodes[1][0].stat.alloc = 3;
	caches[2] = (struct kmem_cache){ .state = KMEM_CACHE_LIVE, .id = 2, .root_id = 1, .refcount = 1, .size = 104,
					 .objects = 39, .folded_allocs = 7, .folded_frees = 5, .name = "others" };
	nodes[2][1].stat = (struct kmem_node_stat){ .alloc = 4, .free = 1 };
	cr_expect_str_eq(attribute("aliases"), "1\n");
	cr_expect_str_eq(of_alias("aliases"), "1\n");
	cr_expect_str_eq(of_alias("active"), "5\n");
	cr_expect_str_eq(of_alias("slabs"), "5 N0=4 N1=1\n");
	cr_expect_str_eq(of_alias("objects_partial"), "23 N0=23\n");
	cr_expect_str_eq(of_alias("cached"), "0\n");
	cr_expect_str_eq(of_alias("sheaf_refill"), "0\n");
	slots[0].net = 2; /* nothing was served */
	slots[32].net = 28; /* two frees */
	cr_expect_str_eq(attribute("active"), "61\n");
	cr_assert_eq(text_slabinfo(&t, &source), 0);
	cr_expect_not_null(strstr(buf, "\nothers                 5      0    104   39    1 : tunables    0    0    0 : "
				       "slabdata      0      0      0\n"), "%s", buf);
}

Test(slab, an_unknown_attribute)
{
	struct text t = text_init(buf, sizeof(buf));
	struct text_cache c;

	cr_assert_eq(text_cache_read(&c, &source, 1), 0);
	cr_expect_eq(text_attribute(&t, &source, &c, "colour"), -ENOENT);
	cr_expect_eq(t.len, 0);
}

Test(slab, names_are_sorted_and_each_can_be_read)
{
	const char *name, *before = "";
	enum text_mode mode;
	unsigned int nth;

	for (nth = 0; (name = text_attribute_name(nth, &mode)); nth++) {
		cr_expect_lt(strcmp(before, name), 0, "%s", name);
		cr_expect(mode & (TEXT_READ | TEXT_WRITE));
		attribute(name);
		before = name;
	}
	cr_expect_geq(nth, 30);
}

/* Every file of the running kernel's caches has its counterpart, but for what has no meaning here. */
Test(slab, no_attribute_of_the_kernel_is_missing)
{
	static const char *const without[] = { "skip_kfence" };
	DIR *dir = opendir("/sys/kernel/slab/kmalloc-64");
	struct dirent *entry;
	enum text_mode mode;
	unsigned int nth, i;

	while (dir && (entry = readdir(dir))) {
		const char *name;
		bool found = entry->d_name[0] == '.';

		for (i = 0; i < ARRAY_LEN(without); i++)
			found |= !strcmp(entry->d_name, without[i]);
		for (nth = 0; !found && (name = text_attribute_name(nth, &mode)); nth++)
			found = !strcmp(entry->d_name, name);
		cr_expect(found, "%s", entry->d_name);
	}
	if (dir)
		closedir(dir);
}

Test(slab, only_live_caches)
{
	struct text_cache c;

	cr_expect_eq(text_cache_read(&c, &source, 0), -ENOENT);
	cr_expect_eq(text_cache_read(&c, &source, 2), -ENOENT);
	cr_expect_eq(text_cache_read(&c, &source, 3), -ENOENT);
	cr_expect_eq(text_cache_read(&c, &source, 4), -ENOENT);
}

Test(slab, a_shared_slot_counts)
{
	struct text_cache c;

	caches[1].slot_offset = 0;
	nodes[1][1].shared = (uintptr_t)&slots[32];
	cr_assert_eq(text_cache_read(&c, &source, 1), 0);
	cr_expect_eq(c.cached, 37);
	cr_expect_str_eq(attribute("cached"), "37 N0=7 N1=30\n");
}

Test(slab, a_damaged_list_ends)
{
	pages[kmem_page_place(1030)].next = 1024; /* a ring */
	cr_expect_str_eq(attribute("objects_partial"), "23 N0=23\n");
	pages[1024].next = UINT32_MAX;
	cr_expect_str_eq(attribute("objects_partial"), "20 N0=20\n");
}

Test(slab, slabinfo)
{
	struct text t = text_init(buf, sizeof(buf));

	cr_assert_eq(text_slabinfo(&t, &source), 0);
	cr_expect_not_null(strstr(buf, "\nthings                62    195    104   39    1 : tunables    0    0    0 : "
				       "slabdata      5      5      0\n"), "%s", buf);
}
