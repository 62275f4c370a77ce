/* SPDX-License-Identifier: BSD-2-Clause */
/* tune.c - changes whose outcome is plain. By really running with them: tune_main.sh and vm/predict.sh. */
#include "kmemtrace/tune.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct work work;
static struct tune tune;

static void run(const char *text, enum model_kind kind)
{
	struct script script;
	char err[256];

	cr_assert_eq(script_parse(&script, "t", text, err, sizeof(err)), 0, "%s", err);
	cr_assert_eq(work_from_script(&work, &script, kind, 2, err, sizeof(err)), 0);
	script_free(&script);
	cr_assert_eq(work_index(&work), 0);
	cr_assert_eq(tune_open(&tune, &work), 0);
}

static const struct tune_trial *trial(const char *what)
{
	for (size_t i = 0; i < tune.nr_trials; i++)
		if (!strncmp(tune.trial[i].what, what, strlen(what)))
			return &tune.trial[i];
	cr_assert_fail("nobody tried %s", what);
	return NULL;
}

static void end(void)
{
	tune_close(&tune);
	work_close(&work);
}

Test(tune, kernel)
{
	const struct tune_trial *t;

	run("cache c size=512; repeat 5 { alloc a1..a400 c; free a1..a400 }", MODEL_SLUB);
	t = trial("min_partial=100");
	cr_assert_lt(t->after.slow_trips, t->before.slow_trips, "slabs are kept, not made again");
	cr_assert_gt(t->after.end_bytes, t->before.end_bytes);
	cr_assert_str_eq(t->setting, "echo 100 > /sys/kernel/slab/c/min_partial");
	t = trial("slab_max_order=0");
	cr_assert_eq(t->cache, TUNE_ALL);
	cr_assert_eq(t->after.peak_bytes, 400 * 512, "8 in a page");
	cr_assert_str_eq(t->setting, "boot parameter slab_max_order=0");
	end();
}

Test(tune, library)
{
	const struct tune_trial *t;

	run("cache c size=256; repeat 20 { alloc a1..a200 c; free a1..a200 }", MODEL_SHEAF);
	t = trial("sheaf_capacity=7 ");
	cr_assert_gt(t->after.slow_trips, t->before.slow_trips);
	cr_assert_str_eq(t->setting, "slabscope sys PID c/sheaf_capacity=7");
	end();
}

Test(tune, like_caches_share_slabs)
{
	const struct tune_trial *t;

	run("cache c size=64; cache d size=64; cache e size=64 flags=nomerge; alloc a c; alloc b d; alloc x e", MODEL_SHEAF);
	t = trial("caches of the same size");
	cr_assert_eq(t->before.peak_bytes, 3 * 4096);
	cr_assert_eq(t->after.peak_bytes, 2 * 4096);
	cr_assert_str_eq(t->setting, "KMEM_OPTIONS=merge=on");
	end();
}

/* 1100 bytes out of a cache of 2048. */
Test(tune, a_hot_size)
{
	struct work_op op[512];
	struct work_cache cache = { .name = "kmalloc-2k", .config = work_geometry(MODEL_SLUB, 2048, 2) };
	const struct tune_trial *t;

	for (uint32_t i = 0; i < 512; i++)
		op[i] = (struct work_op){ .object = i, .asked = i % 8 ? 1100 : 1500, .alloc = true };
	work = (struct work){ .kind = MODEL_SLUB, .cache = &cache, .nr_caches = 1, .op = op, .nr_ops = 512, .nr_objects = 512,
			      .nr_cpus = 2 };
	cr_assert_eq(work_index(&work), 0);
	cr_assert_eq(tune_open(&tune, &work), 0);
	t = trial("a cache of its own for the 1100 bytes");
	cr_assert_eq(t->before.peak_bytes, 512 * 2048);
	cr_assert_leq(t->after.peak_bytes, 64 * 2048 + 448 * 1200 + 32768);
	cr_assert(strstr(t->setting, "kmem_cache_create(\"NAME\", 1100"));
	tune_close(&tune);
}
