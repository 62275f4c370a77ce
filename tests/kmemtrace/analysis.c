/* SPDX-License-Identifier: BSD-2-Clause */
/* analysis.c - a file to numbers: the usual story, parts of it, damage to it, processes that come and go. */
#include "kmemtrace/analysis.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "kmemtrace/sample.h"
#include "kmemtrace/story.h"

TestSuite(analysis, .fini = sample_clean, .timeout = 300);

Test(analysis, all_of_it)
{
	struct analysis *an = story_analysis(story_usual(), NULL);
	const struct stats *t = &an->aggregate.total;

	cr_expect_eq(t->allocs, STORY_LOADED + STORY_SERVED + 1);
	cr_expect_eq(t->frees, STORY_SERVED + 1 + 2);
	cr_expect_eq(t->start_objects, STORY_OLD);
	cr_expect_eq(t->live_objects, STORY_LOADED + STORY_OLD - 2);
	cr_expect_eq(t->remote, STORY_REMOTE);
	/* The large one, too: its CPU allocates nothing else. */
	cr_expect_eq(t->temporary, STORY_SERVED + 1);
	cr_expect(t->peak_bytes > 1 << 20 && t->peak_bytes < (1 << 20) + 100000);
	cr_expect_eq(t->peak_objects, STORY_LOADED / 10 * 6 + 1 + STORY_OLD + 2);
	cr_expect_eq(an->window_ns, 1000000000);
	cr_expect_eq(an->aggregate.errors.double_allocs + an->aggregate.errors.unknown_frees, 0);
	cr_expect_eq(analysis_missing(an), 0);
	cr_expect(an->has_begin);
	story_close(an);
}

Test(analysis, only_what_matches)
{
	struct analysis_options o = { .filter = "^story_serve$" };
	struct analysis *an = story_analysis(story_usual(), &o);

	cr_expect_eq(an->aggregate.total.allocs, STORY_SERVED);
	cr_expect_eq(an->aggregate.total.live_objects, 0);
	cr_expect_eq(an->aggregate.total.peak_bytes, 100);
	story_close(an);
	o.filter = "large"; /* a cache */
	an = story_analysis(sample_path("story"), &o);
	cr_expect(an->aggregate.total.allocs == 1 && an->aggregate.total.frees == 1);
	story_close(an);
	o.filter = "nobody";
	an = story_analysis(sample_path("story"), &o);
	cr_expect_eq(an->aggregate.total.allocs + an->aggregate.total.live_objects, 0);
	story_close(an);
}

Test(analysis, a_part_of_the_time)
{
	const struct analysis_options o = { .from_ns = 500000000, .to_ns = 600000000 };
	struct analysis *an = story_analysis(story_usual(), &o);
	const struct stats *t = &an->aggregate.total;

	cr_expect(t->allocs > 1200 && t->allocs < 1300, "%lu", t->allocs);
	cr_expect_eq(t->start_objects, STORY_OLD + 1 + (500000000 - 10000) / 900000 + 1);
	cr_expect_eq(an->window_ns, 100000000);
	cr_expect_eq(an->aggregate.errors.unknown_frees, 0);
	story_close(an);
}

Test(analysis, what_is_wrong)
{
	struct analysis_options o = { .filter = "(" };
	struct analysis an;
	char err[256];

	cr_expect_eq(analysis_run(&an, "/nowhere/at/all", &o, err, sizeof(err)), -ENOENT);
	analysis_close(&an);
	cr_expect_eq(analysis_run(&an, story_usual(), &o, err, sizeof(err)), -EINVAL);
	cr_expect(strstr(err, "--filter: '(' is no regular expression"), "%s", err);
	analysis_close(&an);
}

/* Without a list of older objects, their frees are no surprise; losses are said. */
Test(analysis, without_a_beginning)
{
	struct story s = story_begin(sample_path("s"));
	struct analysis *an;

	story_free(&s, 0, 10, 0x1000, s.small);
	story_alloc(&s, 0, 20, 0x2000, 8, s.small, s.load);
	story_end(&s, 100, 5);
	an = story_analysis(sample_path("s"), NULL);
	cr_expect_eq(an->early_frees, 1);
	cr_expect_eq(an->aggregate.errors.unknown_frees, 0);
	cr_expect_eq(analysis_missing(an), 5);
	cr_expect_not(an->has_begin);
	story_close(an);
}

Test(analysis, pages_are_apart)
{
	const struct analysis_options o = { .pages = true };
	struct story s = story_begin(sample_path("s"));
	struct trace_block block = { 0x50000, 8192, s.small, STORY_PID, 128, 0 };
	struct trace_object object = { 0x50000, 64, s.small, STORY_PID };
	struct analysis *an;

	story_snapshot(&s, TRACE_BEGIN, 0, &object, 1, &block, 1);
	/* A slab and its first object have one address. */
	story_alloc(&s, 0, 10, 0x40000, 16384, s.pages, 0);
	story_alloc(&s, 0, 20, 0x40000, 64, s.small, s.load);
	story_free(&s, 0, 30, 0x40000, s.small);
	story_free(&s, 0, 40, 0x40000, s.pages);
	story_free(&s, 0, 50, 0x50000, s.pages);
	story_alloc(&s, 0, 60, 0, 64, s.small, s.load);
	story_end(&s, 100, 0);
	an = story_analysis(sample_path("s"), NULL);
	cr_expect(an->aggregate.total.allocs == 1 && an->aggregate.total.frees == 1 && an->other == 3 && an->failed == 1);
	cr_expect_eq(an->aggregate.total.live_bytes, 64);
	story_close(an);
	an = story_analysis(sample_path("s"), &o);
	cr_expect(an->aggregate.total.allocs == 1 && an->aggregate.total.frees == 2);
	cr_expect(an->aggregate.total.start_bytes == 8192 && an->aggregate.total.peak_bytes == 8192 + 16384);
	cr_expect_eq(an->aggregate.total.live_objects, 0);
	story_close(an);
}

static uint64_t seen;

static void count_event(void *context, const struct aggregate *a, const struct trace_event *e)
{
	(void)context;
	cr_assert(a->events > seen && e->ptr);
	seen++;
}

Test(analysis, each_event_is_shown)
{
	const struct analysis_options o = { .each = count_event };
	struct analysis *an = story_analysis(story_usual(), &o);

	cr_expect_eq(seen, an->aggregate.events);
	story_close(an);
}
