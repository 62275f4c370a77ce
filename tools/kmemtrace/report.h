/* SPDX-License-Identifier: BSD-2-Clause */
/* report.h - `kmemtrace report`: what a recording says, on one screen or as records. */
#ifndef KMEMTRACE_REPORT_H
#define KMEMTRACE_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "common/output.h"
#include "kmemtrace/analysis.h"
#include "kmemtrace/findings.h"
#include "kmemtrace/rank.h"

struct report_options {
	const char *path;
	struct analysis_options analysis;
	int by;              /* enum rank_by, -1: the overview */
	int sort;            /* enum rank_sort, -1: what suits the table */
	size_t limit;        /* rows; 0: as many as suit the screen */
	bool tree;
	bool histogram;
	bool verify;
	size_t timeline;     /* rows of it as CSV or records; 0: none */
	enum output_format format;
	unsigned int columns, lines; /* of the screen; 0: no limit */
	bool colour;
};

/* The whole command: argv[0] is "report". Return its exit code. */
int report_main(int argc, char **argv);

/* The parts of the text: file, duration and whether it is complete; what happened over time. */
void report_header(const struct analysis *an, const struct report_options *o, FILE *file);
void report_findings(const struct findings *f, const struct report_options *o, FILE *file);

/* Three short tables: who holds memory, who allocates, what is wasted. False: no memory. */
bool report_overview(struct analysis *an, const struct report_options *o, FILE *file);

/* One table with all columns. False: no memory. */
bool report_table(struct analysis *an, const struct report_options *o, FILE *file);

/* Lifetimes and sizes by power of two. */
void report_histograms(const struct analysis *an, FILE *file);

/* JSON lines or CSV. False: no memory. */
bool report_records(struct analysis *an, const struct report_options *o, struct output *out);
void report_timeline(const struct analysis *an, size_t rows, struct output *out);

#endif
