/* SPDX-License-Identifier: BSD-2-Clause */
/* populated.c - of a large mapping only the pages that were written remain. */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <criterion/criterion.h>

#include "kmemleak/roots.h"

static struct roots roots;
static struct target_map map = { .perms = TARGET_READ | TARGET_WRITE, .path = "" };

static char *make(size_t pages, int fd, enum root_kind kind)
{
	char *p = mmap(NULL, pages << 12, PROT_READ | PROT_WRITE, MAP_PRIVATE | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);
	struct root_range range = { .start = (uintptr_t)p, .end = (uintptr_t)p + (pages << 12), .kind = kind,
				    .map = &map };

	cr_assert_neq(p, MAP_FAILED);
	madvise(p, pages << 12, MADV_NOHUGEPAGE);
	cr_assert_eq(roots_add(&roots, &range), 0);
	return p;
}

static void expect(size_t i, const char *start, size_t bytes)
{
	cr_assert_lt(i, roots.nr);
	cr_assert_eq(roots.ranges[i].start, (uintptr_t)start);
	cr_assert_eq(roots.ranges[i].end, (uintptr_t)start + bytes);
}

static void teardown(void)
{
	roots_free(&roots);
}

TestSuite(populated, .fini = teardown);

Test(populated, untouched_pages_drop_out)
{
	char *p = make(100000, -1, ROOT_ANONYMOUS);

	p[5 << 12] = 1;
	p[6 << 12] = 1;
	p[99999 << 12] = 1;
	cr_assert_eq(roots_populated(&roots, getpid()), 0);
	cr_assert(roots.populated_known);
	cr_assert_eq(roots.nr, 2);
	expect(0, p + (5 << 12), 2 << 12);
	expect(1, p + (99999l << 12), 1 << 12);
}

Test(populated, the_ends_of_a_range_are_kept)
{
	char *p = make(4, -1, ROOT_STACK);

	memset(p, 1, 4 << 12);
	roots.ranges[0].start += 0x128;
	roots.ranges[0].end -= 0x10;
	cr_assert_eq(roots_populated(&roots, getpid()), 0);
	cr_assert_eq(roots.nr, 1);
	expect(0, p + 0x128, (4 << 12) - 0x138);
}

Test(populated, file_pages_count_only_when_written)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	char *p = make(8, fd, ROOT_DATA);
	volatile char sum = 0;

	for (int i = 0; i < 8; i++)
		sum = (char)(sum + p[i << 12]);
	p[3 << 12] = 1;
	cr_assert_eq(roots_populated(&roots, getpid()), 0);
	cr_assert_eq(roots.nr, 1);
	expect(0, p + (3 << 12), 1 << 12);
	close(fd);
}

Test(populated, inaccessible_pages_with_contents_count)
{
	char *p = make(16, -1, ROOT_ANONYMOUS);

	p[9 << 12] = 1;
	mprotect(p, 16 << 12, PROT_NONE);
	cr_assert_eq(roots_populated(&roots, getpid()), 0);
	cr_assert_eq(roots.nr, 1);
	expect(0, p + (9 << 12), 1 << 12);
}

Test(populated, no_such_process_leaves_ranges_whole)
{
	char *p = make(4, -1, ROOT_ANONYMOUS);

	cr_assert_eq(roots_populated(&roots, 99999999), 0);
	cr_assert(!roots.populated_known);
	expect(0, p, 4 << 12);
}
