/* SPDX-License-Identifier: BSD-2-Clause */
/* compare_print.c - figures from rows, and their three shapes. */
#include "slabscope/compare.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct kmem_cache_info kernel[2] = {
	{ .size = 256, .order = 1, .objects_per_slab = 32, .slabs = 9, .objects_total = 288, .in_use = 100 },
	{ .size = 256, .order = 1, .objects_per_slab = 32, .slabs = 4, .objects_total = 128, .in_use = 60, .node_partial = 3,
	  .partial_free = 40, .cpu_free = 20, .cpu_partial_free = 8 },
};
static struct kmem_cache_info library[2];
static struct script script = { .cache = { { .name = "c", .size = 250 } }, .nr_caches = 1, .nr_checks = 2, .nr_ops = 2 };
static struct comparison c = {
	.title = "t", .script = &script, .work = { { .allocs = 110, .frees = 50, .live = 60, .peak_live = 100, .life_steps = 9 } },
	.side = { { .known = true, .label = "Linux", .row = kernel, .work_ns = 1000000 },
		  { .known = true, .label = "libkmem", .row = library, .work_ns = 1000 } },
};

static char *printed(enum output_format format)
{
	char *text = NULL;
	size_t len = 0;
	FILE *file = open_memstream(&text, &len);

	memcpy(library, kernel, sizeof(kernel));
	library[1].slabs = 5;
	cr_assert_eq(compare_print(&c, file, format), 0);
	fclose(file);
	return text;
}

Test(compare_print, figures)
{
	struct compare_figures f;

	compare_figures(&c, COMPARE_KERNEL, 0, &f);
	cr_assert_eq(f.slabs, 4);
	cr_assert_eq(f.peak_slabs, 9);
	cr_assert_eq(f.held, 4 * 8192);
	cr_assert_eq(f.peak_held, 9 * 8192);
	cr_assert_eq(f.waste, 4 * 8192 - 60 * 250);
	cr_assert_eq(f.parked, 28);
	cr_assert_eq(f.use_milli, 468);
	cr_assert_eq(f.asked_milli, 976);
	cr_assert_eq(f.residue, 0);
	cr_assert_eq(f.calls_per_second, 160000);
}

Test(compare_print, differences_are_marked)
{
	char *text = printed(OUTPUT_TEXT), *line = strstr(text, "  slabs  ");

	cr_assert_not_null(line);
	cr_assert(strcspn(line, "*") < strcspn(line, "\n"), "%s", text);
	line = strstr(text, "  partial slabs");
	cr_assert(strcspn(line, "*") > strcspn(line, "\n"));
	free(text);
}

Test(compare_print, an_unknown_side_says_why)
{
	char *text;

	c.side[0].known = false;
	strcpy(c.side[0].why, "no root");
	text = printed(OUTPUT_TEXT);
	cr_assert(strstr(text, "Linux: no root"));
	cr_assert_eq(strchr(strstr(text, "\nc: "), '*'), strstr(text, "*: they"), "nothing to differ from");
	free(text);
	text = printed(OUTPUT_CSV);
	cr_assert_null(strstr(text, "kernel,"));
	cr_assert(strstr(text, "libkmem,libkmem,t,c,250,256,"));
	free(text);
}
