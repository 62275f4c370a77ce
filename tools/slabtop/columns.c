/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * columns.c - the columns of slabtop as a table, and what fits into a line.
 */
#include "slabtop/columns.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/output.h"

#define NAME_WIDTH     23 /* procps pads the last column */
#define NAME_MIN_WIDTH 18 /* fewer columns rather than shorter names ... */
#define NAME_TINY      12 /* ... but on less than 60 columns */
#define CELL_BYTES     256

/*
 * Importance: 1 is left out last. Beside the kernel's table the columns of
 * procps go first, in a table with counters the counters do.
 */
static const struct column {
	const char *title;
	int width;
	unsigned char importance, importance_counters;
} columns[COLUMN_NR] = {
	[COLUMN_OBJS] = { "OBJS", 6, 2, 2 },
	[COLUMN_ACTIVE] = { "ACTIVE", 6, 1, 1 },
	[COLUMN_USE] = { "USE", 4, 3, 3 },
	[COLUMN_OBJ_SIZE] = { "OBJ SIZE", 8, 5, 5 },
	[COLUMN_SLABS] = { "SLABS", 6, 6, 10 },
	[COLUMN_OBJ_SLAB] = { "OBJ/SLAB", 8, 7, 12 },
	[COLUMN_CACHE_SIZE] = { "CACHE SIZE", 10, 4, 4 },
	[COLUMN_CACHED] = { "CACHED", 6, 9, 9 },
	[COLUMN_PARTIAL] = { "PARTIAL", 7, 10, 11 },
	[COLUMN_ALLOC_RATE] = { "ALLOC/S", 7, 11, 7 },
	[COLUMN_FREE_RATE] = { "FREE/S", 7, 12, 8 },
	[COLUMN_SOURCE] = { "SOURCE", 6, 8, 6 },
	[COLUMN_NAME] = { "NAME", NAME_WIDTH, 0, 0 },
};

/* ---- cells -------------------------------------------------------------------------------- */

static void cell_number(const struct row *row, enum row_field field, char *buf)
{
	if (row_known(row, field))
		snprintf(buf, CELL_BYTES, "%" PRIu64, row->value[field]);
	else
		strcpy(buf, "-");
}

static void cell_count(const struct row *row, enum row_field field, char *buf)
{
	if (row_known(row, field))
		output_count(buf, row->value[field]);
	else
		strcpy(buf, "-");
}

/* Bytes as procps prints them: with two decimals for objects, whole K for caches. */
static void cell_bytes(const struct row *row, enum row_field field, bool human, char *buf)
{
	if (!row_known(row, field))
		strcpy(buf, "-");
	else if (human)
		output_human(buf, row->value[field]);
	else if (field == ROW_SIZE)
		snprintf(buf, CELL_BYTES, "%.2fK", (double)row->value[field] / 1024.0);
	else
		snprintf(buf, CELL_BYTES, "%" PRIu64 "K", row->value[field] / 1024);
}

static void cell_use(const struct row *row, char *buf)
{
	uint64_t percent;

	if (row_use_percent(row, &percent))
		snprintf(buf, CELL_BYTES, "%" PRIu64 "%%", percent);
	else
		strcpy(buf, "-");
}

/* Names come from other programs: no terminal sequence may pass. */
static void cell_text(const char *text, char *buf)
{
	size_t i;

	for (i = 0; text[i] && i < CELL_BYTES - 1; i++)
		buf[i] = (unsigned char)text[i] < ' ' || text[i] == 127 ? '?' : text[i];
	buf[i] = '\0';
}

bool columns_match(const char *text, const char *part)
{
	size_t len = strlen(part);

	for (; *text; text++)
		if (!strncasecmp(text, part, len))
			return true;
	return !len;
}

/* The name that the filter has found, if that is not the cache's own. */
static const char *matching_alias(const struct row *row, const char *filter)
{
	if (!filter || !*filter || columns_match(row->name, filter))
		return NULL;
	for (size_t i = 0; i < row->nr_aliases; i++)
		if (columns_match(row->aliases[i], filter))
			return row->aliases[i];
	return NULL;
}

/* "name", "name +3" with three aliases, "name = alias" while one is looked for. */
static void cell_name(const struct layout *layout, const struct row *row, char *buf)
{
	const char *alias = matching_alias(row, layout->filter);
	char name[CELL_BYTES], more[32] = "";

	if (row->nr_aliases && !alias)
		snprintf(more, sizeof(more), " +%zu", row->nr_aliases);
	snprintf(name, sizeof(name), "%.127s%s%.80s%s%s", row->name, alias ? " = " : more, alias ? alias : "",
		 row->dead ? " (destroyed)" : "", row->torn ? " ~" : "");
	cell_text(name, buf);
}

static void cell(const struct layout *layout, const struct row *row, enum column_id id, char buf[CELL_BYTES])
{
	switch (id) {
	case COLUMN_OBJS:
		cell_number(row, ROW_OBJECTS, buf);
		break;
	case COLUMN_ACTIVE:
		cell_number(row, ROW_ACTIVE, buf);
		break;
	case COLUMN_USE:
		cell_use(row, buf);
		break;
	case COLUMN_OBJ_SIZE:
		cell_bytes(row, ROW_SIZE, layout->human, buf);
		break;
	case COLUMN_SLABS:
		cell_number(row, ROW_SLABS, buf);
		break;
	case COLUMN_OBJ_SLAB:
		cell_number(row, ROW_OBJECTS_PER_SLAB, buf);
		break;
	case COLUMN_CACHE_SIZE:
		cell_bytes(row, ROW_BYTES, layout->human, buf);
		break;
	case COLUMN_CACHED:
		cell_number(row, ROW_CACHED, buf);
		break;
	case COLUMN_PARTIAL:
		cell_number(row, ROW_PARTIAL, buf);
		break;
	case COLUMN_ALLOC_RATE:
		cell_count(row, ROW_ALLOC_RATE, buf);
		break;
	case COLUMN_FREE_RATE:
		cell_count(row, ROW_FREE_RATE, buf);
		break;
	case COLUMN_SOURCE:
		cell_text(row->source->label, buf);
		break;
	case COLUMN_NAME:
	case COLUMN_NR:
		cell_name(layout, row, buf);
		break;
	}
}

/* ---- choosing ------------------------------------------------------------------------------- */

/* Is there anything to show in this column? */
static bool wanted(enum column_id id, const struct layout_needs *needs, uint32_t known)
{
	switch (id) {
	case COLUMN_SOURCE:
		return needs->several_sources;
	case COLUMN_ALLOC_RATE:
	case COLUMN_FREE_RATE:
		return needs->counters;
	case COLUMN_CACHED:
		return needs->counters || known & 1u << ROW_CACHED;
	case COLUMN_PARTIAL:
		return needs->counters || known & 1u << ROW_PARTIAL;
	default:
		return true;
	}
}

static int widest(const struct layout *layout, const struct rows *rows, enum column_id id)
{
	int width = columns[id].width;
	char buf[CELL_BYTES];

	for (size_t i = 0; i < rows->nr; i++) {
		int len;

		cell(layout, &rows->row[i], id, buf);
		len = (int)strlen(buf);
		width = len > width ? len : width;
	}
	return width;
}

/* The least important column that is still in, or -1. */
static int least_important(const bool *in, bool counters)
{
	int worst = -1;
	unsigned int most = 0;

	for (int id = 0; id < COLUMN_NR; id++) {
		unsigned int importance = counters ? columns[id].importance_counters : columns[id].importance;

		if (in[id] && importance > most) {
			most = importance;
			worst = id;
		}
	}
	return worst;
}

static int fill_layout(struct layout *layout, const bool *in, const int *widths, int limit)
{
	int used = 0;

	layout->nr = 0;
	for (int id = 0; id < COLUMN_NR; id++) {
		if (!in[id])
			continue;
		layout->column[layout->nr] = (enum column_id)id;
		layout->width[layout->nr++] = widths[id];
		if (id != COLUMN_NAME)
			used += widths[id] + 1;
	}
	if (limit != COLUMNS_NO_LIMIT)
		layout->width[layout->nr - 1] = limit > used ? limit - used : 1;
	return used;
}

void layout_choose(struct layout *layout, const struct layout_needs *needs, const struct rows *rows)
{
	uint32_t known = 0;
	bool in[COLUMN_NR];
	int widths[COLUMN_NR], name_min;

	*layout = (struct layout){ .human = needs->human, .filter = needs->filter };
	for (size_t i = 0; i < rows->nr; i++)
		known |= rows->row[i].known;
	for (int id = 0; id < COLUMN_NR; id++) {
		bool fixed = !needs->grow && id != COLUMN_SOURCE;

		in[id] = wanted((enum column_id)id, needs, known);
		widths[id] = in[id] && id != COLUMN_NAME && !fixed ? widest(layout, rows, (enum column_id)id)
								   : columns[id].width;
	}
	name_min = needs->width < 60 ? NAME_TINY : NAME_MIN_WIDTH;
	while (needs->width - fill_layout(layout, in, widths, needs->width) < name_min) {
		int worst = least_important(in, needs->counters);

		if (worst < 0)
			break;
		in[worst] = false;
	}
}

/* ---- lines ---------------------------------------------------------------------------------- */

/* Append one cell and the blank behind it; only NAME and SOURCE stand to the left. */
static size_t put_cell(const struct layout *layout, unsigned int i, const char *text, char *buf, size_t at)
{
	bool left = layout->column[i] == COLUMN_NAME || layout->column[i] == COLUMN_SOURCE;
	int n;

	if (at >= COLUMNS_LINE_BYTES)
		return at;
	n = snprintf(buf + at, COLUMNS_LINE_BYTES - at, left ? "%s%-*s" : "%s%*s", i ? " " : "", layout->width[i], text);
	return at + (size_t)(n > 0 ? n : 0);
}

const char *layout_heading(const struct layout *layout, char buf[COLUMNS_LINE_BYTES])
{
	size_t at = 0;

	for (unsigned int i = 0; i < layout->nr; i++)
		at = put_cell(layout, i, columns[layout->column[i]].title, buf, at);
	return buf;
}

const char *layout_row(const struct layout *layout, const struct row *row, char buf[COLUMNS_LINE_BYTES])
{
	size_t at = 0;

	for (unsigned int i = 0; i < layout->nr; i++) {
		char text[CELL_BYTES];

		cell(layout, row, layout->column[i], text);
		at = put_cell(layout, i, text, buf, at);
	}
	return buf;
}
