/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * paint.h - drawing the table, the status line and the help with ncurses.
 */
#ifndef SLABTOP_PAINT_H
#define SLABTOP_PAINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slabtop/session.h"
#include "slabtop/view.h"

struct paint {
	struct session *session;
	struct view view;      /* on the rows that pass the filter */
	struct view help_view;
	size_t *shown;         /* indices of those rows in session->rows, or ->pools */
	size_t shown_room;
	uint32_t delay_ms;     /* to be said in the status line */
	char sort;             /* lower case */
	bool reverse;
	bool human;
	bool paused;
	bool pools;            /* pools are shown instead of caches */
	bool help;             /* the help is shown instead of the table */
	bool typing;           /* the filter is being entered */
	bool color;
	char filter[64];       /* part of a name, without regard to case; "" for all */
	void *terminal;        /* SCREEN of ncurses */
};

/* Take over the terminal. Return 0 or -errno with one line in err[len]; then it is as it was. */
int paint_open(struct paint *p, struct session *session, char *err, size_t len);

/* Give the terminal back. */
void paint_close(struct paint *p);

/* The session has read new rows. */
void paint_new_rows(struct paint *p);

/* Sort by `key` (either case). */
void paint_sort(struct paint *p, char key, bool reverse);

/* Show only caches whose name contains `text`. */
void paint_filter(struct paint *p, const char *text);

/* Show pools, or caches again; the session must be read next. */
void paint_pools(struct paint *p, bool pools);

/* The terminal has another size. */
void paint_resize(struct paint *p);

/* Stop this process (^Z) with the terminal given back meanwhile; returns when it continues. */
void paint_suspend(struct paint *p);

/* Do not trust what is on the screen: draw all of it next time. */
void paint_from_scratch(struct paint *p);

/* Draw. */
void paint_draw(struct paint *p);

#endif
