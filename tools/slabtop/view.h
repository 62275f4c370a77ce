/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * view.h - a window on a list: what of it is visible, and how a screen is split.
 */
#ifndef SLABTOP_VIEW_H
#define SLABTOP_VIEW_H

#include <stddef.h>

#include "slabtop/keys.h"

/* Rows top .. top + height - 1 of nr are visible. */
struct view {
	size_t nr, height, top;
};

/* The list or the window has another size: keep what is at the top where that is possible. */
void view_resize(struct view *v, size_t nr, size_t height);

/* Scroll by one of ACTION_UP .. ACTION_END; other actions do nothing. */
void view_scroll(struct view *v, enum action action);

/* Lines of a screen, from the top. Their sum never exceeds its height. */
struct view_split {
	int header, status, heading, rows;
};

/*
 * Split `lines` lines. On a small terminal the header goes first, then the
 * status line, then the heading: rows are what people want to see.
 */
struct view_split view_split(int lines, int header);

#endif
