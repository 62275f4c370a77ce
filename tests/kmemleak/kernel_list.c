/* SPDX-License-Identifier: BSD-2-Clause */
/* kernel_list.c - which of the kernel's outstanding objects are listed, how they are grouped, which grow. */
#include "kmemleak/kernel_list.h"

#include <criterion/criterion.h>
#include <string.h>

#define SECOND 1000000000ULL
#define CACHE_A 0xffff888000001000ULL
#define CACHE_B 0xffff888000002000ULL
#define MAX     64

static const struct kmem_cache_info caches[] = {
	{ .cache = CACHE_A, .name = "a", .object_size = 100 },
	{ .cache = CACHE_B, .name = "kmalloc-64", .object_size = 64 },
};

static struct kernel_rules rules;
static struct kernel_list list;
static struct kobjects_row rows[MAX];
static const struct kobjects_row *pointers[MAX];
static struct kmem_object_check checks[MAX];
static size_t nr;

static void setup(void)
{
	rules = (struct kernel_rules){
		.since_ns = 100 * SECOND, .until_ns = UINT64_MAX, .now_ns = 150 * SECOND, .min_age_ns = 10 * SECOND,
	};
}

static void teardown(void)
{
	kernel_list_free(&list);
}

TestSuite(kernel_list, .init = setup, .fini = teardown);

static struct kobjects_row *object(uint64_t cache, uint64_t site, uint64_t seconds, uint32_t verdict)
{
	struct kobjects_row *row = &rows[nr];

	*row = (struct kobjects_row){
		.address = 0xffff888100000000 + nr * 64,
		.object = { .cache = cache, .call_site = site, .time_ns = seconds * SECOND, .stack = -1 },
	};
	pointers[nr] = row;
	checks[nr++] = (struct kmem_object_check){ .address = row->address, .cache = cache, .verdict = verdict };
	return row;
}

static void fill(const struct kernel_list *before, uint64_t known)
{
	cr_assert_eq(kernel_list_fill(&list, &rules, pointers, checks, nr, caches, 2), 0);
	cr_assert_eq(kernel_list_group(&list, &rules, before, known), 0);
}

Test(kernel_list, candidates_are_of_the_time_and_old_enough)
{
	cr_assert(kernel_list_candidate(&list, &rules, object(CACHE_A, 1, 100, 0)));
	cr_assert(kernel_list_candidate(&list, &rules, object(CACHE_A, 1, 140, 0)));
	cr_assert_not(kernel_list_candidate(&list, &rules, object(CACHE_A, 1, 99, 0)));
	cr_assert_not(kernel_list_candidate(&list, &rules, object(CACHE_A, 1, 141, 0)));
	rules.until_ns = 120 * SECOND;
	cr_assert_not(kernel_list_candidate(&list, &rules, object(CACHE_A, 1, 121, 0)));
	cr_assert_eq(list.young, 1);
	cr_assert_eq(list.outside, 2);
}

Test(kernel_list, only_what_is_live_is_listed)
{
	object(CACHE_A, 1, 101, KMEM_OBJECT_LIVE);
	object(CACHE_A, 1, 102, KMEM_OBJECT_FREE);
	object(CACHE_A, 1, 103, KMEM_OBJECT_GONE);
	object(CACHE_A, 1, 104, KMEM_OBJECT_WAITING);
	object(CACHE_A, 1, 105, KMEM_OBJECT_UNKNOWN);
	fill(NULL, 0);
	cr_assert_eq(list.nr, 1);
	cr_assert_eq(list.leaks[0].row, &rows[0]);
	cr_assert_eq(list.leaks[0].age_ns, 49 * SECOND);
	cr_assert_eq(list.silent, 2);
	cr_assert_eq(list.waiting, 1);
	cr_assert_eq(list.unknown, 1);
}

Test(kernel_list, sizes_and_names)
{
	struct kobjects_row *kmalloced = object(CACHE_B, 1, 101, 0);

	kmalloced->object.bytes_req = 50;
	cr_assert_eq(kernel_object_bytes(kmalloced, caches, 2), 50);
	cr_assert_eq(kernel_object_bytes(object(CACHE_A, 1, 101, 0), caches, 2), 100);
	cr_assert_eq(kernel_object_bytes(object(7, 1, 101, 0), caches, 2), 0);
	cr_assert_str_eq(kernel_cache_name(CACHE_B, caches, 2), "kmalloc-64");
	cr_assert_str_eq(kernel_cache_name(KMEM_KEY_LARGE, caches, 2), "kmalloc-large");
	cr_assert_str_eq(kernel_cache_name(KMEM_KEY_UNKNOWN, caches, 2), "unknown");
	cr_assert_str_eq(kernel_cache_name(4711, caches, 2), "destroyed");
}

Test(kernel_list, filters)
{
	object(CACHE_A, 1, 101, KMEM_OBJECT_LIVE);
	object(CACHE_B, 1, 101, KMEM_OBJECT_LIVE);
	rules.min_bytes = 65;
	fill(NULL, 0);
	cr_assert_eq(list.nr, 1);
	cr_assert_eq(list.not_asked, 1);
	kernel_list_free(&list);
	rules.min_bytes = 0;
	rules.cache = "kmalloc-*";
	fill(NULL, 0);
	cr_assert_eq(list.nr, 1);
	cr_assert_str_eq(list.leaks[0].cache, "kmalloc-64");
}

Test(kernel_list, groups_by_cache_and_call_site)
{
	object(CACHE_B, 1, 103, KMEM_OBJECT_LIVE);
	object(CACHE_A, 1, 101, KMEM_OBJECT_LIVE);
	object(CACHE_A, 2, 101, KMEM_OBJECT_LIVE);
	object(CACHE_A, 1, 139, KMEM_OBJECT_LIVE)->object.stack = 5;
	fill(NULL, 0);
	cr_assert_eq(list.nr_groups, 3);
	cr_assert_eq(list.groups[0].nr, 2, "most bytes first");
	cr_assert_eq(list.groups[0].bytes, 200);
	cr_assert_eq(list.groups[0].oldest_ns, 49 * SECOND);
	cr_assert_eq(list.groups[0].youngest_ns, 11 * SECOND);
	cr_assert_eq(list.groups[0].stack, 5);
	cr_assert_eq(list.groups[1].call_site, 2);
	cr_assert_eq(list.groups[2].cache_key, CACHE_B);
	cr_assert_eq(list.bytes, 364);
}

Test(kernel_list, steady_is_what_comes_in_every_quarter)
{
	/* Judged are 40 s, from 100 to 140. */
	for (unsigned int i = 0; i < 4; i++)
		object(CACHE_A, 1, 101 + 10 * i, KMEM_OBJECT_LIVE);
	for (unsigned int i = 0; i < 4; i++)
		object(CACHE_B, 1, 101 + i, KMEM_OBJECT_LIVE);
	object(CACHE_B, 1, 140, KMEM_OBJECT_LIVE);
	fill(NULL, 0);
	cr_assert(kernel_group_is_steady(&list.groups[0]));
	cr_assert_not(kernel_group_is_steady(&list.groups[1]));
	cr_assert_eq(list.groups[1].quarters, 1 << 0 | 1 << 3);
}

Test(kernel_list, objects_of_silent_caches_are_unsure)
{
	const uint64_t silent = CACHE_B;

	rules.unsure = &silent;
	rules.nr_unsure = 1;
	object(CACHE_A, 1, 101, KMEM_OBJECT_LIVE);
	object(CACHE_B, 1, 101, KMEM_OBJECT_LIVE);
	fill(NULL, 0);
	cr_assert_eq(list.nr_unsure, 1);
	cr_assert_not(list.groups[0].unsure);
	cr_assert(list.groups[1].unsure);
}

Test(kernel_list, growth_is_against_the_scan_before)
{
	struct kernel_group groups[] = {
		{ .cache_key = CACHE_A, .call_site = 1, .nr = 3 },
		{ .cache_key = CACHE_B, .call_site = 1, .nr = 1 },
	};
	const struct kernel_list before = { .groups = groups, .nr_groups = 2 };

	object(CACHE_A, 1, 101, KMEM_OBJECT_LIVE);
	object(CACHE_B, 1, 101, KMEM_OBJECT_LIVE);
	object(CACHE_B, 1, 120, KMEM_OBJECT_LIVE);
	object(CACHE_B, 2, 101, KMEM_OBJECT_LIVE);
	fill(&before, 110 * SECOND);
	cr_assert_eq(list.groups[0].growth, 1, "kmalloc-64, site 1: 2 after 1");
	cr_assert_eq(list.groups[1].growth, -2);
	cr_assert_eq(list.groups[2].growth, 1);
	cr_assert_eq(list.nr_known, 3);
}
