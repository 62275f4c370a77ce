/* SPDX-License-Identifier: BSD-2-Clause */
/* moment.c - the end of a recording, and processes that are none of it. A process that is: pin_main.sh. */
#include "kmemtrace/moment.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "kmemtrace/sample.h"
#include "kmemtrace/story.h"

static char err[256];

TestSuite(moment, .fini = sample_clean, .timeout = 300);

Test(moment, the_end)
{
	struct analysis *an = story_analysis(story_usual(), NULL);
	struct moment m = { 0 };

	cr_expect_eq(moment_take(&m, an, 0, err, sizeof(err)), 0, "%s", err);
	cr_expect(m.snapshot.nr_objects == STORY_LOADED + STORY_OLD - 2 && m.snapshot.nr_blocks == 1 && !m.pid);
	moment_free(&m);
	cr_expect_eq(moment_take(&m, an, 1, err, sizeof(err)), -ENOENT);
	cr_expect(strstr(err, "PID 1 is not in "), "%s", err);
	moment_free(&m);
	/* It was recorded, but there is no such process any more (or it is another one). */
	cr_expect(moment_take(&m, an, STORY_PID, err, sizeof(err)) < 0);
	moment_free(&m);
	story_close(an);
}

Test(moment, no_end)
{
	struct story s = story_begin(sample_path("s"));
	struct moment m = { 0 };
	struct analysis *an;

	story_end(&s, 100, 0);
	an = story_analysis(sample_path("s"), NULL);
	cr_expect_eq(moment_take(&m, an, 0, err, sizeof(err)), -ENOENT);
	cr_expect(strstr(err, "give the process with -p PID"), "%s", err);
	moment_free(&m);
	story_close(an);
}
