/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rank.h - the groups of an analysis added up by call site, function, stack,
 * cache, size or process, and put in order.
 */
#ifndef KMEMTRACE_RANK_H
#define KMEMTRACE_RANK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/output.h"
#include "kmemtrace/analysis.h"
#include "kmemtrace/intern.h"

enum rank_by {
	RANK_SITE,
	RANK_FUNCTION,
	RANK_STACK,
	RANK_CACHE,
	RANK_SIZE,  /* needs analysis_options.by_size */
	RANK_PID,
	RANK_NR_BY
};

enum rank_sort {
	RANK_LIVE,
	RANK_OBJECTS,
	RANK_GROWTH,
	RANK_PEAK,
	RANK_ALLOCS,
	RANK_FREES,
	RANK_BYTES,
	RANK_WASTE,  /* of what is alive; of what is not, of all allocations */
	RANK_TEMPORARY,
	RANK_REMOTE,
	RANK_AGE,      /* median of what is alive */
	RANK_LIFETIME, /* median of what was freed */
	RANK_NR_SORTS
};

struct rank_row {
	const char *label;  /* the same in each run */
	uint32_t stack;     /* of the group with the most bytes */
	uint32_t cache;     /* likewise */
	bool caches;        /* more than one */
	bool wrapper;       /* its site is nothing but a wrapper */
	const struct trace_module *module; /* of the site, or NULL */
	uint64_t weight;    /* of that group */
	struct stats stats;
};

struct rank {
	struct rank_row *row;
	size_t nr;

	/* Private. */
	struct intern labels;
	size_t room;
};

/* Names for --by and --sort; -1: no such name. */
int rank_by_name(const char *name);
int rank_sort_name(const char *name);
const char *rank_title(enum rank_by by);

/* Add up. False: no memory. rank_free() in any case. */
bool rank_build(struct rank *rank, struct analysis *an, enum rank_by by);
void rank_free(struct rank *rank);

/* Largest first; what is equal by allocations, then by label. */
void rank_sort(struct rank *rank, enum rank_sort sort);
uint64_t rank_value(const struct stats *s, enum rank_sort sort);

/* Whether its values are bytes. */
bool rank_is_bytes(enum rank_sort sort);

/* Bytes that a row has gained since the start, 0 if it lost some. */
uint64_t rank_growth(const struct stats *s);

/* The fields of a row, as documented in kmemtrace(1), into the record that was begun. */
void rank_record(struct output *o, const struct analysis *an, enum rank_by by, const struct rank_row *row);
void rank_record_stats(struct output *o, const struct stats *s, uint64_t window_ns);

#endif
