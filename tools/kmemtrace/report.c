/* SPDX-License-Identifier: BSD-2-Clause */
/* report.c - `kmemtrace report`: the command line. */
#include "kmemtrace/report.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/args.h"
#include "kmemtrace/choices.h"
#include "kmemtrace/report_verify.h"
#include "kmemtrace/tree.h"

#define TIMELINE_ROWS 1024

enum option_id {
	OPT_BY = CHOICES_END,
	OPT_SORT,
	OPT_LIMIT,
	OPT_TREE,
	OPT_HISTOGRAM,
	OPT_TIMELINE,
	OPT_VERIFY,
	OPT_JSON,
	OPT_CSV,
};

static const struct args_option options[] = {
	{ 'b', "by", "WHAT", "one table by site, function, stack, cache, size or pid", OPT_BY },
	{ 's', "sort", "COLUMN", "live (default), objects, growth, peak, allocs, frees, bytes, waste,\n"
				 "temporary, remote, age or lifetime", OPT_SORT },
	{ 'n', "limit", "N", "rows", OPT_LIMIT },
	{ 0, "tree", NULL, "stacks as a tree, weighed by --sort", OPT_TREE },
	{ 0, "histogram", NULL, "lifetimes and sizes by power of two", OPT_HISTOGRAM },
	{ 0, "timeline", "N", "N rows over time, as CSV (or --json)", OPT_TIMELINE },
	{ 0, "verify", NULL, "compare what the events lead to with what memory held at the end", OPT_VERIFY },
	CHOICES_OPTIONS,
	{ 'j', "json", NULL, "JSON lines", OPT_JSON },
	{ 0, "csv", NULL, "CSV, one line per row", OPT_CSV },
	{ 0 },
};

static int handle(void *context, const struct args_option *option, const char *value);

static const struct args_tool tool = {
	.name = "kmemtrace report",
	.synopsis = "FILE [OPTION]...",
	.summary = "Say who allocates, who holds and what is wasted in a recording.",
	.options = options,
	.epilog = "A temporary object is freed before the CPU that allocated it allocates again. REMOTE are\n"
		  "frees on another CPU. WASTE is what objects take beyond what was asked for. PEAK% is the\n"
		  "share at the moment when most bytes were alive. Exit status: 0, 1 an error or (--verify)\n"
		  "a difference, 2 wrong usage.\n",
	.handle = handle,
	.operands = true,
};

static int set_operand(struct report_options *o, const char *value)
{
	if (o->path)
		return args_error(&tool, "more than one file: '%s'", value);
	o->path = value;
	return ARGS_CONTINUE;
}

static int set_name(const char *option, const char *value, int found, int *result)
{
	if (found < 0)
		return args_error(&tool, "--%s: unknown '%s'", option, value);
	*result = found;
	return ARGS_CONTINUE;
}

static int set_count(const char *option, const char *value, uint64_t most, size_t *result)
{
	uint64_t number;

	if (!args_number(value, 1, most, &number))
		return args_error(&tool, "--%s: '%s' is not a number from 1 to %llu", option, value,
				  (unsigned long long)most);
	*result = (size_t)number;
	return ARGS_CONTINUE;
}

static int handle(void *context, const struct args_option *option, const char *value)
{
	struct report_options *o = context;

	if (!option)
		return set_operand(o, value);
	switch (option->id) {
	case OPT_BY:
		return set_name("by", value, rank_by_name(value), &o->by);
	case OPT_SORT:
		return set_name("sort", value, rank_sort_name(value), &o->sort);
	case OPT_LIMIT:
		return set_count("limit", value, 1000000000, &o->limit);
	case OPT_TREE:
		o->tree = true;
		break;
	case OPT_HISTOGRAM:
		o->histogram = true;
		break;
	case OPT_TIMELINE:
		return set_count("timeline", value, TIMELINE_ROWS, &o->timeline);
	case OPT_VERIFY:
		o->verify = true;
		break;
	case OPT_JSON:
		o->format = OUTPUT_JSON;
		break;
	case OPT_CSV:
		o->format = OUTPUT_CSV;
		break;
	default:
		return choices_handle(&tool, &o->analysis, option, value);
	}
	return ARGS_CONTINUE;
}

static int check(struct report_options *o)
{
	if (!o->path)
		return args_error(&tool, "no file given");
	if (o->tree + o->verify + (o->timeline != 0) + (o->by >= 0) > 1)
		return args_error(&tool, "--by, --tree, --timeline and --verify are different reports: give one of them");
	if (o->format != OUTPUT_TEXT && (o->tree || o->verify || o->histogram))
		return args_error(&tool, "--json and --csv do not go with --tree, --histogram and --verify");
	if (o->verify && choices_any(&o->analysis))
		return args_error(&tool, "--verify compares everything: leave out --filter, --from, --to and --pages");
	o->analysis.by_size = o->by == RANK_SIZE;
	o->analysis.until_snapshot = o->verify;
	return ARGS_CONTINUE;
}

static void look_at_screen(struct report_options *o)
{
	struct winsize size;

	setlocale(LC_CTYPE, "");
	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		return;
	o->columns = size.ws_col;
	o->lines = size.ws_row;
	o->colour = !getenv("NO_COLOR");
}

static bool print_overview(struct analysis *an, const struct report_options *o)
{
	struct rank sites, caches;
	struct findings findings;
	bool ok = rank_build(&sites, an, RANK_SITE);

	ok = rank_build(&caches, an, RANK_CACHE) && ok;
	report_header(an, o, stdout);
	if (ok) {
		findings_make(&findings, an, &sites, &caches);
		report_findings(&findings, o, stdout);
	}
	rank_free(&sites);
	rank_free(&caches);
	return ok && report_overview(an, o, stdout);
}

static bool print_tree(struct analysis *an, const struct report_options *o)
{
	enum rank_sort weight = o->sort < 0 ? RANK_LIVE : (enum rank_sort)o->sort;
	struct tree tree = { 0 };
	bool ok = tree_build(&tree, an, weight);

	if (ok) {
		tree_sort(&tree, false);
		tree_print(&tree, rank_is_bytes(weight), stdout);
	}
	tree_free(&tree);
	return ok;
}

static bool print_text(struct analysis *an, const struct report_options *o)
{
	bool ok = true;

	if (o->tree)
		return print_tree(an, o);
	if (o->by < 0 && o->sort < 0 && !o->histogram)
		return print_overview(an, o);
	report_header(an, o, stdout);
	if (o->histogram)
		report_histograms(an, stdout);
	if (o->by >= 0 || o->sort >= 0)
		ok = report_table(an, o, stdout);
	return ok;
}

static int print(struct analysis *an, const struct report_options *o)
{
	struct output out;
	bool ok = true;
	int code = 0, err;

	output_init(&out, stdout, o->timeline && o->format == OUTPUT_TEXT ? OUTPUT_CSV : o->format);
	if (o->verify)
		code = report_verify(an, stdout);
	else if (o->timeline)
		report_timeline(an, o->timeline, &out);
	else if (o->format == OUTPUT_TEXT)
		ok = print_text(an, o);
	else
		ok = report_records(an, o, &out);
	err = ok ? output_flush(&out) : -ENOMEM;
	if (err) {
		return choices_write_error("the report", err);
	}
	return code;
}

int report_main(int argc, char **argv)
{
	struct report_options o = { .by = -1, .sort = -1 };
	struct analysis an;
	char err[512];
	int code = args_parse(&tool, argc, argv, &o, NULL);

	if (code == ARGS_CONTINUE)
		code = check(&o);
	if (code != ARGS_CONTINUE)
		return code;
	look_at_screen(&o);
	if (analysis_run(&an, o.path, &o.analysis, err, sizeof(err))) {
		fprintf(stderr, "kmemtrace: %s\n", err);
		code = ARGS_EXIT_RUNTIME;
	} else {
		code = print(&an, &o);
	}
	analysis_close(&an);
	return code;
}
