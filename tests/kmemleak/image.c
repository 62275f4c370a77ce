/* SPDX-License-Identifier: BSD-2-Clause */
/* image.c - what the copy of a child process contains. */
#include <errno.h>
#include <string.h>
#include <criterion/criterion.h>

#include "common/heap.h"
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
	cr_assert_eq(image_prepare(&image, &v->target, v->target.roots[0].addr, false), 0, "%s", v->target.message);
	cr_assert_eq(stop_all(&stop, v->pid, "victim"), 0, "%s", stop.message);
	cr_assert_eq(image_capture(&image, &v->target, &stop), 0, "%s", v->target.message);
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

/* The copy says the same as the reader of counters. */
Test(image, bits_minus_parked_is_active)
{
	uint64_t active = 0, large = 0;
	struct heap heap;
	struct model m;

	capture();
	cr_assert_eq(model_build(&m, &image.heap), 0);
	cr_assert_eq(m.nr_damaged, 0);
	cr_assert_eq(m.nr_parked, image.heap.nr_parked);
	cr_assert_gt(m.nr_parked, 0);
	for (uint32_t i = 1; i < m.nr_blocks; i++)
		large += m.blocks[i].cache_id == KMEM_ID_LARGE;
	heap_init(&heap, &v->target, v->target.roots[0].addr);
	cr_assert_eq(heap_read(&heap), 0, "%s", v->target.message);
	for (size_t i = 0; i < heap.nr_caches; i++)
		active += heap.caches[i].active;
	cr_assert_eq(m.nr_objects - large, active);
	heap_close(&heap);
	model_free(&m);
}

/* A target that consists of a root: everything else is unreadable. */
static struct kmem_observe fake_root;

static int fake_readv(struct target *t, struct target_range *ranges, size_t nr)
{
	int failed = 0;

	(void)t;
	for (size_t i = 0; i < nr; i++) {
		ranges[i].error = ranges[i].addr != 4096 ? -EFAULT : 0;
		if (!ranges[i].error)
			memcpy(ranges[i].buf, &fake_root, ranges[i].len);
		failed += ranges[i].error != 0;
	}
	return failed;
}

static int fake_threads(struct target *t, pid_t **tids, size_t *nr)
{
	(void)tids;
	(void)nr;
	return target_fail(t, -ESRCH, "a fake has no threads");
}

static int prepare_fake(void)
{
	static const struct target_ops ops = { .readv = fake_readv, .threads = fake_threads };
	struct target t = { .ops = &ops, .pid = 99999999, .comm = "fake" };
	int err = image_prepare(&image, &t, 4096, false);

	cr_assert(err == 0 || t.message[0], "no reason given");
	image_free(&image);
	return err;
}

Test(image, damaged_descriptors_are_refused)
{
	struct kmem_observe good = {
		.magic = KMEM_OBSERVE_MAGIC, .version = KMEM_OBSERVE_VERSION, .size = sizeof(good), .state = 1,
		.cache_bytes = sizeof(struct kmem_cache), .node_bytes = sizeof(struct kmem_cache_node),
		.page_desc_bytes = sizeof(struct page), .zone_bytes = sizeof(struct kmem_zone),
		.slot_header_bytes = sizeof(struct kmem_slot), .sheaf_header_bytes = sizeof(struct kmem_sheaf),
		.nr_cpus = 2, .nr_nodes = 1, .percpu_shift = 24, .nr_caches = 1,
	};

	fake_root = good;
	fake_root.state = 0;
	cr_assert_eq(prepare_fake(), -ENOENT);
	fake_root = good;
	fake_root.arena_base = 4096;
	cr_assert_eq(prepare_fake(), -EPROTO);
	fake_root = good;
	fake_root.nr_cpus = UINT32_MAX;
	cr_assert_eq(prepare_fake(), -EPROTO);
	fake_root = good;
	fake_root.percpu_shift = 200;
	cr_assert_eq(prepare_fake(), -EPROTO);
	fake_root = good;
	fake_root.nr_nodes = 0;
	cr_assert_eq(prepare_fake(), -EPROTO);
	fake_root = good;
	fake_root.nr_caches = UINT32_MAX;
	cr_assert_eq(prepare_fake(), -EPROTO);
	fake_root = good;
	fake_root.nr_black = UINT32_MAX;
	cr_assert_eq(prepare_fake(), -EPROTO);
	fake_root = good;
	fake_root.sheaves_end = UINT64_MAX;
	cr_assert_eq(prepare_fake(), -EPROTO);
	fake_root = good;
	fake_root.nr_caches = 100; /* a table that is not there */
	cr_assert_eq(prepare_fake(), -EPROTO);
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
