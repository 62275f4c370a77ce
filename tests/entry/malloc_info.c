/* SPDX-License-Identifier: BSD-2-Clause */
/* malloc_info.c - what libkmem-malloc.so says about its heap: figures that are true, in glibc's shapes. */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "entry/malloc_sizes.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* mallinfo() */

enum { NR = 2000 };
static void *held[NR];

static void hold(size_t size)
{
	unsigned int i;

	for (i = 0; i < NR; i++)
		cr_assert_not_null(held[i] = malloc(size));
}

static void let_go(void)
{
	unsigned int i;

	for (i = 0; i < NR; i++)
		free(held[i]);
}

/* Apart by at most a 50th of the larger, or 64 KiB: the test's own buffers. */
static int about(size_t a, size_t b)
{
	size_t larger = a > b ? a : b, smaller = a > b ? b : a;

	return larger - smaller <= larger / 50 + 64 * KIB;
}

static size_t resident(void)
{
	size_t pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	cr_assert(f && fscanf(f, "%*u %zu", &pages) == 1);
	fclose(f);
	return pages * 4096;
}

/* Nothing goes back by itself: what is counted is what was done here. */
static void keep_memory(void)
{
	free(malloc(hidden(16)));
	cr_assert_eq(mallopt(M_TRIM_THRESHOLD, -1), 1);
}

Test(mallinfo2, objects_in_use_are_what_was_taken)
{
	static const size_t each[] = { 64, 1000, 5000, 12288, 100000 };
	struct mallinfo2 before, held_now, after;
	unsigned int i;

	for (i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
		before = mallinfo2();
		hold(each[i]);
		held_now = mallinfo2();
		cr_expect(about(held_now.uordblks - before.uordblks, NR * malloc_usable_size(held[0])), "%zu: %zu of %zu",
			  each[i], held_now.uordblks - before.uordblks, NR * malloc_usable_size(held[0]));
		let_go();
		after = mallinfo2();
		cr_expect(about(after.uordblks, before.uordblks), "%zu: %zu left", each[i], after.uordblks - before.uordblks);
		cr_expect_eq(after.arena, after.uordblks + after.fordblks);
		cr_expect_eq(held_now.arena, held_now.uordblks + held_now.fordblks);
	}
}

Test(mallinfo2, free_objects_are_counted_where_they_are, .init = keep_memory)
{
	struct mallinfo2 before, after;

	hold(hidden(1000));
	before = mallinfo2();
	let_go();
	after = mallinfo2();
	/* Not so of what is idle: parked pages count as memory until they are found never to have been written to. */
	cr_expect_leq(after.uordblks + NR * 1000, before.uordblks);
	cr_expect_geq(after.fordblks, NR * 1000 / 2);
	cr_expect_gt(after.ordblks + after.smblks, before.ordblks + before.smblks);
	cr_expect_gt(after.fsmblks, 0);
	cr_expect_leq(after.fsmblks + after.keepcost, after.fordblks);
	cr_expect_eq(after.usmblks, 0);
}

Test(mallinfo2, objects_beyond_4_mib_are_maps)
{
	struct mallinfo2 before = mallinfo2(), with, after;
	void *p = malloc(hidden(9 * MIB)), *q = malloc(hidden(5 * MIB));

	with = mallinfo2();
	cr_expect_eq(with.hblks, before.hblks + 2);
	cr_expect_eq(with.hblkhd, before.hblkhd + 14 * MIB);
	cr_expect_eq(with.uordblks, before.uordblks);
	free(laundered(p));
	free(laundered(q));
	after = mallinfo2();
	cr_expect_eq(after.hblks, before.hblks);
	cr_expect_eq(after.hblkhd, before.hblkhd);
}

Test(mallinfo2, system_bytes_are_in_memory, .init = keep_memory)
{
	size_t resident_before, resident_held;
	struct mallinfo2 before = mallinfo2(), with;
	unsigned int i;

	resident_before = resident();
	hold(hidden(16384));
	for (i = 0; i < NR; i++)
		memset(held[i], 1, 16384);
	with = mallinfo2();
	resident_held = resident();
	/* Which pages of a free block hold memory is known by their number only. */
	cr_expect(with.arena - before.arena >= (resident_held - resident_before) * 3 / 4 &&
		  with.arena - before.arena <= (resident_held - resident_before) * 5 / 4, "%zu, but %zu are resident",
		  with.arena - before.arena, resident_held - resident_before);
	let_go();
}

Test(mallinfo, is_the_same_as_far_as_an_int_goes)
{
	struct mallinfo2 wide;
	struct mallinfo narrow;
	void *p;

	hold(hidden(1000));
	wide = mallinfo2();
	narrow = mallinfo();
	cr_expect(about((size_t)narrow.uordblks, wide.uordblks) && about((size_t)narrow.arena, wide.arena));
	let_go();
	p = laundered(malloc(hidden((size_t)3 << 30)));
	narrow = mallinfo();
	cr_expect_eq(narrow.hblkhd, INT32_MAX, "not wrapped");
	free(p);
}

Test(malloc_trim, gives_back_and_says_whether)
{
	size_t before, full;
	unsigned int i;

	malloc_trim(0);
	before = resident();
	hold(hidden(20000));
	for (i = 0; i < NR; i++)
		memset(held[i], 1, 20000);
	full = resident();
	let_go();
	cr_expect_eq(malloc_trim(0), 1);
	cr_expect_lt(resident(), before + (full - before) / 20);
	cr_expect_eq(malloc_trim(0), 0, "nothing is left");
	cr_expect_eq(mallinfo2().keepcost, 0);
}

Test(malloc_trim, leaves_the_pad, .init = keep_memory)
{
	unsigned int i;
	size_t before;

	hold(hidden(20000));
	for (i = 0; i < NR; i++)
		memset(held[i], 1, 20000);
	let_go();
	before = mallinfo2().keepcost;
	malloc_trim(8 * MIB);
	cr_expect_leq(mallinfo2().keepcost, 8 * MIB);
	cr_expect_geq(mallinfo2().keepcost, (before < 8 * MIB ? before : 8 * MIB) / 2);
}

Test(malloc_trim, leaves_objects_alone)
{
	unsigned int i;

	hold(hidden(3000));
	for (i = 0; i < NR; i++)
		fill(held[i], 3000, i);
	for (i = 0; i < NR; i += 2)
		free(held[i]);
	malloc_trim(0);
	for (i = 1; i < NR; i += 2)
		cr_assert(intact(held[i], 3000, i));
	for (i = 0; i < NR; i += 2)
		held[i] = NULL;
	let_go();
}

static size_t number_after(const char *text, const char *label)
{
	const char *at = strstr(text, label);

	cr_assert(at, "no \"%s\" in:\n%s", label, text);
	return strtoul(at + strlen(label), NULL, 10);
}

Test(malloc_stats, prints_on_stderr_in_glibcs_form)
{
	char text[1000] = "";
	int fd[2], old = dup(2);
	struct mallinfo2 m;
	void *p = laundered(malloc(hidden(6 * MIB)));

	cr_assert_eq(pipe(fd), 0);
	dup2(fd[1], 2);
	malloc_stats();
	m = mallinfo2();
	dup2(old, 2);
	cr_assert_gt(read(fd[0], text, sizeof(text) - 1), 0);
	cr_expect_eq(strncmp(text, "Arena 0:\nsystem bytes     = ", 28), 0);
	cr_expect(about(number_after(text, "system bytes     = "), m.arena));
	cr_expect(about(number_after(text, "in use bytes     = "), m.uordblks));
	cr_expect(about(number_after(strstr(text, "Total (incl. mmap):"), "system bytes     = "), m.arena + m.hblkhd));
	cr_expect_eq(number_after(text, "max mmap regions = "), 1);
	cr_expect_eq(number_after(text, "max mmap bytes   = "), 6 * MIB);
	free(p);
}

static char *info_text(int options, int *rc)
{
	static char *text;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);

	*rc = malloc_info(options, f);
	fclose(f);
	return text;
}

Test(malloc_info, knows_no_options)
{
	int rc;
	char *text = info_text(1, &rc);

	cr_expect_eq(rc, EINVAL);
	cr_expect_str_empty(text);
}

Test(malloc_info, is_xml_whose_sums_agree, .init = keep_memory)
{
	size_t free_bytes = 0, from, to, total, count;
	struct mallinfo2 m;
	char *text, *at;
	int rc;

	hold(hidden(1000));
	let_go();
	text = info_text(0, &rc);
	m = mallinfo2();
	cr_assert_eq(rc, 0);
	cr_expect_eq(strncmp(text, "<malloc version=\"1\">\n<heap nr=\"0\">\n<sizes>\n", 41), 0);
	cr_expect(strstr(text, "</heap>\n") && !strcmp(text + strlen(text) - 10, "</malloc>\n"));
	for (at = strstr(text, "<size "); at; at = strstr(at + 1, "<size ")) {
		cr_assert_eq(sscanf(at, "<size from=\"%zu\" to=\"%zu\" total=\"%zu\" count=\"%zu\"/>", &from, &to, &total, &count), 4);
		cr_assert(from <= to && from * count <= total && total <= to * count);
		free_bytes += total;
	}
	cr_expect(about(number_after(text, "<total type=\"fast\" count=\""), m.smblks));
	total = number_after(strstr(text, "<total type=\"fast\""), "size=\"") + number_after(strstr(text, "<total type=\"rest\""), "size=\"");
	cr_expect(about(total, free_bytes + m.keepcost), "%zu in all, %zu of objects", total, free_bytes);
	cr_expect_leq(number_after(text, "<system type=\"current\" size=\""), m.arena + MIB, "and free memory goes back meanwhile");
	cr_expect_geq(number_after(text, "<aspace type=\"total\" size=\""), m.arena);
	free(text);
}

Test(mallopt, m_perturb_fills_new_and_freed_memory)
{
	static const size_t each[] = { 8, 100, 5000, 20000, 5 * MIB };
	unsigned char *p, *stale;
	unsigned int i;

	cr_expect_eq(mallopt(M_PERTURB, 0x5a), 1);
	for (i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
		p = laundered(malloc(each[i]));
		cr_expect(p[0] == 0xa5 && !memcmp(p, p + 1, each[i] - 1), "malloc(%zu)", each[i]);
		/* Its memory is gone. */
		if (each[i] <= 5000) {
			stale = laundered(p);
			free(p);
			stale = laundered(stale);
			cr_expect(stale[0] == 0x5a && !memcmp(stale, stale + 1, each[i] - 1), "free of %zu", each[i]);
		} else {
			free(p);
		}
		p = laundered(calloc(1, each[i]));
		cr_expect(all_zero(p, each[i]), "calloc(%zu)", each[i]);
		free(p);
		p = laundered(memalign(64, each[i]));
		cr_expect(p[0] == 0xa5 && !memcmp(p, p + 1, each[i] - 1), "memalign(%zu)", each[i]);
		fill(p, 8, 3);
		stale = laundered(p);
		p = realloc(p, each[i] * 3);
		cr_expect(intact(p, 8, 3));
		if (each[i] <= 5000)
			cr_expect_eq(stale[0], 0x5a, "realloc of %zu", each[i]);
		free(p);
	}
	cr_expect_eq(mallopt(M_PERTURB, 0), 1);
	p = laundered(malloc(hidden(100)));
	memset(p, 7, 100);
	free(laundered(p));
	cr_expect_eq(((unsigned char *)laundered(p))[99], 7, "left alone again");
}

Test(mallopt, answers_as_glibc_does)
{
	cr_expect_eq(mallopt(M_MXFAST, 64), 1);
	cr_expect_eq(mallopt(M_MXFAST, 1 << 20), 0);
	cr_expect_eq(mallopt(M_MXFAST, -1), 0);
	cr_expect_eq(mallopt(M_MMAP_THRESHOLD, 1 << 20), 1);
	cr_expect_eq(mallopt(M_MMAP_THRESHOLD, 1 << 30), 0);
	cr_expect_eq(mallopt(M_TRIM_THRESHOLD, -1), 1);
	cr_expect_eq(mallopt(M_TOP_PAD, 1), 1);
	cr_expect_eq(mallopt(M_MMAP_MAX, 0), 1);
	cr_expect_eq(mallopt(M_ARENA_MAX, 1), 1);
	cr_expect_eq(mallopt(M_ARENA_TEST, 1), 1);
	cr_expect_eq(mallopt(M_CHECK_ACTION, 3), 1);
	cr_expect_eq(mallopt(12345, 1), 1);
}
