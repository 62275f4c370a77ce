/* SPDX-License-Identifier: BSD-2-Clause */
/* view.c - tests of tools/slabtop/view.c: scrolling reaches every row, any terminal can be split. */
#include <criterion/criterion.h>

#include "slabtop/view.h"

Test(view, scrolling_stays_inside)
{
	struct view v = { 0 };

	view_resize(&v, 100, 10);
	view_scroll(&v, ACTION_UP);
	cr_expect_eq(v.top, 0);
	view_scroll(&v, ACTION_DOWN);
	cr_expect_eq(v.top, 1);
	view_scroll(&v, ACTION_PAGE_DOWN);
	cr_expect_eq(v.top, 10, "one line stays");
	view_scroll(&v, ACTION_PAGE_UP);
	cr_expect_eq(v.top, 1);
	view_scroll(&v, ACTION_END);
	cr_expect_eq(v.top, 90);
	view_scroll(&v, ACTION_DOWN);
	view_scroll(&v, ACTION_PAGE_DOWN);
	cr_expect_eq(v.top, 90);
	view_scroll(&v, ACTION_HOME);
	cr_expect_eq(v.top, 0);
	view_scroll(&v, ACTION_SORT);
	cr_expect_eq(v.top, 0);
}

Test(view, every_row_is_reached_by_pages)
{
	for (size_t height = 1; height < 12; height++) {
		struct view v = { 0 };
		size_t next = 0;

		view_resize(&v, 57, height);
		for (int i = 0; i < 100 && next < v.nr; i++) {
			cr_assert_leq(v.top, next, "rows skipped at height %zu", height);
			next = v.top + v.height;
			view_scroll(&v, ACTION_PAGE_DOWN);
		}
		cr_expect_geq(next, v.nr);
	}
}

Test(view, shrinking_lists_and_growing_windows)
{
	struct view v = { 0 };

	view_resize(&v, 100, 10);
	view_scroll(&v, ACTION_END);
	view_resize(&v, 50, 10);
	cr_expect_eq(v.top, 40);
	view_resize(&v, 50, 45);
	cr_expect_eq(v.top, 5);
	view_resize(&v, 50, 60);
	cr_expect_eq(v.top, 0);
	view_resize(&v, 0, 10);
	view_scroll(&v, ACTION_END);
	view_scroll(&v, ACTION_PAGE_DOWN);
	cr_expect_eq(v.top, 0);
	view_resize(&v, 5, 0);
	view_scroll(&v, ACTION_PAGE_DOWN);
	cr_expect_leq(v.top, 5);
}

Test(view, every_height_can_be_split)
{
	for (int lines = 0; lines < 60; lines++) {
		struct view_split s = view_split(lines, 6);

		cr_expect_eq(s.header + s.status + s.heading + s.rows, lines);
		cr_expect(lines == 0 || s.rows > 0, "no row on %d lines", lines);
		cr_expect(s.header == 0 || s.header == 6);
	}
	cr_expect_eq(view_split(24, 5).rows, 17);
	cr_expect_eq(view_split(10, 5).header, 5);
	cr_expect_eq(view_split(9, 5).header, 0);
	cr_expect_eq(view_split(5, 5).rows, 3);
	cr_expect_eq(view_split(2, 5).status, 0);
	cr_expect_eq(view_split(1, 5).heading, 0);
}
