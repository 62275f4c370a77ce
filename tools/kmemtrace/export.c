/* SPDX-License-Identifier: BSD-2-Clause */
/* export.c - `kmemtrace export`: the command line. */
#include "kmemtrace/export.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/args.h"
#include "kmemtrace/choices.h"
#include "kmemtrace/report.h"

enum format { FORMAT_NONE, FORMAT_PPROF, FORMAT_FOLDED, FORMAT_SVG, FORMAT_PERFETTO, FORMAT_JSON, FORMAT_CSV };

struct command {
	struct analysis_options analysis;
	const char *path, *out, *title;
	enum format format;
	enum rank_sort weight;
};

enum option_id {
	OPT_FORMAT = CHOICES_END,
	OPT_OUT,
	OPT_WEIGHT,
	OPT_TITLE,
};

static const struct args_option options[] = {
	{ 'F', "format", "FORMAT", "pprof, folded, svg, perfetto, json or csv", OPT_FORMAT },
	{ 'o', "output", "FILE", "write there (default: standard output)", OPT_OUT },
	{ 'w', "weight", "WHAT", "allocs, bytes, objects, live (default) or peak", OPT_WEIGHT },
	{ 0, "title", "TEXT", "of the picture", OPT_TITLE },
	CHOICES_OPTIONS,
	{ 0 },
};

static int handle(void *context, const struct args_option *option, const char *value);

static const struct args_tool tool = {
	.name = "kmemtrace export",
	.synopsis = "FILE --format FORMAT [OPTION]...",
	.summary = "Write a recording in the format of another tool.",
	.options = options,
	.epilog = "pprof     gzipped profile.proto: go tool pprof, speedscope, Pyroscope, Perfetto\n"
		  "folded    one line per stack: flamegraph.pl, speedscope\n"
		  "svg       a flame graph\n"
		  "perfetto  counters over time: ui.perfetto.dev, chrome://tracing\n"
		  "json, csv one record per stack, as in kmemtrace(1)\n",
	.handle = handle,
	.operands = true,
};

static int set_format(struct command *c, const char *value)
{
	static const char *const names[] = { "", "pprof", "folded", "svg", "perfetto", "json", "csv" };

	for (int i = FORMAT_PPROF; i <= FORMAT_CSV; i++)
		if (!strcmp(value, names[i])) {
			c->format = (enum format)i;
			return ARGS_CONTINUE;
		}
	return args_error(&tool, "--format: unknown '%s'", value);
}

static int set_weight(struct command *c, const char *value)
{
	int weight = rank_sort_name(value);

	if (weight != RANK_ALLOCS && weight != RANK_BYTES && weight != RANK_OBJECTS && weight != RANK_LIVE &&
	    weight != RANK_PEAK)
		return args_error(&tool, "--weight: unknown '%s'", value);
	c->weight = (enum rank_sort)weight;
	return ARGS_CONTINUE;
}

static int handle(void *context, const struct args_option *option, const char *value)
{
	struct command *c = context;

	if (!option) {
		if (c->path)
			return args_error(&tool, "more than one file: '%s'", value);
		c->path = value;
		return ARGS_CONTINUE;
	}
	switch (option->id) {
	case OPT_FORMAT:
		return set_format(c, value);
	case OPT_WEIGHT:
		return set_weight(c, value);
	case OPT_OUT:
		c->out = value;
		return ARGS_CONTINUE;
	case OPT_TITLE:
		c->title = value;
		return ARGS_CONTINUE;
	default:
		return choices_handle(&tool, &c->analysis, option, value);
	}
}

static int check(const struct command *c)
{
	if (!c->path)
		return args_error(&tool, "no file given");
	if (!c->format)
		return args_error(&tool, "no --format given");
	if (c->format == FORMAT_PPROF && !c->out && isatty(STDOUT_FILENO))
		return args_error(&tool, "pprof is no text: use -o FILE");
	return ARGS_CONTINUE;
}

/* "redis-server: bytes that live at the end". */
static const char *title_of(const struct command *c, const struct analysis *an, char *buf, size_t len)
{
	static const char *const weights[RANK_NR_SORTS] = {
		[RANK_ALLOCS] = "allocations", [RANK_BYTES] = "bytes allocated", [RANK_OBJECTS] = "live objects",
		[RANK_LIVE] = "live bytes", [RANK_PEAK] = "live bytes at the peak",
	};
	const struct trace_process *process;
	size_t nr = trace_processes(an->trace, &process);

	if (c->title)
		return c->title;
	snprintf(buf, len, "%s: %s", an->info->source == TRACE_KERNEL ? "kernel" : nr ? process[0].command : c->path,
		 weights[c->weight]);
	return buf;
}

static int write_records(struct analysis *an, enum output_format format, FILE *file)
{
	const struct report_options o = { .by = RANK_STACK, .sort = -1, .format = format };
	struct output out;

	output_init(&out, file, format);
	return report_records(an, &o, &out) ? output_flush(&out) : -ENOMEM;
}

static int write_format(const struct command *c, struct analysis *an, FILE *file)
{
	char title[512];

	switch (c->format) {
	case FORMAT_PPROF:
		return export_pprof(an, c->weight, file);
	case FORMAT_FOLDED:
		return export_folded(an, c->weight, file);
	case FORMAT_SVG:
		return export_svg(an, c->weight, title_of(c, an, title, sizeof(title)), file);
	case FORMAT_JSON:
		return write_records(an, OUTPUT_JSON, file);
	case FORMAT_CSV:
	default:
		return write_records(an, OUTPUT_CSV, file);
	}
}

/* Return 0, or -errno with what was wrong with reading in err. */
static int write_file(const struct command *c, FILE *file, char *err, size_t len)
{
	struct analysis an;
	int ret;

	if (c->format == FORMAT_PERFETTO)
		return export_perfetto(c->path, &c->analysis, file, err, len);
	ret = analysis_run(&an, c->path, &c->analysis, err, len);
	if (!ret) {
		err[0] = '\0'; /* what fails now is writing */
		ret = write_format(c, &an, file);
	}
	analysis_close(&an);
	return ret;
}

/* Before a file is made or replaced. */
static int check_readable(const char *path, char *err, size_t len)
{
	const struct trace_options unnamed = { .no_symbols = true };
	struct trace *trace = NULL;
	int ret = trace_open(&trace, path, &unnamed, err, len);

	trace_close(trace);
	return ret;
}

int export_main(int argc, char **argv)
{
	struct command c = { .weight = RANK_LIVE };
	char err[512] = "";
	FILE *file;
	int ret, flushed, code = args_parse(&tool, argc, argv, &c, NULL);

	if (code == ARGS_CONTINUE)
		code = check(&c);
	if (code != ARGS_CONTINUE)
		return code;
	if (check_readable(c.path, err, sizeof(err))) {
		fprintf(stderr, "kmemtrace: %s\n", err);
		return ARGS_EXIT_RUNTIME;
	}
	file = c.out ? fopen(c.out, "we") : stdout;
	if (!file) {
		fprintf(stderr, "kmemtrace: cannot write %s: %s\n", c.out, strerror(errno));
		return ARGS_EXIT_RUNTIME;
	}
	ret = write_file(&c, file, err, sizeof(err));
	flushed = output_flush_file(file);
	if (c.out && fclose(file) && !flushed)
		flushed = -errno;
	if (!ret && !flushed)
		return ARGS_EXIT_OK;
	if (!ret || !err[0])
		return choices_write_error(c.out ? c.out : "the export", ret ? ret : flushed);
	fprintf(stderr, "kmemtrace: %s\n", err);
	return ARGS_EXIT_RUNTIME;
}
