/* SPDX-License-Identifier: BSD-2-Clause */
/* export_svg.c - boxes where they belong. That it is XML: export.sh. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtrace/export.h"
#include "kmemtrace/sample.h"
#include "kmemtrace/story.h"

TestSuite(export_svg, .fini = sample_clean, .timeout = 300);

static char *draw(const struct analysis_options *o)
{
	struct analysis *an = story_analysis(story_usual(), o);
	char *text;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);

	cr_expect_eq(export_svg(an, RANK_ALLOCS, "a <title> & more", f), 0);
	fclose(f);
	story_close(an);
	return text;
}

Test(export_svg, boxes)
{
	char *text = draw(NULL);
	const char *box;
	double x, width;

	cr_expect_eq(strncmp(text, "<svg ", 5), 0);
	cr_expect(strstr(text, ">a &lt;title&gt; &amp; more</text>"), "%s", text);
	/* By name: load, then serve at its side. 1180 pixels are 11001 allocations. */
	box = strstr(text, "<title>story_serve (10.0k, 91%)</title>");
	cr_assert_not_null(box);
	cr_assert_eq(sscanf(strstr(box, "<rect"), "<rect x=\"%lf\" y=\"%*u\" width=\"%lf\"", &x, &width), 2);
	cr_expect(x > 117 && x < 118 && width > 1071 && width < 1073, "%f %f", x, width);
	cr_expect(strstr(text, ">story_serve</text>"));
	cr_expect_str_eq(strstr(text, "</svg>"), "</svg>\n");
	free(text);
}

Test(export_svg, nothing)
{
	const struct analysis_options o = { .filter = "nobody" };
	char *text = draw(&o);

	cr_expect(strstr(text, "</svg>") && !strstr(text, "<title>"));
	free(text);
}
