/* SPDX-License-Identifier: BSD-2-Clause */
/* export_folded.c - lines as flame graph programs want them. A foreign parser: export.sh. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "kmemtrace/export.h"
#include "kmemtrace/sample.h"
#include "kmemtrace/story.h"

TestSuite(export_folded, .fini = sample_clean, .timeout = 300);

static void expect(struct analysis *an, enum rank_sort weight, const char *want)
{
	char *text;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);

	cr_expect_eq(export_folded(an, weight, f), 0);
	fclose(f);
	cr_expect_str_eq(text, want);
	free(text);
}

Test(export_folded, weights)
{
	struct analysis *an = story_analysis(story_usual(), NULL);

	expect(an, RANK_ALLOCS, "story_main;story_serve;story_zmalloc 10000\nstory_main;story_load;story_zmalloc 1001\n");
	expect(an, RANK_LIVE, "story_main;story_load;story_zmalloc 48000\n(before the recording) 512\n");
	expect(an, RANK_OBJECTS, "story_main;story_load;story_zmalloc 1000\n(before the recording) 8\n");
	expect(an, RANK_PEAK, "story_main;story_load;story_zmalloc 1077424\n(before the recording) 640\n"
			      "story_main;story_serve;story_zmalloc 100\n");
	story_close(an);
}
