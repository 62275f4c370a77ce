/* SPDX-License-Identifier: BSD-2-Clause */
/* moment.h - which slabs and objects there are: at the end of a recording, or in a process now. */
#ifndef KMEMTRACE_MOMENT_H
#define KMEMTRACE_MOMENT_H

#include <stddef.h>
#include <sys/types.h>

#include "kmemtrace/analysis.h"

/* Zero-initialise. */
struct moment {
	struct trace_snapshot snapshot;
	pid_t pid;                       /* 0: of the recording */
	struct trace_object *objects;    /* the moment's own */
	struct trace_block *blocks;
};

/*
 * With pid 0 the end of the recording, else the process as it is now, which must
 * be one of the recording's. Return 0 or -errno with one line in err.
 */
int moment_take(struct moment *m, struct analysis *an, pid_t pid, char *err, size_t len);
void moment_free(struct moment *m);

#endif
