/* SPDX-License-Identifier: BSD-2-Clause */
/* pin_main.c - `kmemtrace pin`: the command line and what it prints. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/args.h"
#include "common/output.h"
#include "kmemtrace/choices.h"
#include "kmemtrace/moment.h"
#include "kmemtrace/pin.h"
#include "kmemtrace/units.h"

#define ROWS  20u
#define BELOW 50u

struct command {
	const char *path, *debug_dir, *skip;
	pid_t pid;
	size_t limit;
	unsigned int below;
	enum output_format format;
};

enum option_id {
	OPT_PID = 1,
	OPT_BELOW,
	OPT_LIMIT,
	OPT_SKIP,
	OPT_DEBUG_DIR,
	OPT_JSON,
	OPT_CSV,
};

static const struct args_option options[] = {
	{ 'p', "pid", "PID", "the slabs of this process as they are now, not at the end of the recording", OPT_PID },
	{ 0, "below", "PERCENT", "slabs are sparse when less than this is in use (default 50)", OPT_BELOW },
	{ 'n', "limit", "N", "rows", OPT_LIMIT },
	{ 0, "skip", "REGEX", "further functions that only pass requests on: not call sites", OPT_SKIP },
	{ 0, "debug-dir", "DIR", "look for debug files there, too", OPT_DEBUG_DIR },
	{ 'j', "json", NULL, "JSON lines: one record of the total, then one per row", OPT_JSON },
	{ 0, "csv", NULL, "CSV, one line per row", OPT_CSV },
	{ 0 },
};

static int handle(void *context, const struct args_option *option, const char *value);

static const struct args_tool tool = {
	.name = "kmemtrace pin",
	.synopsis = "FILE [OPTION]...",
	.summary = "Say whose few live objects keep slabs that are mostly free.",
	.options = options,
	.epilog = "PINS is the free memory of those slabs, shared among the objects in them; ALONE are slabs\n"
		  "that only this call site keeps: freeing its objects gives them back.\n"
		  "Exit status: 0, 1 an error, 2 wrong usage.\n",
	.handle = handle,
	.operands = true,
};

static int set_number(const struct args_option *option, const char *value, uint64_t max, uint64_t *number)
{
	if (!args_number(value, 1, max, number))
		return args_error(&tool, "--%s: '%s' is not a number from 1 to %llu", option->name, value,
				  (unsigned long long)max);
	return ARGS_CONTINUE;
}

static int handle(void *context, const struct args_option *option, const char *value)
{
	struct command *c = context;
	uint64_t number = 0;
	int code = ARGS_CONTINUE;

	if (!option) {
		if (c->path)
			return args_error(&tool, "more than one file: '%s'", value);
		c->path = value;
		return ARGS_CONTINUE;
	}
	switch ((enum option_id)option->id) {
	case OPT_PID:
		code = set_number(option, value, INT32_MAX, &number);
		c->pid = (pid_t)number;
		break;
	case OPT_BELOW:
		code = set_number(option, value, 100, &number);
		c->below = (unsigned int)number;
		break;
	case OPT_LIMIT:
		code = set_number(option, value, 1000000000, &number);
		c->limit = (size_t)number;
		break;
	case OPT_SKIP:
		c->skip = value;
		break;
	case OPT_DEBUG_DIR:
		c->debug_dir = value;
		break;
	case OPT_JSON:
		c->format = OUTPUT_JSON;
		break;
	case OPT_CSV:
		c->format = OUTPUT_CSV;
		break;
	}
	return code;
}

/* ---- text ------------------------------------------------------------------------------ */

static const char *age_of(const struct pin_row *row, char buf[UNITS_BYTES])
{
	if (!row->age.nr)
		return "old";
	return units_duration(buf, histogram_quantile(&row->age, 500));
}

static void print_verdict(const struct analysis *an, const struct pin *pin)
{
	const struct pin_row *row = pin->row;
	char pinned[OUTPUT_HUMAN_BYTES], alone[OUTPUT_HUMAN_BYTES], bytes[OUTPUT_HUMAN_BYTES], age[UNITS_BYTES];

	if (!pin->nr || !pin->pinned) {
		printf("No slab is less than %u%% used: nothing is pinned.\n", pin->below);
		return;
	}
	printf("%llu live objects (%s) from %s pin %s in %llu slabs of %s%s,\n%s%s; freeing them gives back %s of slabs that nobody else uses.\n",
	       (unsigned long long)row->objects, output_human(bytes, row->bytes), an->sites.site[row->site].label,
	       output_human(pinned, row->pinned), (unsigned long long)row->slabs, trace_cache(an->trace, row->cache)->name,
	       row->caches ? " and others" : "", row->age.nr ? "half of them younger than " : "older than the recording",
	       row->age.nr ? age_of(row, age) : "", output_human(alone, row->alone_bytes));
}

static void print_totals(const struct analysis *an, const struct pin *pin, const struct moment *m)
{
	char sparse[OUTPUT_HUMAN_BYTES], all[OUTPUT_HUMAN_BYTES], pinned[OUTPUT_HUMAN_BYTES], when[UNITS_BYTES];

	printf("%s, ", an->path);
	if (m->pid)
		printf("PID %d as it is now", m->pid);
	else
		printf("at its end, %s", units_duration(when, m->snapshot.time_ns));
	printf(": %llu of %llu slabs are less than %u%% used,\n%s of %s; %s in them is free. So are %llu of %llu pageblocks of 2M.\n",
	       (unsigned long long)pin->sparse_slabs, (unsigned long long)pin->slabs, pin->below,
	       output_human(sparse, pin->sparse_bytes), output_human(all, pin->slab_bytes), output_human(pinned, pin->pinned),
	       (unsigned long long)pin->sparse_pageblocks, (unsigned long long)pin->pageblocks);
	if (analysis_missing(an))
		puts("Events are missing from this recording: some objects have no call site, or a wrong one.");
	putchar('\n');
}

static void print_row(const struct analysis *an, const struct pin_row *row)
{
	char pinned[OUTPUT_HUMAN_BYTES], alone[OUTPUT_HUMAN_BYTES], objects[OUTPUT_HUMAN_BYTES], bytes[OUTPUT_HUMAN_BYTES];
	char slabs[OUTPUT_HUMAN_BYTES], pageblocks[OUTPUT_HUMAN_BYTES], age[UNITS_BYTES], used[UNITS_BYTES];

	printf(" %6s %6s %7s %6s %6s %5s %5s %6s  %s  (%s%s)\n", output_human(pinned, row->pinned),
	       output_human(alone, row->alone_bytes), output_count(objects, row->objects), output_human(bytes, row->bytes),
	       output_count(slabs, row->slabs), units_percent(used, row->bytes, row->slab_bytes),
	       output_count(pageblocks, row->pageblocks), age_of(row, age), an->sites.site[row->site].label,
	       trace_cache(an->trace, row->cache)->name, row->caches ? ", ..." : "");
}

static void print_text(const struct analysis *an, const struct pin *pin, const struct moment *m, const struct command *c)
{
	size_t limit = c->limit ? c->limit : ROWS, shown = 0;

	print_totals(an, pin, m);
	print_verdict(an, pin);
	if (!pin->nr || !pin->pinned)
		return;
	printf("\n %6s %6s %7s %6s %6s %5s %5s %6s  %s\n", "PINS", "ALONE", "OBJECTS", "BYTES", "SLABS", "USED", "2M", "AGE", "SITE");
	for (size_t i = 0; i < pin->nr && pin->row[i].pinned && shown < limit; i++, shown++)
		print_row(an, &pin->row[i]);
}

/* ---- records --------------------------------------------------------------------------- */

static void record_total(struct output *o, const struct analysis *an, const struct pin *pin, const struct moment *m)
{
	output_begin(o);
	output_string(o, "type", "total");
	output_string(o, "file", an->path);
	if (m->pid)
		output_number(o, "pid", (uint64_t)m->pid);
	else
		output_unknown(o, "pid");
	output_number(o, "below_percent", pin->below);
	output_number(o, "slabs", pin->slabs);
	output_number(o, "slab_bytes", pin->slab_bytes);
	output_number(o, "sparse_slabs", pin->sparse_slabs);
	output_number(o, "sparse_bytes", pin->sparse_bytes);
	output_number(o, "pinned_bytes", pin->pinned);
	output_number(o, "pageblocks", pin->pageblocks);
	output_number(o, "sparse_pageblocks", pin->sparse_pageblocks);
	output_bool(o, "complete", !analysis_missing(an));
	output_end(o);
}

static void record_row(struct output *o, const struct analysis *an, const struct pin_row *row)
{
	output_begin(o);
	output_string(o, "type", "row");
	output_string(o, "site", an->sites.site[row->site].label);
	output_string(o, "cache", trace_cache(an->trace, row->cache)->name);
	output_bool(o, "one_cache", !row->caches);
	output_number(o, "objects", row->objects);
	output_number(o, "bytes", row->bytes);
	output_number(o, "pinned_bytes", row->pinned);
	output_number(o, "slabs", row->slabs);
	output_number(o, "slab_bytes", row->slab_bytes);
	output_number(o, "alone_objects", row->alone_objects);
	output_number(o, "alone_slabs", row->alone_slabs);
	output_number(o, "alone_bytes", row->alone_bytes);
	output_number(o, "sparse_pageblocks", row->pageblocks);
	output_number(o, "objects_older_than_recording", row->unknown_age);
	if (row->age.nr) {
		output_number(o, "age_p50_ns", histogram_quantile(&row->age, 500));
		output_number(o, "age_max_ns", row->age.max);
	} else {
		output_unknown(o, "age_p50_ns");
		output_unknown(o, "age_max_ns");
	}
	output_end(o);
}

static void print_records(const struct analysis *an, const struct pin *pin, const struct moment *m, const struct command *c,
			  struct output *o)
{
	if (o->format == OUTPUT_JSON)
		record_total(o, an, pin, m);
	for (size_t i = 0; i < pin->nr && pin->row[i].pinned && (!c->limit || i < c->limit); i++)
		record_row(o, an, &pin->row[i]);
}

/* ---- the command ----------------------------------------------------------------------- */

static int print(struct analysis *an, const struct moment *m, const struct command *c)
{
	struct output o;
	struct pin pin;
	int err = pin_make(&pin, an, &m->snapshot, c->below) ? 0 : -ENOMEM;

	output_init(&o, stdout, c->format);
	if (!err && c->format == OUTPUT_TEXT)
		print_text(an, &pin, m, c);
	else if (!err)
		print_records(an, &pin, m, c, &o);
	pin_free(&pin);
	if (!err)
		err = output_flush(&o);
	if (!err)
		return ARGS_EXIT_OK;
	return choices_write_error("the report", err);
}

int pin_main(int argc, char **argv)
{
	struct command c = { .below = BELOW };
	struct analysis_options analysis = { .until_snapshot = true };
	struct analysis an;
	struct moment m = { 0 };
	char err[512];
	int code = args_parse(&tool, argc, argv, &c, NULL);

	if (code == ARGS_CONTINUE && !c.path)
		code = args_error(&tool, "no file given");
	if (code != ARGS_CONTINUE)
		return code;
	analysis.skip = c.skip;
	analysis.debug_dir = c.debug_dir;
	if (analysis_run(&an, c.path, &analysis, err, sizeof(err)) || moment_take(&m, &an, c.pid, err, sizeof(err))) {
		fprintf(stderr, "kmemtrace: %s\n", err);
		code = ARGS_EXIT_RUNTIME;
	} else {
		code = print(&an, &m, &c);
	}
	moment_free(&m);
	analysis_close(&an);
	return code;
}
