/* SPDX-License-Identifier: BSD-2-Clause */
/* export.h - `kmemtrace export`: a recording in the formats of other tools. */
#ifndef KMEMTRACE_EXPORT_H
#define KMEMTRACE_EXPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "kmemtrace/analysis.h"
#include "kmemtrace/rank.h"

/* The whole command: argv[0] is "export". Return its exit code. */
int export_main(int argc, char **argv);

/*
 * Each writes one format. Return 0 or -errno; errors of writing that show when
 * the file is flushed are the caller's. `weight` is one of RANK_ALLOCS,
 * RANK_BYTES, RANK_OBJECTS, RANK_LIVE, RANK_PEAK.
 */

/* pprof's profile.proto, gzipped. RANK_PEAK: what is in use is that of the peak. Writes to the file's descriptor. */
int export_pprof(struct analysis *an, enum rank_sort weight, FILE *file);

/* "main;f;g 12": a line per stack. */
int export_folded(struct analysis *an, enum rank_sort weight, FILE *file);

/* A flame graph, as large as it needs to be. */
int export_svg(struct analysis *an, enum rank_sort weight, const char *title, FILE *file);

/*
 * Chrome's JSON of trace events, which Perfetto reads: counters of live bytes per
 * cache over time. Runs the analysis itself, as it must see it happen.
 */
int export_perfetto(const char *path, const struct analysis_options *options, FILE *file, char *err, size_t len);

#endif
