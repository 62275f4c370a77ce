/* SPDX-License-Identifier: BSD-2-Clause */
/* diff.c - two recordings: matched rows, changes, what is new, and what is chance. */
#include "kmemtrace/diff.h"

#include <criterion/criterion.h>
#include <string.h>

#include "kmemtrace/sample.h"
#include "kmemtrace/story.h"

static char paths[2][128];
static struct analysis *an[2];
static struct diff d;

static void teardown(void)
{
	diff_free(&d);
	for (int i = 0; i < 2; i++)
		story_close(an[i]);
	sample_clean();
}

TestSuite(diff, .fini = teardown, .timeout = 300);

/* `loads` objects that stay, `serves` that do not, over so many nanoseconds. */
static void tell(int side, uint32_t loads, uint32_t serves, uint64_t ns)
{
	struct story s;

	strcpy(paths[side], sample_path(side ? "b" : "a"));
	s = story_begin(paths[side]);
	for (uint32_t i = 0; i < loads; i++)
		story_alloc(&s, 0, 10 + i, 0x10000000 + i * 64, 64, s.small, s.load);
	for (uint32_t i = 0; i < serves; i++) {
		story_alloc(&s, 0, 100000000 + 10 * i, 0x20000000, 64, s.small, s.serve);
		story_free(&s, 0, 100000005 + 10 * i, 0x20000000, s.small);
	}
	story_end(&s, ns, 0);
	an[side] = story_analysis(paths[side], NULL);
}

static const struct diff_row *row(const char *with)
{
	for (size_t i = 0; i < d.nr; i++)
		if (!strncmp(d.row[i].label, with, strlen(with)))
			return &d.row[i];
	cr_assert(false, "no row %s", with);
	return NULL;
}

Test(diff, changes)
{
	tell(0, 1000, 5000, 1000000000);
	tell(1, 3000, 10100, 2000000000); /* twice as long: as many per second */
	cr_assert(diff_make(&d, an[0], an[1], RANK_SITE, RANK_LIVE));
	cr_expect_eq(d.nr, 2);
	cr_expect(d.nr_new == 0 && d.nr_gone == 0 && !d.rebuilt);
	cr_expect_eq(strncmp(d.row[0].label, "story_load ", 11), 0, "the largest change is first");
	cr_expect_eq(d.row[0].change, 2000 * 64);
	cr_expect(d.row[0].significant);
	cr_expect_not(row("story_serve ")->significant, "1 %% more is chance");
	diff_free(&d);
	cr_assert(diff_make(&d, an[0], an[1], RANK_SITE, RANK_ALLOCS));
	cr_expect_eq(row("story_serve ")->change, 50);
	cr_expect_eq(row("story_load ")->change, 500);
}

Test(diff, new_and_gone)
{
	tell(0, 100, 0, 1000000000);
	tell(1, 0, 5000, 1000000000);
	cr_assert(diff_make(&d, an[0], an[1], RANK_STACK, RANK_LIVE));
	cr_expect(d.nr == 2 && d.nr_new == 1 && d.nr_gone == 1);
	cr_expect_null(row("story_main;story_load;story_zmalloc")->side[1]);
	cr_expect_eq(row("story_main;story_load;story_zmalloc")->change, -6400);
	cr_expect_null(row("story_main;story_serve;story_zmalloc")->side[0]);
	cr_expect(row("story_main;story_serve")->significant);
}

Test(diff, the_same)
{
	tell(0, 1000, 5000, 1000000000);
	tell(1, 1000, 5000, 1000000000);
	cr_assert(diff_make(&d, an[0], an[1], RANK_CACHE, RANK_PEAK));
	cr_expect_eq(d.nr, 1);
	cr_expect(d.row[0].change == 0 && !d.row[0].significant);
}

/* The program was built anew: lines may have moved, functions have their names still. */
Test(diff, another_build)
{
	struct trace_module *m;

	tell(0, 1000, 0, 1000000000);
	tell(1, 2000, 0, 1000000000);
	sites_of(&an[1]->sites, an[1]->aggregate.group[0].stack);
	m = (struct trace_module *)an[1]->sites.site[2].module;
	cr_assert_not_null(m);
	cr_assert(m->build_id_len);
	m->build_id[0] ^= 1;
	cr_assert(diff_make(&d, an[0], an[1], RANK_SITE, RANK_LIVE));
	cr_expect(d.rebuilt);
	cr_expect_eq(d.nr, 1);
	cr_expect_str_eq(d.row[0].label, "story_load [unit-kmemtrace]");
	cr_expect(d.row[0].side[0] && d.row[0].side[1]);
}
