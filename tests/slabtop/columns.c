/* SPDX-License-Identifier: BSD-2-Clause */
/* columns.c - tests of tools/slabtop/columns.c: procps' widths, what is left out, hostile names. */
#include <criterion/criterion.h>
#include <string.h>

#include "slabtop/columns.h"

static const struct row_source kernel = { .kind = ROW_KERNEL, .label = "kernel" };
static const struct row_source process = { .kind = ROW_PROCESS, .pid = 7, .label = "x:7" };
static struct rows rows;
static struct layout layout;
static char buf[COLUMNS_LINE_BYTES];

static struct row *kernel_row(const char *name)
{
	struct row *r = rows_add(&rows, &kernel);

	strcpy(r->name, name);
	row_set(r, ROW_OBJECTS, 41496);
	row_set(r, ROW_ACTIVE, 36205);
	row_set(r, ROW_SIZE, 192);
	row_set(r, ROW_SLABS, 1976);
	row_set(r, ROW_OBJECTS_PER_SLAB, 21);
	row_set(r, ROW_BYTES, 7904 * 1024);
	return r;
}

static struct row *process_row(const char *name)
{
	struct row *r = kernel_row(name);

	r->source = &process;
	row_set(r, ROW_CACHED, 5);
	row_set(r, ROW_PARTIAL, 2);
	row_set(r, ROW_ALLOC_RATE, 1234567);
	return r;
}

Test(columns, kernel_table_is_that_of_procps)
{
	struct layout_needs needs = { .width = COLUMNS_NO_LIMIT };

	kernel_row("dentry");
	layout_choose(&layout, &needs, &rows);
	cr_expect_str_eq(layout_heading(&layout, buf),
			 "  OBJS ACTIVE  USE OBJ SIZE  SLABS OBJ/SLAB CACHE SIZE NAME                   ");
	cr_expect_str_eq(layout_row(&layout, &rows.row[0], buf),
			 " 41496  36205  87%    0.19K   1976       21      7904K dentry                 ");
	rows_free(&rows);
}

Test(columns, wide_values_push_as_in_procps)
{
	struct layout_needs needs = { .width = COLUMNS_NO_LIMIT };
	struct row *r = kernel_row("dentry");

	row_set(r, ROW_OBJECTS, 123456789);
	layout_choose(&layout, &needs, &rows);
	cr_expect_eq(strncmp(layout_row(&layout, r, buf), "123456789  36205   0%", 21), 0, "%s", buf);
	needs.grow = true;
	layout_choose(&layout, &needs, &rows);
	cr_expect_eq(strncmp(layout_heading(&layout, buf), "     OBJS ACTIVE", 16), 0, "%s", buf);
	rows_free(&rows);
}

Test(columns, unknown_is_a_dash)
{
	struct layout_needs needs = { .width = COLUMNS_NO_LIMIT, .counters = true };

	strcpy(rows_add(&rows, &kernel)->name, "empty");
	layout_choose(&layout, &needs, &rows);
	cr_expect_str_eq(layout_row(&layout, &rows.row[0], buf),
			 "     -      -    -        -      -        -          -      -       -       -       - "
			 "empty                  ");
	rows_free(&rows);
}

Test(columns, lines_fit_every_width)
{
	process_row("a cache with quite a long name indeed");
	for (int width = 1; width < 200; width++) {
		struct layout_needs needs = { .width = width, .counters = true, .several_sources = true, .grow = true };

		layout_choose(&layout, &needs, &rows);
		cr_expect_eq(layout.column[layout.nr - 1], COLUMN_NAME);
		cr_expect_leq(strlen(layout_heading(&layout, buf)), width < 4 ? 4u : (size_t)width);
	}
	rows_free(&rows);
}

Test(columns, least_important_go_first)
{
	struct layout_needs needs = { .width = 80, .grow = true };

	process_row("x");
	layout_choose(&layout, &needs, &rows);
	cr_expect_not_null(strstr(layout_heading(&layout, buf), "OBJ/SLAB"), "the kernel's table stays that of procps");
	needs.counters = true;
	layout_choose(&layout, &needs, &rows);
	cr_expect_not_null(strstr(layout_heading(&layout, buf), "ALLOC/S"));
	cr_expect_null(strstr(buf, "OBJ/SLAB"));
	cr_expect_not_null(strstr(layout_row(&layout, &rows.row[0], buf), "1.2M"));
	needs.width = 20;
	layout_choose(&layout, &needs, &rows);
	cr_expect_str_eq(layout_heading(&layout, buf), "ACTIVE NAME         ");
	rows_free(&rows);
}

Test(columns, hostile_names_are_harmless)
{
	struct layout_needs needs = { .width = COLUMNS_NO_LIMIT };

	kernel_row("a\x1b[2Jb\nc");
	layout_choose(&layout, &needs, &rows);
	cr_expect_not_null(strstr(layout_row(&layout, &rows.row[0], buf), "a?[2Jb?c"), "%s", buf);
	rows_free(&rows);
}

Test(columns, names_say_what_is_special)
{
	static const char *const aliases[] = { "first", "second" };
	struct layout_needs needs = { .width = COLUMNS_NO_LIMIT };
	struct row *r = kernel_row("own");

	r->aliases = aliases;
	r->nr_aliases = 2;
	layout_choose(&layout, &needs, &rows);
	cr_expect_not_null(strstr(layout_row(&layout, r, buf), "own +2"));
	needs.filter = "SECO";
	layout_choose(&layout, &needs, &rows);
	cr_expect_not_null(strstr(layout_row(&layout, r, buf), "own = second"));
	r->dead = r->torn = true;
	cr_expect_not_null(strstr(layout_row(&layout, r, buf), "own = second (destroyed) ~"));
	rows_free(&rows);
}

Test(columns, matching_disregards_case)
{
	cr_expect(columns_match("kmalloc-64", "MALLOC"));
	cr_expect(columns_match("x", ""));
	cr_expect(columns_match("", ""));
	cr_expect_not(columns_match("", "x"));
	cr_expect_not(columns_match("kmalloc", "kmallocs"));
}

Test(columns, human_sizes)
{
	struct layout_needs needs = { .width = COLUMNS_NO_LIMIT, .human = true };

	kernel_row("dentry");
	layout_choose(&layout, &needs, &rows);
	cr_expect_str_eq(layout_row(&layout, &rows.row[0], buf),
			 " 41496  36205  87%      192   1976       21       7.7M dentry                 ");
	rows_free(&rows);
}
