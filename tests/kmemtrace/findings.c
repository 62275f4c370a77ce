/* SPDX-License-Identifier: BSD-2-Clause */
/* findings.c - each finding where it is due, and nothing where all is well. */
#include "kmemtrace/findings.h"

#include <criterion/criterion.h>
#include <string.h>

#include "kmemtrace/sample.h"
#include "kmemtrace/story.h"

static struct findings findings;

TestSuite(findings, .fini = sample_clean, .timeout = 300);

static void find(const char *path)
{
	struct analysis *an = story_analysis(path, NULL);
	struct rank sites, caches;

	cr_assert(rank_build(&sites, an, RANK_SITE) && rank_build(&caches, an, RANK_CACHE));
	findings_make(&findings, an, &sites, &caches);
	rank_free(&sites);
	rank_free(&caches);
	story_close(an);
}

static const char *text(enum finding_kind kind)
{
	for (size_t i = 0; i < findings.nr; i++)
		if (findings.finding[i].kind == kind)
			return findings.finding[i].text;
	return NULL;
}

static void expect(enum finding_kind kind, const char *what)
{
	const char *is = text(kind);

	cr_assert_not_null(is, "%s", finding_name(kind));
	cr_expect(strstr(is, what), "%s: %s", finding_name(kind), is);
}

Test(findings, the_usual)
{
	find(story_usual());
	expect(FINDING_PEAK, "1.0M at 540ms against 47.3K at the end; 100% of it");
	expect(FINDING_PEAK, "story_load ");
	expect(FINDING_CHURN, "story_serve ");
	expect(FINDING_CHURN, "10.0k objects/s, 100% of them freed before");
	expect(FINDING_REMOTE, "4000 objects, 40% of its frees, freed on another CPU: story_serve ");
	cr_expect_null(text(FINDING_GROWS), "48 KB is nobody's problem: %s", text(FINDING_GROWS));
	cr_expect_null(text(FINDING_MISSING));
}

Test(findings, growth_and_waste)
{
	struct story s = story_begin(sample_path("s"));

	for (uint32_t i = 0; i < 10000; i++)
		story_alloc(&s, 0, 100 + i * 100000ull, 0x10000000 + i * 64, 33, s.small, s.load);
	story_end(&s, 1000000000, 7);
	find(sample_path("s"));
	expect(FINDING_GROWS, "story_load ");
	expect(FINDING_GROWS, "+322K (322K/s) to 10.0k objects, 0% of its bytes freed again: ");
	expect(FINDING_HOLDS, "100% of all that lives, 322K in 10.0k objects: ");
	expect(FINDING_WASTE, "48% of 10.0k objects is unused, 302K: 33 of 64 bytes asked for: story-64");
	expect(FINDING_MISSING, "7 events were lost while recording");
	cr_expect_null(text(FINDING_CHURN));
	cr_expect_null(text(FINDING_PEAK));
	cr_expect_null(text(FINDING_REMOTE));
}

/* Nothing but a wrapper is known of each. */
Test(findings, no_callers)
{
	const enum story_function wrapper[] = { STORY_ZMALLOC };
	struct story s = story_begin(sample_path("s"));

	story_alloc(&s, 0, 10, 0x1000, 1000, s.small, story_stack(&s, wrapper, 1));
	story_alloc(&s, 0, 20, 0x2000, 100, s.small, s.load);
	story_end(&s, 100, 0);
	find(sample_path("s"));
	expect(FINDING_STACKS, "91% of the bytes have no caller beyond wrappers like story_zmalloc ");
	expect(FINDING_STACKS, "build with -fno-omit-frame-pointer");
}

Test(findings, what_nothing_explains)
{
	struct story s = story_begin(sample_path("s"));

	story_snapshot(&s, TRACE_BEGIN, 0, NULL, 0, NULL, 0);
	story_alloc(&s, 0, 10, 0x1000, 8, s.small, s.load);
	story_alloc(&s, 0, 20, 0x1000, 8, s.small, s.load);
	story_free(&s, 0, 30, 0x9000, s.small);
	story_end(&s, 100, 0);
	find(sample_path("s"));
	expect(FINDING_MISSING, "nothing was lost, yet 1 allocations of live addresses and 1 frees of dead ones");
	cr_expect_eq(findings.nr, 1);
}

Test(findings, nothing)
{
	struct story s = story_begin(sample_path("s"));

	story_alloc(&s, 0, 10, 0x1000, 8, s.small, s.load);
	story_free(&s, 0, 30, 0x1000, s.small);
	story_end(&s, 100, 0);
	find(sample_path("s"));
	cr_expect_eq(findings.nr, 0);
}
