/* SPDX-License-Identifier: BSD-2-Clause */
/* pin.c - who is charged with what. A real program: pin_main.sh. */
#include "kmemtrace/pin.h"

#include <criterion/criterion.h>
#include <string.h>

#include "kmemtrace/sample.h"
#include "kmemtrace/story.h"

static struct trace_object objects[64];
static struct trace_block blocks[8];
static size_t nr_objects, nr_blocks;
static struct analysis *an;
static struct pin pin;
static struct story s;

static void setup(void)
{
	nr_objects = nr_blocks = 0;
	s = story_begin(sample_path("s"));
}

static void teardown(void)
{
	pin_free(&pin);
	story_close(an);
	sample_clean();
}

TestSuite(pin, .init = setup, .fini = teardown, .timeout = 300);

/* A slab of 64 objects of 64 bytes, with so many of each site in it. */
static void slab(uint64_t ptr, uint32_t loads, uint32_t serves)
{
	for (uint32_t i = 0; i < loads + serves; i++) {
		story_alloc(&s, 0, 10 + nr_objects, ptr + i * 64, 50, s.small, i < loads ? s.load : s.serve);
		objects[nr_objects++] = (struct trace_object){ ptr + i * 64, 64, s.small, STORY_PID };
	}
	blocks[nr_blocks++] = (struct trace_block){ ptr, 4096, s.small, STORY_PID, 64, loads + serves };
}

static void make(unsigned int below)
{
	static const struct analysis_options o = { .until_snapshot = true };
	struct trace_snapshot end;

	story_snapshot(&s, TRACE_END, 1000, objects, nr_objects, blocks, nr_blocks);
	story_end(&s, 2000, 0);
	an = story_analysis(sample_path("s"), &o);
	cr_assert(trace_read_snapshot(an->trace, TRACE_END, &end));
	cr_assert(pin_make(&pin, an, &end, below));
}

static const struct pin_row *row(const char *site)
{
	for (size_t i = 0; i < pin.nr; i++)
		if (!strncmp(an->sites.site[pin.row[i].site].label, site, strlen(site)))
			return &pin.row[i];
	return NULL;
}

Test(pin, shares)
{
	slab(0x10000000, 1, 0); /* load alone */
	slab(0x10001000, 1, 1); /* both */
	slab(0x10002000, 0, 2); /* serve alone */
	make(50);
	cr_expect(pin.slabs == 3 && pin.sparse_slabs == 3 && pin.sparse_bytes == 3 * 4096);
	cr_expect_eq(pin.pinned, 3 * 4096 - 5 * 64);
	cr_expect(row("story_load ")->objects == 2 && row("story_load ")->bytes == 128);
	cr_expect_eq(row("story_load ")->pinned, 4096 - 64 + (4096 - 128) / 2);
	cr_expect_eq(row("story_serve ")->pinned, (4096 - 128) / 2 + 4096 - 128);
	cr_expect(row("story_load ")->slabs == 2 && row("story_load ")->alone_slabs == 1);
	cr_expect(row("story_load ")->alone_bytes == 4096 && row("story_load ")->alone_objects == 1);
	cr_expect(row("story_serve ")->alone_bytes == 4096 && row("story_serve ")->alone_objects == 2);
	cr_expect_eq(row("story_load ")->age.nr, 2);
	cr_expect_eq(row("story_load ")->age.max, 1001 - 10);
	/* All in one pageblock, which is sparse. */
	cr_expect(pin.pageblocks == 1 && pin.sparse_pageblocks == 1);
	cr_expect(row("story_load ")->pageblocks == 1 && row("story_serve ")->pageblocks == 1);
	cr_expect(pin.row[0].pinned >= pin.row[1].pinned);
}

Test(pin, full_slabs_are_not_pinned)
{
	slab(0x10000000, 32, 0);
	slab(0x10001000, 31, 0);
	make(50);
	cr_expect(pin.slabs == 2 && pin.sparse_slabs == 1 && pin.pinned == 33 * 64);
	cr_expect_eq(row("story_load ")->objects, 31);
}

Test(pin, below)
{
	slab(0x10000000, 10, 0);
	make(10);
	cr_expect_eq(pin.sparse_slabs, 0);
	cr_expect(!row("story_load ") || !row("story_load ")->pinned);
}

Test(pin, pageblocks)
{
	slab(0x10000000, 1, 0);
	slab(0x10200000, 0, 1);
	/* Nearly all of the second one is in use: a block of pages. */
	blocks[nr_blocks++] = (struct trace_block){ 0x10201000, (2 << 20) - 4096, s.pages, STORY_PID, 1, 1 };
	make(50);
	cr_expect(pin.pageblocks == 2 && pin.sparse_pageblocks == 1);
	cr_expect_eq(row("story_load ")->pageblocks, 1);
	cr_expect_eq(row("story_serve ")->pageblocks, 0);
	cr_expect_eq(pin.slabs, 2);
}

Test(pin, objects_that_nobody_saw_allocated)
{
	objects[nr_objects++] = (struct trace_object){ 0x10000000, 64, s.small, STORY_PID };
	blocks[nr_blocks++] = (struct trace_block){ 0x10000000, 4096, s.small, STORY_PID, 64, 1 };
	make(50);
	cr_expect_eq(pin.row[0].unknown_age, 1);
	cr_expect_eq(pin.row[0].pinned, 4096 - 64);
	cr_expect_str_eq(an->sites.site[pin.row[0].site].label, "(not known)");
}
