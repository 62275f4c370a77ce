/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * columns.h - the table: which columns fit, and rows and heading as text.
 *
 * The first eight columns are those of procps, with its widths; ours stand
 * between CACHE SIZE and NAME. Without a width limit the default kernel table
 * is byte for byte that of procps.
 */
#ifndef SLABTOP_COLUMNS_H
#define SLABTOP_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/rows.h"

#define COLUMNS_LINE_BYTES 512
#define COLUMNS_NO_LIMIT   0x7fff

enum column_id {
	COLUMN_OBJS,
	COLUMN_ACTIVE,
	COLUMN_USE,
	COLUMN_OBJ_SIZE,
	COLUMN_SLABS,
	COLUMN_OBJ_SLAB,
	COLUMN_CACHE_SIZE,
	COLUMN_CACHED,
	COLUMN_PARTIAL,
	COLUMN_ALLOC_RATE,
	COLUMN_FREE_RATE,
	COLUMN_SOURCE,
	COLUMN_NAME,
	COLUMN_NR
};

struct layout {
	enum column_id column[COLUMN_NR];
	int width[COLUMN_NR];
	unsigned int nr;
	bool human;     /* sizes with units */
	const char *filter; /* an alias that contains it is shown, "" for none */
};

/* What layout_choose() goes by. */
struct layout_needs {
	int width;            /* of the terminal, or COLUMNS_NO_LIMIT */
	bool several_sources; /* SOURCE is wanted */
	bool counters;        /* some rows have counters: rates are wanted */
	bool human;
	bool grow;            /* widen columns to the widest value (the screen) */
	const char *filter;   /* or NULL */
};

/*
 * Choose columns for these rows: as many as fit, the least important left out
 * first. NAME is always there and takes the rest of the line.
 */
void layout_choose(struct layout *layout, const struct layout_needs *needs, const struct rows *rows);

/* Does `text` contain `part`, without regard to case? Everything contains "". */
bool columns_match(const char *text, const char *part);

/* The heading; no newline. Return buf. */
const char *layout_heading(const struct layout *layout, char buf[COLUMNS_LINE_BYTES]);

/* One row; control characters in names become '?'; no newline. Return buf. */
const char *layout_row(const struct layout *layout, const struct row *row, char buf[COLUMNS_LINE_BYTES]);

#endif
