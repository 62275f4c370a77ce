/* SPDX-License-Identifier: BSD-2-Clause */
/* refs.c - who points to an object, in a made-up scan. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <criterion/criterion.h>

#include "kmemleak/refs.h"
#include "kmemleak/synthetic.h"

static struct synthetic *s;
static struct scan scan;
static struct target target = { .pid = 1234, .comm = "leaky" };
static struct target_map map = { .path = "/lib/libx.so" };
static struct root_range ranges[] = {
	{ .kind = ROOT_DATA, .map = &map }, { .kind = ROOT_STACK, .map = &map, .tid = 77 },
};
static struct root_words pieces[4];
static uint64_t words[4][2];
static char *text;

static void setup(void)
{
	s = syn_new();
	for (size_t i = 0; i < 4; i++)
		pieces[i] = (struct root_words){ .words = words[i], .nr = 2 };
	pieces[0].range = &ranges[0];
	pieces[0].address = 0x4000;
	pieces[1].range = &ranges[1];
	pieces[1].address = 0x5000;
	pieces[1].tid = 77;
	pieces[2].tid = 78; /* registers */
}

static void teardown(void)
{
	syn_free(s);
	free(text);
}

TestSuite(refs, .init = setup, .fini = teardown);

static int dump(uint64_t address)
{
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);
	int err;

	syn_mark(s, words[0], 8);
	scan.target = &target;
	scan.model = s->model;
	scan.image.mirror = (const uint8_t *)s->memory;
	scan.image.heap = s->copy;
	scan.image.root_words = pieces;
	scan.image.nr_root_words = 4;
	err = refs_dump(f, &scan, address);
	fclose(f);
	return err;
}

Test(refs, all_kinds_of_holders)
{
	uint64_t slab = syn_slab(s, SYN_64, 1), a = syn_take(s, slab, 3), holder = syn_take(s, slab, 4);
	uint64_t pages = syn_pages(s, 1);

	words[0][1] = a;
	words[1][0] = a + 10;
	words[2][1] = a;
	words[3][0] = a;
	syn_poke(s, holder + 16, a);
	syn_poke(s, pages + 8, a);
	syn_poke(s, a, a); /* its own pointer does not count */
	cr_assert_eq(dump(a + 5), 0);
	cr_assert(strstr(text, "object 0x7e00000010c0 (size 64):\n"), "%s", text);
	cr_assert(strstr(text, "  cache sixty-four, reachable\n"), "%s", text);
	cr_assert(strstr(text, "    data at 0x4008 /lib/libx.so\n"), "%s", text);
	cr_assert(strstr(text, "    stack of thread 77 at 0x5000\n"), "%s", text);
	cr_assert(strstr(text, "    register of thread 78\n"), "%s", text);
	cr_assert(strstr(text, "    the allocator, which is moving it\n"), "%s", text);
	cr_assert(strstr(text, "    object 0x7e0000001100 +0x10 (cache sixty-four, unreferenced)\n"), "%s", text);
	cr_assert(strstr(text, "    object 0x7e0000002000 +0x8 (cache alloc_pages)\n"), "%s", text);
}

Test(refs, nobody)
{
	uint64_t a = syn_take(s, syn_slab(s, SYN_64, 1), 3);

	cr_assert_eq(dump(a), 0);
	cr_assert(strstr(text, "unreferenced\n"), "%s", text);
	cr_assert(strstr(text, "  referenced by:\n    nothing\n"), "%s", text);
}

Test(refs, a_free_object)
{
	uint64_t slab = syn_slab(s, SYN_64, 1);

	cr_assert_eq(dump(slab + 64), 0);
	cr_assert(strstr(text, "free, or not tracked"), "%s", text);
}

Test(refs, many_are_counted)
{
	uint64_t slab = syn_slab(s, SYN_64, 1), a = syn_take(s, slab, 0);

	for (uint32_t i = 1; i <= 30; i++)
		syn_poke(s, syn_take(s, slab, i), a);
	cr_assert_eq(dump(a), 0);
	cr_assert(strstr(text, "(10 more)\n"), "%s", text);
}

Test(refs, no_object_there)
{
	syn_slab(s, SYN_64, 1);
	cr_assert_eq(dump(SYN_BASE + 50 * 4096), -ENOENT);
	cr_assert_eq(refs_dump(stdout, &scan, 0), -ENOENT);
}
