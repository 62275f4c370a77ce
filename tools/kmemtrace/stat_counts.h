/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stat_counts.h - one run of kmemtrace stat: processes that are there, or a command with
 * all that it starts, or the kernel.
 */
#ifndef KMEMTRACE_STAT_COUNTS_H
#define KMEMTRACE_STAT_COUNTS_H

#include "kmemtrace/stat.h"

struct stat_result {
	struct counters counters;
	uint64_t ns;
	int exit_code;   /* of the command; 0 without */
	size_t processes; /* that had libkmem */
};

/* Called after each interval with what was counted in it, and the time since the beginning. */
typedef void stat_tick(void *context, uint64_t since_ns, uint64_t interval_ns, const struct counters *counters);

/* Count until the end. Return 0, or -errno with one line in err[len]. */
int stat_count(const struct stat_options *options, stat_tick *tick, void *context, struct stat_result *result, char *err,
	       size_t len);

#endif
