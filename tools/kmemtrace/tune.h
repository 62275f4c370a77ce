/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tune.h - what would be if: recorded work through models with other limits.
 */
#ifndef KMEMTRACE_TUNE_H
#define KMEMTRACE_TUNE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtrace/model_geometry.h"
#include "kmemtrace/work.h"

/* What the models came to. */
struct tune_result {
	uint64_t peak_bytes; /* of all slabs together, at the same moment */
	uint64_t mean_bytes; /* over all steps */
	uint64_t end_bytes;
	uint64_t slow_trips; /* steps that took a lock or a new slab */
	uint64_t steps;
};

#define TUNE_ALL UINT32_MAX /* all caches */

/* Which model a step goes to; -1: none. */
typedef int tune_route(const void *context, const struct work_op *op);

/* The models of a simulation. */
struct tune_models {
	const struct model_config *config;
	uint32_t nr;
	tune_route *route;
	const void *context;
};

/* Run the steps of one cache, or of TUNE_ALL. Return 0 or -ENOMEM. work_index() must have been called. */
int tune_simulate(const struct work *work, uint32_t cache, const struct tune_models *models, struct tune_result *result);

/* A change that was tried. */
struct tune_trial {
	uint32_t cache;          /* index, or TUNE_ALL */
	char what[96];           /* "cpu_partial 120 -> 60" */
	char setting[160];       /* what to write or pass */
	struct tune_result before, after;
};

struct tune {
	const struct work *work;
	struct tune_result *before; /* per cache */
	struct tune_result all;
	struct tune_trial *trial;
	size_t nr_trials, room;
	bool no_memory;
};

/* Try all there is. Return 0 or -ENOMEM; tune_close() in any case. */
int tune_open(struct tune *tune, const struct work *work);
void tune_close(struct tune *tune);

/* The configuration of a cache under boot parameters. */
struct model_config tune_boot(const struct model_config *config, const struct geometry_boot *boot);

/* Bytes that the trial saves at the peak, and slow trips; negative: it costs them. */
static inline int64_t tune_saves(const struct tune_trial *t)
{
	return (int64_t)(t->before.peak_bytes - t->after.peak_bytes);
}

static inline int64_t tune_spares(const struct tune_trial *t)
{
	return (int64_t)(t->before.slow_trips - t->after.slow_trips);
}

/* The verb. argv[0] is its name. Return: exit code. */
int tune_run(int argc, char **argv);

#endif
