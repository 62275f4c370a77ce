/* SPDX-License-Identifier: BSD-2-Clause */
/* compare_html.c - a line per side, and nothing of a title taken for HTML. That the page is well-formed: compare.sh. */
#include "slabscope/compare.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(compare_html, page)
{
	static struct kmem_cache_info row[3] = { { .size = 64, .slabs = 1, .in_use = 9 }, { .size = 64, .slabs = 8 }, { .size = 64 } };
	static struct script script = { .cache = { { .name = "c", .size = 64 } }, .nr_caches = 1, .nr_checks = 3 };
	struct comparison c = { .title = "<b>&", .script = &script,
				.side = { { .known = true, .label = "Linux", .row = row }, { .label = "libkmem", .why = "none" } } };
	char *text = NULL, *at;
	size_t len = 0, lines = 0;
	FILE *file = open_memstream(&text, &len);

	cr_assert_eq(compare_html(&c, file), 0);
	fclose(file);
	cr_assert(strstr(text, "<h1>&lt;b>&amp;</h1>"));
	for (at = text; (at = strstr(at, "<polyline")); at++)
		lines++;
	cr_assert_eq(lines, 2, "what live objects asked for, and the side that is known");
	cr_assert(strstr(text, "(none)"));
	free(text);
}
