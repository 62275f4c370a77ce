/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel.h - kmemleak --kernel: watches the kernel allocate and free, and reports
 * what is left. kernel_list.h says how that is judged.
 */
#ifndef KMEMLEAK_KERNEL_H
#define KMEMLEAK_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/kobjects.h"
#include "common/symbols.h"
#include "kmemleak/kernel_list.h"
#include "kmemleak/verbs.h"

#define KERNEL_MIN_AGE_MS 10000 /* kfree_rcu() has freed by then what it was given */
#define KERNEL_TRACE_MS   30000 /* unless a command says how long */

struct kernel_settings {
	bool on;
	const char *command;  /* watch while this runs, by /bin/sh; NULL: for settings.trace_ms */
	uint32_t min_age_ms;  /* younger objects are not judged */
	uint32_t stack_every; /* keep the stack of one in so many allocations; 0: of none */
};

/* Objects of a cache that came, or with a minus went, and no event told. */
struct kernel_residue {
	const char *cache;
	int64_t objects;
};

/* A finished scan. */
struct kernel_scan {
	struct kernel_list list;
	uint64_t watched_ns;
	uint64_t allocs, frees;
	uint64_t silent; /* allocations of addresses that were live */
	struct kobjects_totals totals;
	struct kernel_residue *residues; /* largest first, those that are not 0 */
	size_t nr_residues, nr_caches;
	uint64_t freed_meanwhile; /* while it was asked whether they are live */
	uint32_t min_age_ms;
	const struct kobjects *objects; /* for stacks */
	struct symbols *symbols;        /* NULL: addresses only */
};

/*
 * Watch and report, by settings.verb and period as for a process. Errors go to
 * stderr, one line. Return the exit code: 0, EXIT_LEAKS, or 1.
 */
int kernel_run(const struct settings *settings, const struct kernel_settings *kernel, struct output *o,
	       const volatile sig_atomic_t *interrupted);

#endif
