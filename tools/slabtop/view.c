/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * view.c - scrolling and splitting, without a terminal.
 */
#include "slabtop/view.h"

#define MIN_ROWS 3 /* below a full header */

static size_t last_top(const struct view *v)
{
	return v->nr > v->height ? v->nr - v->height : 0;
}

void view_resize(struct view *v, size_t nr, size_t height)
{
	v->nr = nr;
	v->height = height;
	if (v->top > last_top(v))
		v->top = last_top(v);
}

static size_t back(size_t top, size_t by)
{
	return top > by ? top - by : 0;
}

void view_scroll(struct view *v, enum action action)
{
	size_t page = v->height > 1 ? v->height - 1 : 1; /* one line stays as an anchor */

	switch (action) {
	case ACTION_UP:
		v->top = back(v->top, 1);
		break;
	case ACTION_DOWN:
		v->top++;
		break;
	case ACTION_PAGE_UP:
		v->top = back(v->top, page);
		break;
	case ACTION_PAGE_DOWN:
		v->top += page;
		break;
	case ACTION_HOME:
		v->top = 0;
		break;
	case ACTION_END:
		v->top = last_top(v);
		break;
	default:
		break;
	}
	view_resize(v, v->nr, v->height);
}

struct view_split view_split(int lines, int header)
{
	struct view_split s = { 0 };
	int left = lines;

	if (lines >= header + 2 + MIN_ROWS) {
		s.header = header;
		left -= header;
	}
	if (left >= 3) {
		s.status = 1;
		left--;
	}
	if (left >= 2) {
		s.heading = 1;
		left--;
	}
	s.rows = left > 0 ? left : 0;
	return s;
}
