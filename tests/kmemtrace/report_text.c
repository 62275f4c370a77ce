/* SPDX-License-Identifier: BSD-2-Clause */
/* report_text.c - what is on the screen. */
#include <criterion/criterion.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtrace/report.h"
#include "kmemtrace/sample.h"
#include "kmemtrace/story.h"

static struct report_options o;
static struct analysis *an;
static char *text;
static size_t bytes;
static FILE *out;

static void setup(void)
{
	setlocale(LC_CTYPE, "C");
	setenv("TZ", "UTC", 1);
	o = (struct report_options){ .by = -1, .sort = -1 };
	out = open_memstream(&text, &bytes);
}

static void teardown(void)
{
	free(text);
	story_close(an);
	sample_clean();
}

TestSuite(report_text, .init = setup, .fini = teardown, .timeout = 300);

static void expect(const char *what)
{
	fflush(out);
	cr_expect(strstr(text, what), "'%s' is not in:\n%s", what, text);
}

Test(report_text, header)
{
	an = story_analysis(story_usual(), NULL);
	report_header(an, &o, out);
	expect(": story --teller (PID 4242)\n");
	expect(", 1.0s, 21.0k events (21.0k/s), complete; a machine\n");
	expect("  640 at first, peak 1.0M at 540ms; 47.3K in 1008 objects\n");
	expect("  11.0k (11.0k/s, at most ");
	expect("  half up to ");
	expect("; temporary 91%, remote 40%\n");
}

Test(report_text, header_of_a_bad_recording)
{
	struct story s = story_begin(sample_path("s"));
	struct analysis_options part = { .from_ns = 5, .to_ns = 90, .filter = "story" };

	story_alloc(&s, 0, 10, 0x1000, 8, s.small, s.load);
	story_alloc(&s, 0, 11, 0x1000, 8, s.small, s.load);
	story_alloc(&s, 0, 12, 0, 8, s.small, s.load);
	story_free(&s, 0, 13, 0x5000, s.small);
	story_end(&s, 100, 12);
	o.analysis = part;
	an = story_analysis(sample_path("s"), &part);
	report_header(an, &o, out);
	expect(", 12 LOST");
	expect("from 5ns on, for 85ns\n");
	expect("only what matches 'story'\n");
	expect("; 1 FAILED\n");
	expect("1 frees of objects older than the recording, whose list it does not have\n");
	expect("1 allocations of live addresses and 0 frees of dead ones: explained by what is missing\n");
}

Test(report_text, overview)
{
	an = story_analysis(story_usual(), NULL);
	o.columns = 100;
	cr_assert(report_overview(an, &o, out));
	expect("\nWho holds memory\n"
	       "   LIVE OF IT OBJECTS GROWTH/s PEAK%    AGE  SITE\n"
	       "  46.8K   99%    1000   +46.8K  100%  ");
	expect("story_load story.c:");
	expect("\nWho allocates\n"
	       " ALLOCS ALLOC/s  BYTES TEMP REMOTE    P50    P99  SITE\n"
	       "  10.0k   10.0k   976K 100%    40%  1.0us  1.0us  story_serve ");
	expect("\nWhat is wasted\n"
	       "  WASTE WASTED   LIVE OBJECTS  ASKED  TAKES  CACHE\n"
	       "  15.6K    25%  47.3K    1008     48     64  story-64\n");
}

Test(report_text, table)
{
	an = story_analysis(story_usual(), NULL);
	o.by = RANK_CACHE;
	o.sort = RANK_ALLOCS;
	o.limit = 1;
	cr_assert(report_table(an, &o, out));
	expect("\n ALLOCS ALLOC/s  FREES  BYTES   LIVE OBJECTS GROWTH/s PEAK%    P50    P99    MAX TEMP REMOTE  WASTE WASTED  CACHE\n"
	       "  11.0k   11.0k  10.0k");
	expect("  story-64\n");
	expect(" and 1 more\n");
}

Test(report_text, narrow_screens_cut_names)
{
	an = story_analysis(story_usual(), NULL);
	o.by = RANK_STACK;
	cr_assert(report_table(an, &o, out));
	expect("46.8K live in 1000 objects, ");
	expect("    story_zmalloc story.c:");
	expect("    story_main story.c:");
	o.by = RANK_SITE;
	o.columns = 80;
	cr_assert(report_table(an, &o, out));
	fflush(out);
	expect("..\n");
}

Test(report_text, colour_and_findings)
{
	struct findings f = { .nr = 1, .finding = { { FINDING_GROWS, "f: much" } } };

	an = story_analysis(story_usual(), NULL);
	report_findings(&f, &o, out);
	expect("\nGROWS   f: much\n");
	o.colour = true;
	report_findings(&f, &o, out);
	expect("\033[1mGROWS   \033[0mf: much\n");
	f.nr = 0;
	report_findings(&f, &o, out);
	expect("Nothing stands out.\n");
}

Test(report_text, histograms)
{
	an = story_analysis(story_usual(), NULL);
	report_histograms(an, out);
	expect("\nLifetimes of what was freed\n   512ns..  10.0k 100%  ########################################\n");
	expect("\nSizes asked for, bytes\n      32..   1000   9%  ####\n      64..  10.0k  91%  ####");
	expect("    1.0M..      1  <1%  -\n");
}
