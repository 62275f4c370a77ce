/* SPDX-License-Identifier: BSD-2-Clause */
/* copy.c - ranges of this very process, readable and not. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <criterion/criterion.h>

#include "kmemleak/copy.h"

static struct target target;
static struct copy copy;
static uint8_t *from, *to;

#define PAGES 1024u

static void setup(void)
{
	cr_assert_eq(target_open(&target, getpid()), 0, "%s", target.message);
	from = mmap(NULL, PAGES << 12, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	to = mmap(NULL, PAGES << 12, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (size_t i = 0; i < PAGES << 12; i++)
		from[i] = (uint8_t)(i * 7 + (i >> 12));
}

static void teardown(void)
{
	copy_free(&copy);
	target_close(&target);
}

TestSuite(copy, .init = setup, .fini = teardown);

static void add(size_t offset, size_t bytes)
{
	cr_assert_eq(copy_add(&copy, (uintptr_t)from + offset, to + offset, bytes), 0);
}

Test(copy, nothing)
{
	cr_assert_eq(copy_run(&copy, &target, NULL), 0);
	cr_assert_eq(copy.bytes, 0);
}

Test(copy, large_ranges_are_cut_and_adjoining_ones_joined)
{
	add(0, 100);
	add(100, 4000);
	cr_assert_eq(copy.nr, 1);
	add(4100, (PAGES << 12) - 4100);
	cr_assert_eq(copy.nr, 4);
	cr_assert_eq(copy.bytes, PAGES << 12);
	cr_assert_eq(copy_run(&copy, &target, NULL), 0);
	cr_assert_eq(memcmp(from, to, PAGES << 12), 0);
}

Test(copy, ranges_that_do_not_meet_stay_apart)
{
	add(0, 100);
	add(200, 100);
	cr_assert_eq(copy_run(&copy, &target, NULL), 0);
	cr_assert_eq(copy.nr, 2);
	cr_assert_eq(memcmp(from, to, 100), 0);
	cr_assert_eq(to[150], 0);
	cr_assert_eq(memcmp(from + 200, to + 200, 100), 0);
}

Test(copy, inaccessible_pages_are_read_all_the_same)
{
	mprotect(from + (5 << 12), 2 << 12, PROT_NONE);
	add(0, 16 << 12);
	cr_assert_eq(copy_run(&copy, &target, NULL), 0);
	cr_assert_eq(copy.nr_unreadable, 0);
	mprotect(from + (5 << 12), 2 << 12, PROT_READ);
	cr_assert_eq(memcmp(from, to, 16 << 12), 0);
}

Test(copy, with_a_helper)
{
	struct target helper;
	uint8_t *big = mmap(NULL, 64 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *mirror = mmap(NULL, 64 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (size_t i = 0; i < 64 << 20; i += 8)
		*(uint64_t *)(void *)(big + i) = i * 0x9e3779b97f4a7c15u;
	munmap(big + (40 << 20), 4096);
	cr_assert_eq(target_open(&helper, getpid()), 0);
	cr_assert_eq(copy_add(&copy, (uintptr_t)big, mirror, 64 << 20), 0);
	cr_assert_eq(copy_run(&copy, &target, &helper), 0);
	cr_assert_eq(copy.unreadable_bytes, 4096);
	cr_assert_eq(memcmp(big, mirror, 40 << 20), 0);
	cr_assert_eq(memcmp(big + (40 << 20) + 4096, mirror + (40 << 20) + 4096, (24 << 20) - 4096), 0);
	target_close(&helper);
}

Test(copy, holes_are_counted_and_the_rest_arrives)
{
	munmap(from + (5 << 12), 2 << 12);
	add(0, 16 << 12);
	add(600 << 12, 1 << 12);
	cr_assert_eq(copy_run(&copy, &target, NULL), 0);
	cr_assert_eq(copy.nr_unreadable, 1);
	cr_assert_eq(copy.unreadable_bytes, 2 << 12);
	cr_assert_eq(memcmp(from, to, 5 << 12), 0);
	cr_assert_eq(memcmp(from + (7 << 12), to + (7 << 12), 9 << 12), 0);
	cr_assert_eq(to[5 << 12], 0);
	cr_assert_eq(memcmp(from + (600 << 12), to + (600 << 12), 1 << 12), 0);
}
