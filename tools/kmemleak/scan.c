/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scan.c - the order of a scan. While the target is stopped memory is copied
 * and nothing else is done; everything that thinks comes after the resume.
 */
#include "kmemleak/scan.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "kmemleak/mark.h"
#include "kmemleak/stop.h"

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int capture(struct scan *scan)
{
	struct target *t = scan->target;
	struct stop stop;
	int err = stop_all(&stop, t->pid, t->comm);

	scan->stopped_ns = now_ns();
	if (err)
		target_fail(t, err, "%s", stop.message);
	else
		err = image_capture(&scan->image, t, &stop);
	if (!stop_intact(&stop))
		err = target_fail(t, -ESRCH, "PID %d (%s) has ended during the scan", t->pid, t->comm);
	for (size_t i = 0; i < stop.nr_threads; i++)
		scan->nr_threads += stop.threads[i].state == STOP_HELD;
	scan->pause_ns = stop_resume(&stop);
	return err;
}

static void mark_image(struct mark *mark, const struct image *image)
{
	for (size_t i = 0; i < image->nr_root_words; i++) {
		mark_words(mark, image->root_words[i].words, image->root_words[i].nr);
		mark_drain(mark);
	}
	mark_root_blocks(mark);
}

static int run_mark(struct scan *scan, const struct scan_options *options)
{
	struct mark mark = { .model = &scan->model, .memory = scan->image.mirror, .exact = options->exact };
	struct buffer stack = { 0 };
	uint64_t start = now_ns();

	if (buffer_ensure(&stack, mark_stack_entries(&scan->model) * sizeof(struct mark_entry)))
		return -ENOMEM;
	mark.stack = (struct mark_entry *)(void *)stack.data;
	mark_image(&mark, &scan->image);
	buffer_free(&stack);
	scan->nr_marked = mark.nr_marked;
	scan->mark_ns = now_ns() - start;
	return 0;
}

static int think(struct scan *scan, const struct scan_options *options)
{
	uint64_t start = now_ns();
	int err = image_digest(&scan->image);

	if (!err)
		err = model_build(&scan->model, &scan->image.heap);
	scan->model_ns = now_ns() - start;
	if (!err)
		err = run_mark(scan, options);
	if (!err)
		err = leaks_find(&scan->leaks, &scan->model, scan->image.mirror);
	if (!err)
		err = leaks_group(&scan->leaks, &scan->model);
	return err ? target_fail(scan->target, -ENOMEM, "out of memory while marking") : 0;
}

int scan_run(struct scan *scan, struct target *t, uint64_t root_addr, const struct scan_options *options)
{
	uint64_t start = now_ns();
	int err;

	memset(scan, 0, sizeof(*scan));
	scan->target = t;
	err = image_prepare(&scan->image, t, root_addr, options->shared);
	if (!err)
		err = capture(scan);
	if (!err)
		err = think(scan, options);
	scan->total_ns = now_ns() - start;
	return err;
}

void scan_free(struct scan *scan)
{
	leaks_free(&scan->leaks);
	model_free(&scan->model);
	image_free(&scan->image);
}

const char *scan_cache_name(const struct scan *scan, uint16_t cache_id)
{
	if (cache_id == KMEM_ID_LARGE)
		return "kmalloc-large";
	if (cache_id == KMEM_ID_PAGES)
		return "alloc_pages";
	return cache_id < scan->image.heap.nr_caches ? scan->image.heap.caches[cache_id].name : "?";
}
