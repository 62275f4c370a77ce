/* SPDX-License-Identifier: BSD-2-Clause */
/* report_verify.c - equal is equal, and each way of not being so is found. Real programs: verify.sh. */
#include "kmemtrace/report_verify.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtrace/sample.h"
#include "kmemtrace/story.h"

static const struct analysis_options options = { .until_snapshot = true };
static char *text;

static void teardown(void)
{
	free(text);
	sample_clean();
}

TestSuite(report_verify, .fini = teardown, .timeout = 300);

static int verify(const char *path)
{
	struct analysis *an = story_analysis(path, &options);
	size_t bytes;
	FILE *f;
	int code;

	free(text);
	f = open_memstream(&text, &bytes);
	code = report_verify(an, f);
	fclose(f);
	story_close(an);
	return code;
}

static void expect(const char *what)
{
	cr_expect(strstr(text, what), "'%s' is not in: %s", what, text);
}

Test(report_verify, equal)
{
	cr_expect_eq(verify(story_usual()), 0, "%s", text);
	expect("EQUAL: 21004 events lead to 1008 live objects; in memory are 1008 of them\n");
}

/* Events behind the snapshot are none of its business. */
Test(report_verify, until_the_snapshot)
{
	struct story s = story_begin(sample_path("s"));
	const struct trace_object end[] = { { 0x1000, 64, s.small, STORY_PID } };
	const struct trace_block block = { 0x1000, 4096, s.small, STORY_PID, 64, 1 };

	story_snapshot(&s, TRACE_BEGIN, 0, NULL, 0, NULL, 0);
	story_alloc(&s, 0, 10, 0x1000, 8, s.small, s.load);
	story_snapshot(&s, TRACE_END, 20, end, 1, &block, 1);
	story_alloc(&s, 0, 30, 0x2000, 8, s.small, s.load);
	story_free(&s, 0, 31, 0x1000, s.small);
	story_end(&s, 100, 0);
	cr_expect_eq(verify(sample_path("s")), 0, "%s", text);
	expect("EQUAL: 1 events lead to 1 live objects");
}

Test(report_verify, different)
{
	struct story s = story_begin(sample_path("s"));
	const struct trace_object end[] = { { 0x1000, 64, s.small, STORY_PID }, { 0x3000, 64, s.small, STORY_PID } };
	const struct trace_block block = { 0x1000, 4096, s.small, STORY_PID, 64, 2 };

	story_snapshot(&s, TRACE_BEGIN, 0, NULL, 0, NULL, 0);
	story_alloc(&s, 0, 10, 0x1000, 8, s.small, s.load);
	story_alloc(&s, 0, 11, 0x2000, 8, s.small, s.serve);
	story_snapshot(&s, TRACE_END, 50, end, 2, &block, 1);
	story_end(&s, 100, 3);
	cr_expect_eq(verify(sample_path("s")), 1);
	expect("in memory, but not in the events: 0x3000, 64 bytes, story-64, PID 4242\n");
	expect("in the events, but not in memory: 0x2000, 8 bytes, story-64, PID 4242, by story_serve ");
	expect("NOT EQUAL: 2 events lead to 2 live objects; in memory are 1 of them and 1 more;");
	expect("Events are missing from this recording");
}

Test(report_verify, nothing_to_compare_with)
{
	struct story s = story_begin(sample_path("s"));

	story_end(&s, 100, 0);
	cr_expect_eq(verify(sample_path("s")), 1);
	expect("has no list of what lived at its end");
}
