/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace.h - records who allocates what in a process from now on, so that leaks
 * found later can be given a call site and an age.
 *
 *   trace_start(&trace, t);    attach to every libkmem root
 *   trace_wait(&trace, ...);   let the process work, and lose
 *   scan_run(); trace_explain(&trace, root, &scan);   any number of times
 *   trace_end(&trace);         always
 *
 * One frame is known of each allocation: the direct caller of libkmem.
 */
#ifndef KMEMLEAK_TRACE_H
#define KMEMLEAK_TRACE_H

#include <signal.h>
#include <stdint.h>

#include "common/collect.h"
#include "common/target.h"
#include "kmemleak/scan.h"

#define TRACE_MAX_OBJECTS (1u << 20) /* live at a time, of one root: 16 MB at once, up to 96 MB more in use */

/* Zero-initialise. */
struct trace {
	pid_t pid;
	struct collect *collect[TARGET_MAX_ROOTS]; /* one process can be watched once per collector */
	unsigned int nr;
	uint64_t since_ns; /* CLOCK_MONOTONIC: from here on every event is seen */
	struct scan_trace known;
};

/*
 * Attach to all roots of `t` (see target_find_roots()). Return 0, or -errno
 * with one line in t->message that names cause and remedy; -EPERM and -EACCES
 * without the privilege.
 */
int trace_start(struct trace *trace, struct target *t);

/* Return after `ms`, or earlier when *interrupted is set by a signal handler or the process has ended. */
void trace_wait(const struct trace *trace, uint32_t ms, const volatile sig_atomic_t *interrupted);

/*
 * Give the leaks of a finished scan of t->roots[root] their call sites and
 * ages, and the scan what reports need beyond (until trace_end()). A leak
 * without a record, or with one that may be of an earlier object, stays unknown.
 */
void trace_explain(struct trace *trace, unsigned int root, struct scan *scan);

/* Detach and free everything. Harmless on a zeroed or ended struct. */
void trace_end(struct trace *trace);

#endif
