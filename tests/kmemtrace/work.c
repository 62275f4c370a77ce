/* SPDX-License-Identifier: BSD-2-Clause */
/* work.c - what becomes of scripts and of windows. */
#include "kmemtrace/work.h"

#include <criterion/criterion.h>
#include <string.h>

#include "kmemtrace/window.h"

static struct work work;
static char err[256];

Test(work, script)
{
	struct script script;

	cr_assert_eq(script_parse(&script, "t", "cache c size=700 align=256 sheaf=7; cache d size=8 ctor; alloc a b c; cpu 3; free a; alloc x d",
				  err, sizeof(err)), 0);
	cr_assert_eq(work_from_script(&work, &script, MODEL_SHEAF, 2, err, sizeof(err)), 0);
	cr_assert_eq(work.nr_cpus, 4, "the script's CPUs");
	cr_assert_eq(work.nr_ops, 4);
	cr_assert_eq(work.cache[0].config.size, 768);
	cr_assert_eq(work.cache[0].config.capacity, 7);
	cr_assert(work.cache[0].config.fixed_capacity);
	cr_assert_eq(work.cache[1].config.size, 8, "no free pointer in libkmem");
	cr_assert_eq(work.op[2].cpu, 3);
	cr_assert_not(work.op[2].alloc);
	cr_assert_eq(work_index(&work), 0);
	cr_assert_eq(work.first[1], 3);
	cr_assert_eq(work.by_cache[3], 3);
	work_close(&work);
	cr_assert_eq(work_from_script(&work, &script, MODEL_SLUB, 2, err, sizeof(err)), 0);
	cr_assert_eq(work.cache[1].config.size, 16, "the kernel's free pointer stands behind a constructed object");
	work_close(&work);
	script_free(&script);
}

Test(work, window)
{
	struct window_cache cache = { .row = { .name = "c", .size = 64, .objects_per_slab = 64, .refcount = 2 } };
	struct window_event event[] = {
		{ .time_ns = 5, .address = 64, .alloc = true },                  /* before the window */
		{ .time_ns = 20, .address = 64, .alloc = false },                /* older than it */
		{ .time_ns = 21, .address = 128, .alloc = true, .asked = 50, .call_site = 7 },
		{ .time_ns = 22, .address = 128, .alloc = true, .asked = 60, .call_site = 8, .cpu = 1 }, /* freed in silence */
		{ .time_ns = 23, .address = 128, .alloc = false },
	};
	struct window w = { .cache = &cache, .nr_caches = 1, .event = event, .nr_events = 5, .nr_cpus = 2 };

	cache.begin.moment.end_ns = 10;
	cache.end.moment.begin_ns = 30;
	cr_assert_eq(work_from_window(&work, &w, err, sizeof(err)), 0);
	cr_assert_eq(work.nr_ops, 4);
	cr_assert(work.op[0].alloc && !work.op[1].alloc && work.op[2].alloc && !work.op[3].alloc);
	cr_assert_eq(work.op[0].object, work.op[2].object, "its number is used again");
	cr_assert_neq(work.op[0].site, work.op[2].site);
	cr_assert_eq(work.op[3].asked, 60);
	cr_assert(work.cache[0].merged);
	work_close(&work);
}

Test(work, no_trace)
{
	cr_assert_lt(work_from_trace(&work, "/dev/null", err, sizeof(err)), 0);
	cr_assert(*err);
	work_close(&work);
}
