/* SPDX-License-Identifier: BSD-2-Clause */
/* analysis.h - a trace file read from end to end into an aggregate, with names for what is in it. */
#ifndef KMEMTRACE_ANALYSIS_H
#define KMEMTRACE_ANALYSIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtrace/aggregate.h"
#include "kmemtrace/sites.h"
#include "kmemtrace/trace_file.h"

struct analysis_options {
	const char *filter;       /* only what has a function or cache that this matches, or NULL */
	const char *skip;         /* sites_init() */
	const char *debug_dir;    /* trace_open() */
	uint64_t from_ns, to_ns;  /* of the recording; to 0: its end */
	bool pages;               /* blocks of pages instead of objects */
	bool by_size;             /* groups by size, too */
	bool no_symbols;
	bool until_snapshot;      /* stop at the moment of the snapshot of the end */
	/* Called after each event that was counted, with what it was; NULL. */
	void (*each)(void *context, const struct aggregate *a, const struct trace_event *e);
	void *context;
};

struct analysis {
	const char *path;
	struct trace *trace;
	const struct trace_info *info;
	struct sites sites;
	struct aggregate aggregate;
	uint64_t window_ns;       /* that the aggregate is about */
	uint64_t failed;          /* allocations that failed */
	uint64_t other;           /* events of the other kind: pages, or objects */
	uint64_t inherited;       /* frees, in forked processes, of what their parents had allocated */
	uint64_t abandoned;       /* objects of processes that ended before the recording did */
	uint64_t early_frees;     /* of objects older than the recording that its list of those does not have */
	bool has_begin;           /* that list is there */

	/* Private. */
	const struct analysis_options *options;
	regex_t filter;
	bool filters;
	struct trace_snapshot begin;
	struct analysis_change *change; /* processes that come and go, in order of time */
	size_t nr_changes, next_change;
};

/* Read it all. Return 0 or -errno with one line in err. analysis_close() in any case. */
int analysis_run(struct analysis *an, const char *path, const struct analysis_options *options, char *err, size_t len);
void analysis_close(struct analysis *an);

/* Events that are missing from the file, as far as anybody knows. */
uint64_t analysis_missing(const struct analysis *an);

#endif
