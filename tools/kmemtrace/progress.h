/* SPDX-License-Identifier: BSD-2-Clause */
/* progress.h - the line that says how a recording goes, on a terminal only, and the one at its end. */
#ifndef KMEMTRACE_PROGRESS_H
#define KMEMTRACE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "kmemtrace/trace_write.h"

struct progress {
	bool terminal, quiet, shown;
	uint64_t begin_ns, last_ns, last_events;
};

/* `quiet`: nothing at all but errors. */
void progress_init(struct progress *p, bool quiet);

/* Is it time for the next line? False when there is none to be shown. */
bool progress_due(struct progress *p, uint64_t now_ns);

/* "12.3M events  4.1M/s  lost 0  63M file  00:12" in place of the last one. */
void progress_show(struct progress *p, uint64_t now_ns, uint64_t events, uint64_t bytes, uint64_t lost);

/* Make room for another message. */
void progress_clear(struct progress *p);

/* What was recorded, and whether it is all. */
void progress_end(struct progress *p, const char *file, uint64_t events, uint64_t bytes,
		  const struct trace_totals *totals);

#endif
