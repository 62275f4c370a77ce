/* SPDX-License-Identifier: BSD-2-Clause */
/* verbs.h - what the command line asks for, and doing it to one process. */
#ifndef KMEMLEAK_VERBS_H
#define KMEMLEAK_VERBS_H

#include <signal.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/output.h"
#include "kmemleak/report.h"
#include "kmemleak/scan.h"

#define EXIT_LEAKS 23 /* as LeakSanitizer */

enum verb {
	VERB_SCAN,
	VERB_CLEAR,
	VERB_DUMP,
};

struct settings {
	enum verb verb;
	uint32_t period_ms;    /* scan=SECS: repeat; 0 once */
	uint32_t trace_ms;     /* record call sites for so long before the first scan; 0 do not */
	uint64_t address;      /* dump=ADDR */
	uint64_t min_bytes;    /* smaller objects are not reported */
	const char *cache;     /* glob: other caches are not reported; NULL all */
	struct scan_options scan;
	struct report_options report;
};

/*
 * Carry out the verb on one process and print to `o`; errors go to stderr, one
 * line. *interrupted set by a signal handler ends a repeated scan, and the wait
 * before a traced one, which then takes place at once. Return the exit code: 0, EXIT_LEAKS, or 1.
 */
int verb_run(pid_t pid, const struct settings *settings, struct output *o, const volatile sig_atomic_t *interrupted);

/* What to make of the codes of two processes: an error counts more than leaks, leaks more than none. */
int verb_worse(int a, int b);

#endif
