/* SPDX-License-Identifier: BSD-2-Clause */
/* image.c - what the copy of a child process contains. */
#include <errno.h>
#include <string.h>
#include <criterion/criterion.h>

#include "kmemleak/image.h"
#include "kmemleak/victim.h"

static struct victim *v;
static struct image image;

static void teardown(void)
{
	image_free(&image);
	if (v)
		victim_stop(v);
}

TestSuite(image, .fini = teardown, .timeout = 60);

static void capture(void)
{
	struct stop stop;

	v = victim_start();
	cr_assert_eq(image_prepare(&image, &v->target, v->target.roots[0].addr), 0, "%s", v->target.message);
	cr_assert_eq(stop_all(&stop, v->pid, "victim"), 0, "%s", stop.message);
	cr_assert_eq(image_capture(&image, &v->target, &stop, false), 0, "%s", v->target.message);
	stop_resume(&stop);
	cr_assert_eq(image_digest(&image), 0);
}

Test(image, heap_contents)
{
	uint64_t object, large, steps = 0;

	capture();
	large = ~v->large;
	cr_assert_str_eq((const char *)image.mirror + (large - image.heap.base), "a large object");
	for (object = ~v->kept; object && steps < 100; steps++)
		memcpy(&object, image.mirror + (object - image.heap.base), sizeof(object));
	cr_assert_eq(steps, VICTIM_KEPT);
}

/* The copy says the same as the allocator's own counters. */
Test(image, bits_minus_parked_is_active)
{
	struct model m;
	uint64_t parked_of_caches = 0;

	capture();
	cr_assert_eq(model_build(&m, &image.heap), 0);
	cr_assert_eq(m.nr_damaged, 0);
	cr_assert_eq(m.nr_parked, image.heap.nr_parked);
	parked_of_caches = m.nr_parked;
	cr_assert_gt(parked_of_caches, 0);
	cr_assert_geq(m.nr_objects, VICTIM_KEPT + VICTIM_GONE + 1);
	model_free(&m);
}

/* No word of the allocator's own memory is among the roots, and the list's head is. */
Test(image, roots)
{
	size_t heads = 0;

	capture();
	for (size_t i = 0; i < image.nr_root_words; i++) {
		const struct root_words *piece = &image.root_words[i];

		cr_assert(!piece->range || piece->range->end <= image.root.arena_base ||
			  piece->range->start >= image.root.arena_limit);
		cr_assert(!piece->range || image.root_addr < piece->range->start ||
			  image.root_addr >= piece->range->end);
		for (size_t w = 0; w < piece->nr; w++)
			heads += piece->words[w] == ~v->kept;
	}
	cr_assert_geq(heads, 1);
	cr_assert_gt(image.root_bytes, 0);
}

Test(image, buffers_keep_their_size)
{
	struct buffer b = { 0 };
	uint8_t *first;

	cr_assert_eq(buffer_ensure(&b, 100), 0);
	first = b.data;
	cr_assert_eq(first[99], 0);
	cr_assert_eq(buffer_ensure(&b, 50), 0);
	cr_assert_eq(b.data, first);
	cr_assert_eq(buffer_ensure(&b, 0), 0);
	buffer_free(&b);
	buffer_free(&b);
	cr_assert_null(b.data);
}
