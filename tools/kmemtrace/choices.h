/* SPDX-License-Identifier: BSD-2-Clause */
/* choices.h - the options that say which part of a recording to look at: the same for report, diff, export and pin. */
#ifndef KMEMTRACE_CHOICES_H
#define KMEMTRACE_CHOICES_H

#include <stdbool.h>

#include "common/args.h"
#include "kmemtrace/analysis.h"

enum choices_id {
	CHOICES_FILTER = 1,
	CHOICES_SKIP,
	CHOICES_FROM,
	CHOICES_TO,
	CHOICES_PAGES,
	CHOICES_DEBUG_DIR,
	CHOICES_END, /* ids of a command's own options begin here */
};

#define CHOICES_OPTIONS \
	{ 'f', "filter", "REGEX", "only what has a function or a cache whose name matches", CHOICES_FILTER }, \
	{ 0, "skip", "REGEX", "further functions that only pass requests on: not call sites", CHOICES_SKIP }, \
	{ 0, "from", "TIME", "count from this time of the recording on (2.5s, 300ms)", CHOICES_FROM }, \
	{ 0, "to", "TIME", "up to this time", CHOICES_TO }, \
	{ 0, "pages", NULL, "blocks of pages instead of objects", CHOICES_PAGES }, \
	{ 0, "debug-dir", "DIR", "look for debug files there, too", CHOICES_DEBUG_DIR }

/* Handle one of them. Return as args_parse()'s handlers do. */
int choices_handle(const struct args_tool *tool, struct analysis_options *o, const struct args_option *option,
		   const char *value);

/* Whether they leave anything out. */
bool choices_any(const struct analysis_options *o);

/* Say that `what` could not be written, once: what is left of it is dropped. Return ARGS_EXIT_RUNTIME. */
int choices_write_error(const char *what, int err);

#endif
