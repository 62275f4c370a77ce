/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pooltable.h - the pools of processes as text: sums, heading and rows.
 */
#ifndef SLABTOP_POOLTABLE_H
#define SLABTOP_POOLTABLE_H

#include <stdbool.h>

#include "common/pools.h"
#include "slabtop/columns.h"
#include "slabtop/header.h"

enum pooltable_column {
	POOLTABLE_KIND,
	POOLTABLE_UNIT,
	POOLTABLE_SIZE,
	POOLTABLE_NOW,
	POOLTABLE_MARK, /* low water or peak */
	POOLTABLE_ALLOCS,
	POOLTABLE_FREES,
	POOLTABLE_WAITING,
	POOLTABLE_WAITS,
	POOLTABLE_LONGEST,
	POOLTABLE_FAILURES,
	POOLTABLE_FRAGMENTATION,
	POOLTABLE_SOURCE,
	POOLTABLE_NAME,
	POOLTABLE_NR
};

struct pooltable {
	bool in[POOLTABLE_NR];
};

/* Columns that fit into `width` (or COLUMNS_NO_LIMIT), the least important left out first; NAME is always there. */
void pooltable_choose(struct pooltable *table, int width, bool several_sources);

/* The heading, and a row; no newline. Return buf. */
const char *pooltable_heading(const struct pooltable *table, char buf[COLUMNS_LINE_BYTES]);
const char *pooltable_row(const struct pooltable *table, const struct pool *pool, char buf[COLUMNS_LINE_BYTES]);

/* Sums by kind. */
void pooltable_header(struct header *header, const struct pools *pools);

/* Does the pool's name, kind or backend contain `filter`, without regard to case? */
bool pooltable_match(const struct pool *pool, const char *filter);

#endif
