/* SPDX-License-Identifier: BSD-2-Clause */
/* moment.c - see moment.h. */
#include "kmemtrace/moment.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int moment_take(struct moment *m, struct analysis *an, pid_t pid, char *err, size_t len)
{
	m->pid = pid;
	if (trace_read_snapshot(an->trace, TRACE_END, &m->snapshot))
		return 0;
	snprintf(err, len, "%s has no list of what lived at its end: give the process with -p PID if it is still there", an->path);
	return -ENOENT;
}

void moment_free(struct moment *m)
{
	free(m->objects);
	free(m->blocks);
	memset(m, 0, sizeof(*m));
}
