/* SPDX-License-Identifier: BSD-2-Clause */
/* rank.c - rows by each key, in each order. */
#include "kmemtrace/rank.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtrace/sample.h"
#include "kmemtrace/story.h"

static struct analysis *an;
static struct rank rank;

static void setup(void)
{
	static const struct analysis_options o = { .by_size = true };

	an = story_analysis(story_usual(), &o);
}

static void teardown(void)
{
	rank_free(&rank);
	story_close(an);
	sample_clean();
}

TestSuite(rank, .init = setup, .fini = teardown, .timeout = 300);

static const struct rank_row *first(enum rank_by by, enum rank_sort sort)
{
	rank_free(&rank);
	cr_assert(rank_build(&rank, an, by));
	rank_sort(&rank, sort);
	cr_assert(rank.nr);
	return &rank.row[0];
}

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

Test(rank, by_site)
{
	const struct rank_row *row = first(RANK_SITE, RANK_LIVE);

	cr_expect_eq(rank.nr, 3);
	cr_expect(begins(row->label, "story_load "), "%s", row->label);
	cr_expect(row->stats.live_objects == STORY_LOADED && row->stats.live_bytes == 48 * STORY_LOADED);
	cr_expect_eq(row->stats.live_waste, 16 * STORY_LOADED);
	cr_expect(row->caches, "of two caches");
	row = first(RANK_SITE, RANK_ALLOCS);
	cr_expect(begins(row->label, "story_serve "), "%s", row->label);
	cr_expect_not(row->caches);
	cr_expect(begins(first(RANK_SITE, RANK_PEAK)->label, "story_load "));
	cr_expect(begins(first(RANK_SITE, RANK_REMOTE)->label, "story_serve "));
	cr_expect(begins(first(RANK_SITE, RANK_GROWTH)->label, "story_load "));
	cr_expect_eq(rank_growth(&first(RANK_SITE, RANK_GROWTH)->stats), 48 * STORY_LOADED);
}

Test(rank, by_other_keys)
{
	cr_expect_str_eq(first(RANK_FUNCTION, RANK_ALLOCS)->label, "story_serve [unit-kmemtrace]");
	cr_expect_str_eq(first(RANK_CACHE, RANK_ALLOCS)->label, "story-64");
	cr_expect_eq(rank.nr, 2);
	cr_expect_str_eq(first(RANK_CACHE, RANK_PEAK)->label, "(large)");
	cr_expect_str_eq(first(RANK_STACK, RANK_ALLOCS)->label, "story_main;story_serve;story_zmalloc");
	cr_expect_str_eq(first(RANK_SIZE, RANK_ALLOCS)->label, "100");
	cr_expect_str_eq(first(RANK_SIZE, RANK_PEAK)->label, "512K-1.0M");
	cr_expect_str_eq(first(RANK_PID, RANK_ALLOCS)->label, "4242 story --teller");
	cr_expect_eq(rank.nr, 1);
}

Test(rank, names)
{
	cr_expect_eq(rank_by_name("site"), RANK_SITE);
	cr_expect_eq(rank_by_name("pid"), RANK_PID);
	cr_expect_eq(rank_by_name("sites"), -1);
	cr_expect_eq(rank_sort_name("live"), RANK_LIVE);
	cr_expect_eq(rank_sort_name("lifetime"), RANK_LIFETIME);
	cr_expect_eq(rank_sort_name(""), -1);
	cr_expect(rank_is_bytes(RANK_PEAK) && !rank_is_bytes(RANK_ALLOCS) && !rank_is_bytes(RANK_OBJECTS));
}

Test(rank, records)
{
	const struct rank_row *row = first(RANK_CACHE, RANK_ALLOCS);
	struct output o;
	char *text;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);

	output_init(&o, f, OUTPUT_JSON);
	output_begin(&o);
	rank_record(&o, an, RANK_CACHE, row);
	output_end(&o);
	fclose(f);
	cr_expect(begins(text, "{\"cache\":\"story-64\",\"allocs\":11000,\"frees\":10002,"), "%s", text);
	cr_expect(strstr(text, "\"temporary\":10000,\"remote_frees\":4000,"), "%s", text);
	cr_expect(strstr(text, "\"lifetime_max_ns\":1000,"), "%s", text);
	free(text);
}

Test(rank, nothing_at_all)
{
	static const struct analysis_options o = { .filter = "nobody" };
	struct analysis *none = story_analysis(sample_path("story"), &o);
	struct rank empty;

	cr_assert(rank_build(&empty, none, RANK_SITE));
	rank_sort(&empty, RANK_LIVE);
	cr_expect_eq(empty.nr, 0);
	rank_free(&empty);
	story_close(none);
}
