/* SPDX-License-Identifier: BSD-2-Clause */
/* stat.h - kmemtrace stat: counters while processes run, without tracing them; or the kernel's. */
#ifndef KMEMTRACE_STAT_H
#define KMEMTRACE_STAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/output.h"
#include "kmemtrace/counters.h"

#define STAT_MAX_PIDS 64

struct stat_options {
	pid_t pids[STAT_MAX_PIDS];
	size_t nr_pids;
	char **command;
	bool kernel, preload;
	uint32_t interval_ms; /* 0: at the end only */
	uint32_t duration_ms;
	uint32_t runs;        /* of the command */
	enum output_format format;
};

/* The command line: argv[0] is "stat". Return the exit code: that of the command with -c. */
int stat_run(int argc, char **argv);

#endif
