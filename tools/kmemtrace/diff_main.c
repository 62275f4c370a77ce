/* SPDX-License-Identifier: BSD-2-Clause */
/* diff_main.c - `kmemtrace diff`: the command line and what it prints. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/args.h"
#include "common/output.h"
#include "kmemtrace/choices.h"
#include "kmemtrace/diff.h"
#include "kmemtrace/units.h"

#define ROWS 20u

struct command {
	struct analysis_options analysis;
	const char *path[2];
	enum rank_by by;
	enum rank_sort sort;
	size_t limit;
	bool all;
	enum output_format format;
};

enum option_id {
	OPT_BY = CHOICES_END,
	OPT_SORT,
	OPT_LIMIT,
	OPT_ALL,
	OPT_JSON,
	OPT_CSV,
};

static const struct args_option options[] = {
	{ 'b', "by", "WHAT", "compare by site (default), function, stack, cache or size", OPT_BY },
	{ 's', "sort", "COLUMN", "largest change of live (default), objects, growth, peak, allocs, frees,\n"
				 "bytes, waste, temporary or remote first", OPT_SORT },
	{ 'n', "limit", "N", "rows", OPT_LIMIT },
	{ 'a', "all", NULL, "also what may have changed by chance", OPT_ALL },
	CHOICES_OPTIONS,
	{ 'j', "json", NULL, "JSON lines", OPT_JSON },
	{ 0, "csv", NULL, "CSV", OPT_CSV },
	{ 0 },
};

static int handle(void *context, const struct args_option *option, const char *value);

static const struct args_tool tool = {
	.name = "kmemtrace diff",
	.synopsis = "A B [OPTION]...",
	.summary = "Say what changed from recording A to recording B.",
	.options = options,
	.epilog = "Counts of events are compared per second, as recordings differ in length. Growth is what\n"
		  "live bytes gained per second. Exit status: 0, 1 an error, 2 wrong usage.\n",
	.handle = handle,
	.operands = true,
};

static int set_operand(struct command *c, const char *value)
{
	if (c->path[1])
		return args_error(&tool, "more than two files: '%s'", value);
	c->path[c->path[0] ? 1 : 0] = value;
	return ARGS_CONTINUE;
}

static int set_by(struct command *c, const char *value)
{
	int by = rank_by_name(value);

	/* Numbers of processes mean nothing in another run. */
	if (by < 0 || by == RANK_PID)
		return args_error(&tool, "--by: unknown '%s'", value);
	c->by = (enum rank_by)by;
	c->analysis.by_size = by == RANK_SIZE;
	return ARGS_CONTINUE;
}

static int set_sort(struct command *c, const char *value)
{
	int sort = rank_sort_name(value);

	if (sort < 0 || sort == RANK_AGE || sort == RANK_LIFETIME)
		return args_error(&tool, "--sort: unknown '%s'", value);
	c->sort = (enum rank_sort)sort;
	return ARGS_CONTINUE;
}

static int handle(void *context, const struct args_option *option, const char *value)
{
	struct command *c = context;
	uint64_t number;

	if (!option)
		return set_operand(c, value);
	switch (option->id) {
	case OPT_BY:
		return set_by(c, value);
	case OPT_SORT:
		return set_sort(c, value);
	case OPT_LIMIT:
		if (!args_number(value, 1, 1000000000, &number))
			return args_error(&tool, "--limit: '%s' is not a number from 1 on", value);
		c->limit = (size_t)number;
		break;
	case OPT_ALL:
		c->all = true;
		break;
	case OPT_JSON:
		c->format = OUTPUT_JSON;
		break;
	case OPT_CSV:
		c->format = OUTPUT_CSV;
		break;
	default:
		return choices_handle(&tool, &c->analysis, option, value);
	}
	return ARGS_CONTINUE;
}

/* ---- text ------------------------------------------------------------------------------ */

static void put_change(int64_t change, bool bytes, int width)
{
	char text[OUTPUT_HUMAN_BYTES], with_sign[OUTPUT_HUMAN_BYTES + 1];
	uint64_t size = (uint64_t)llabs(change);

	if (bytes)
		output_human(text, size);
	else
		output_count(text, size);
	snprintf(with_sign, sizeof(with_sign), "%s%s", change < 0 ? "-" : change ? "+" : "", text);
	printf(" %*s", width, with_sign);
}

static uint64_t value(const struct diff_row *row, int side, enum rank_sort sort)
{
	return row->side[side] ? rank_value(&row->side[side]->stats, sort) : 0;
}

static int64_t rate_change(const struct diff *d, const struct diff_row *row, enum rank_sort sort)
{
	return (int64_t)units_rate(value(row, 1, sort), d->an[1]->window_ns) -
	       (int64_t)units_rate(value(row, 0, sort), d->an[0]->window_ns);
}

static void put_lifetime(const struct diff_row *row, int side)
{
	char text[UNITS_BYTES];
	bool known = row->side[side] && row->side[side]->stats.lifetime.nr;

	printf(" %6s", known ? units_duration(text, value(row, side, RANK_LIFETIME)) : "-");
}

static void put_row(const struct diff *d, const struct diff_row *row)
{
	char before[OUTPUT_HUMAN_BYTES], after[OUTPUT_HUMAN_BYTES];

	printf(" %6s %6s", output_human(before, value(row, 0, RANK_LIVE)), output_human(after, value(row, 1, RANK_LIVE)));
	put_change((int64_t)(value(row, 1, RANK_LIVE) - value(row, 0, RANK_LIVE)), true, 7);
	put_change(rate_change(d, row, RANK_GROWTH), true, 8);
	put_change((int64_t)(value(row, 1, RANK_PEAK) - value(row, 0, RANK_PEAK)), true, 7);
	put_change(rate_change(d, row, RANK_ALLOCS), false, 8);
	put_change(rate_change(d, row, RANK_BYTES), true, 8);
	put_lifetime(row, 0);
	put_lifetime(row, 1);
	printf("  %-4s %s\n", !row->side[0] ? "new" : !row->side[1] ? "gone" : "", row->label);
}

static void put_total(const struct diff *d)
{
	const struct stats *a = &d->an[0]->aggregate.total, *b = &d->an[1]->aggregate.total;
	char live[2][OUTPUT_HUMAN_BYTES], peak[2][OUTPUT_HUMAN_BYTES], rate[2][OUTPUT_HUMAN_BYTES], time[2][UNITS_BYTES];

	for (int i = 0; i < 2; i++) {
		const struct stats *s = i ? b : a;

		output_human(live[i], s->live_bytes);
		output_human(peak[i], s->peak_bytes);
		output_count(rate[i], units_rate(s->allocs, d->an[i]->window_ns));
		printf("%c: %s, %s, %s live, peak %s, %s allocations/s%s\n", 'A' + i, d->an[i]->path,
		       units_duration(time[i], d->an[i]->window_ns), live[i], peak[i], rate[i],
		       analysis_missing(d->an[i]) ? "; EVENTS ARE MISSING" : "");
	}
}

static void print_text(const struct diff *d, const struct command *c)
{
	size_t limit = c->limit ? c->limit : ROWS, shown = 0, left = 0;

	put_total(d);
	printf("%zu rows of both, %zu new, %zu gone%s\n\n", d->nr - d->nr_new - d->nr_gone, d->nr_new, d->nr_gone,
	       d->rebuilt ? "; built anew in between: matched by function" : "");
	printf(" %6s %6s %7s %8s %7s %8s %8s %6s %6s       %s\n", "LIVE A", "LIVE B", "CHANGE", "GROWTH/s", "PEAK", "ALLOC/s",
	       "BYTES/s", "LIFE A", "LIFE B", rank_title(c->by));
	for (size_t i = 0; i < d->nr; i++) {
		if (!c->all && !d->row[i].significant)
			continue;
		if (shown++ < limit)
			put_row(d, &d->row[i]);
		else
			left++;
	}
	if (!shown)
		puts(" nothing changed by more than chance; --all shows the rest");
	else if (left)
		printf(" and %zu more\n", left);
}

/* ---- records --------------------------------------------------------------------------- */

static void record_side(struct output *o, const struct diff *d, const struct diff_row *row, int side)
{
	static const struct {
		const char *key;
		enum rank_sort sort;
	} fields[] = {
		{ "allocs", RANK_ALLOCS }, { "frees", RANK_FREES }, { "bytes", RANK_BYTES }, { "live_objects", RANK_OBJECTS },
		{ "live_bytes", RANK_LIVE }, { "growth_bytes", RANK_GROWTH }, { "peak_bytes", RANK_PEAK },
		{ "lifetime_p50_ns", RANK_LIFETIME },
	};
	char key[64];

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		snprintf(key, sizeof(key), "%c_%s", 'a' + side, fields[i].key);
		output_number(o, key, value(row, side, fields[i].sort));
	}
	snprintf(key, sizeof(key), "%c_seconds", 'a' + side);
	output_milli(o, key, d->an[side]->window_ns / 1000000);
}

static void print_records(const struct diff *d, const struct command *c, struct output *o)
{
	size_t shown = 0;

	for (size_t i = 0; i < d->nr && (!c->limit || shown < c->limit); i++) {
		const struct diff_row *row = &d->row[i];

		if (!c->all && !row->significant)
			continue;
		shown++;
		output_begin(o);
		output_string(o, "key", row->label);
		output_string(o, "state", !row->side[0] ? "new" : !row->side[1] ? "gone" : "both");
		output_bool(o, "significant", row->significant);
		record_side(o, d, row, 0);
		record_side(o, d, row, 1);
		output_end(o);
	}
}

static int print(struct analysis an[2], const struct command *c)
{
	struct output o;
	struct diff d;
	int err = diff_make(&d, &an[0], &an[1], c->by, c->sort) ? 0 : -ENOMEM;

	output_init(&o, stdout, c->format);
	if (!err && c->format == OUTPUT_TEXT)
		print_text(&d, c);
	else if (!err)
		print_records(&d, c, &o);
	diff_free(&d);
	if (!err)
		err = output_flush(&o);
	if (!err)
		return ARGS_EXIT_OK;
	return choices_write_error("the comparison", err);
}

int diff_main(int argc, char **argv)
{
	struct command c = { .by = RANK_SITE, .sort = RANK_LIVE };
	struct analysis an[2] = { 0 };
	char err[512];
	int ret = 0, code = args_parse(&tool, argc, argv, &c, NULL);

	if (code == ARGS_CONTINUE && !c.path[1])
		code = args_error(&tool, "two files are compared");
	if (code != ARGS_CONTINUE)
		return code;
	for (int i = 0; i < 2 && !ret; i++)
		ret = analysis_run(&an[i], c.path[i], &c.analysis, err, sizeof(err));
	if (ret)
		fprintf(stderr, "kmemtrace: %s\n", err);
	code = ret ? ARGS_EXIT_RUNTIME : print(an, &c);
	for (int i = 0; i < 2; i++)
		analysis_close(&an[i]);
	return code;
}
