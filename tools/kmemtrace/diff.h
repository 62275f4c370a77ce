/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * diff.h - `kmemtrace diff A B`: what changed between two recordings, per call
 * site or other key.
 *
 * Rows are matched by their labels, which do not depend on where a run's code was
 * mapped. Where a module was built anew (another build-id), its call sites are
 * matched by function instead, as lines and offsets have moved.
 */
#ifndef KMEMTRACE_DIFF_H
#define KMEMTRACE_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtrace/analysis.h"
#include "kmemtrace/rank.h"

/* Of A and B; a row that one of them does not have is NULL there. */
struct diff_row {
	const char *label;
	struct rank_row *side[2];
	int64_t change;     /* B - A of what is sorted by; of counts of events: per second */
	bool significant;   /* more than the counts themselves would vary */
};

struct diff {
	struct analysis *an[2];
	struct rank rank[2];
	struct intern labels;
	struct diff_row *row;
	size_t nr, nr_new, nr_gone;
	bool rebuilt;       /* a module was: its sites are matched by function */
};

/* False: no memory. diff_free() in any case; the analyses stay the caller's. */
bool diff_make(struct diff *d, struct analysis *a, struct analysis *b, enum rank_by by, enum rank_sort sort);
void diff_free(struct diff *d);

/* The whole command: argv[0] is "diff". Return its exit code. */
int diff_main(int argc, char **argv);

#endif
