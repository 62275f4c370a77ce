/* SPDX-License-Identifier: BSD-2-Clause */
/* tune_main.c - kmemtrace tune: where the work comes from, and what is told about it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/args.h"
#include "common/output.h"
#include "kmemtrace/predict.h"
#include "kmemtrace/tune.h"

#define MIN_BYTES 4096 /* savings below this are not told */

struct options {
	const char *script, *trace;
	bool kernel, all;
	uint32_t duration_ms, limit, cpus;
	enum output_format format;
};

enum { OPT_SCRIPT, OPT_TRACE, OPT_KERNEL, OPT_DURATION, OPT_CPUS, OPT_LIMIT, OPT_ALL, OPT_JSON, OPT_CSV };

static const struct args_option options[] = {
	{ 't', "trace", "FILE", "what kmemtrace record has recorded", OPT_TRACE },
	{ 's', "script", "FILE", "a script, as slabscope compare takes it: in libkmem, with --kernel in the kernel", OPT_SCRIPT },
	{ 'k', "kernel", NULL, "the kernel's caches: record them while COMMAND runs", OPT_KERNEL },
	{ 'd', "duration", "SECS", "or for so long (default 5)", OPT_DURATION },
	{ 0, "cpus", "N", "with -s: of a machine of N CPUs (default: this one's)", OPT_CPUS },
	{ 'n', "limit", "N", "show the N best changes for memory and for speed (default 10)", OPT_LIMIT },
	{ 'a', "all", NULL, "show every trial", OPT_ALL },
	{ 0, "json", NULL, "one JSON object per trial", OPT_JSON },
	{ 0, "csv", NULL, "the same as CSV", OPT_CSV },
	{ 0, NULL, NULL, NULL, 0 },
};

static int handle(void *context, const struct args_option *option, const char *value);

static const struct args_tool tool = {
	.name = "kmemtrace tune",
	.synopsis = "-t FILE | -s SCRIPT [-k] | -k [--] [COMMAND [ARGUMENT]...]",
	.summary = "Run recorded work through models with other limits, and tell which settings save memory or slow trips.",
	.options = options,
	.epilog = "The models begin with empty caches. A slow trip is an operation that takes a lock or a new slab.\n",
	.handle = handle,
	.operands = true,
	.stop_at_operand = true,
};

static int bad_number(const char *name, const char *value)
{
	return args_error(&tool, "bad --%s '%s': use a number from 1 to 1000", name, value);
}

static int handle(void *context, const struct args_option *option, const char *value)
{
	struct options *o = context;
	uint64_t n;

	if (!option)
		return ARGS_CONTINUE;
	switch (option->id) {
	case OPT_TRACE:
		o->trace = value;
		break;
	case OPT_SCRIPT:
		o->script = value;
		break;
	case OPT_KERNEL:
		o->kernel = true;
		break;
	case OPT_DURATION:
		if (!args_seconds(value, 10, &o->duration_ms))
			return args_error(&tool, "bad --duration '%s': use seconds", value);
		break;
	case OPT_CPUS:
	case OPT_LIMIT:
		if (!args_number(value, 1, 1000, &n))
			return bad_number(option->name, value);
		*(option->id == OPT_CPUS ? &o->cpus : &o->limit) = (uint32_t)n;
		break;
	case OPT_ALL:
		o->all = true;
		break;
	default:
		o->format = option->id == OPT_JSON ? OUTPUT_JSON : OUTPUT_CSV;
	}
	return ARGS_CONTINUE;
}

/* ---- the work ---- */

static int record_kernel(struct work *work, const struct options *o, char **command, char *err, size_t len)
{
	struct window w;
	int code, rc = predict_record(&w, command, o->duration_ms, &code, err, len);

	if (!rc)
		rc = work_from_window(work, &w, err, len);
	if (!rc && (w.lost || w.no_memory))
		fprintf(stderr, "kmemtrace: %" PRIu64 " events were lost: the answer is about the others\n", w.lost);
	window_close(&w);
	return rc;
}

static int load(struct work *work, const struct options *o, char **command, char *err, size_t len)
{
	struct script script;
	int rc;

	if (o->trace)
		return work_from_trace(work, o->trace, err, len);
	if (!o->script)
		return record_kernel(work, o, command, err, len);
	rc = script_load(&script, o->script, err, len);
	if (!rc)
		rc = work_from_script(work, &script, o->kernel ? MODEL_SLUB : MODEL_SHEAF, o->cpus, err, len);
	script_free(&script);
	return rc;
}

/* ---- telling ---- */

static const char *cache_name(const struct tune *t, const struct tune_trial *trial)
{
	return trial->cache == TUNE_ALL ? "(all)" : t->work->cache[trial->cache].name;
}

/* "+4.0K", "-1.2M". */
static const char *signed_bytes(char *buf, size_t len, int64_t bytes)
{
	char human[OUTPUT_HUMAN_BYTES];

	snprintf(buf, len, "%s%s", bytes < 0 ? "-" : bytes ? "+" : "", output_human(human, (uint64_t)llabs((long long)bytes)));
	return buf;
}

static int by_memory(const void *left, const void *right)
{
	const struct tune_trial *a = left, *b = right;

	if (tune_saves(a) != tune_saves(b))
		return tune_saves(a) > tune_saves(b) ? -1 : 1;
	return tune_spares(a) == tune_spares(b) ? 0 : tune_spares(a) > tune_spares(b) ? -1 : 1;
}

static int by_trips(const void *left, const void *right)
{
	const struct tune_trial *a = left, *b = right;

	if (tune_spares(a) != tune_spares(b))
		return tune_spares(a) > tune_spares(b) ? -1 : 1;
	return tune_saves(a) == tune_saves(b) ? 0 : tune_saves(a) > tune_saves(b) ? -1 : 1;
}

/* Whether it is worth a line: for memory at least 2 % of the peak, for speed a tenth of the trips. */
static bool is_worth(const struct tune_trial *t, bool memory)
{
	if (memory)
		return tune_saves(t) >= MIN_BYTES && tune_saves(t) * 50 >= (int64_t)t->before.peak_bytes;
	return tune_spares(t) > 0 && tune_spares(t) * 10 >= (int64_t)t->before.slow_trips;
}

static void print_trial(const struct tune *t, const struct tune_trial *trial)
{
	char memory[24], peak[OUTPUT_HUMAN_BYTES];

	printf("%8s %7s %+9" PRId64 " %9" PRIu64 "  %s: %s\n%37s  %s\n", signed_bytes(memory, sizeof(memory), -tune_saves(trial)),
	       output_human(peak, trial->before.peak_bytes), -tune_spares(trial), trial->before.slow_trips, cache_name(t, trial),
	       trial->what, "", trial->setting);
}

/* The best of each cache. */
static void print_best(struct tune *t, const struct options *o, bool memory)
{
	uint32_t left = o->limit;
	bool *told = calloc(t->work->nr_caches + 1, sizeof(*told));

	if (t->nr_trials)
		qsort(t->trial, t->nr_trials, sizeof(*t->trial), memory ? by_memory : by_trips);
	printf("\n%s\n%8s %7s %9s %9s\n", memory ? "Less memory at the peak:" : "Fewer slow trips:", "memory", "of", "trips", "of");
	for (size_t i = 0; told && i < t->nr_trials && left; i++) {
		const struct tune_trial *trial = &t->trial[i];
		uint32_t cache = trial->cache == TUNE_ALL ? t->work->nr_caches : trial->cache;

		if (!o->all && (told[cache] || !is_worth(trial, memory)))
			continue;
		told[cache] = true;
		print_trial(t, trial);
		left--;
	}
	if (left == o->limit)
		printf("  nothing that was tried\n");
	free(told);
}

static void print_text(struct tune *t, const struct options *o)
{
	char peak[OUTPUT_HUMAN_BYTES], mean[OUTPUT_HUMAN_BYTES];
	uint32_t used = 0;

	for (uint32_t i = 0; i < t->work->nr_caches; i++)
		used += t->before[i].steps != 0;
	printf("%s, %u CPUs: %" PRIu64 " steps in %u caches; as it is: %s at the peak, %s on average, %" PRIu64 " slow trips\n",
	       t->work->kind == MODEL_SLUB ? "kernel" : "libkmem", t->work->nr_cpus, t->all.steps, used,
	       output_human(peak, t->all.peak_bytes), output_human(mean, t->all.mean_bytes), t->all.slow_trips);
	print_best(t, o, true);
	print_best(t, o, false);
}

static void print_records(const struct tune *t, struct output *o)
{
	for (size_t i = 0; i < t->nr_trials; i++) {
		const struct tune_trial *trial = &t->trial[i];

		output_begin(o);
		output_string(o, "cache", cache_name(t, trial));
		output_string(o, "change", trial->what);
		output_string(o, "setting", trial->setting);
		output_number(o, "steps", trial->before.steps);
		output_number(o, "peak_bytes", trial->before.peak_bytes);
		output_number(o, "peak_bytes_then", trial->after.peak_bytes);
		output_number(o, "mean_bytes", trial->before.mean_bytes);
		output_number(o, "mean_bytes_then", trial->after.mean_bytes);
		output_number(o, "end_bytes", trial->before.end_bytes);
		output_number(o, "end_bytes_then", trial->after.end_bytes);
		output_number(o, "slow_trips", trial->before.slow_trips);
		output_number(o, "slow_trips_then", trial->after.slow_trips);
		output_end(o);
	}
}

static int tell(const struct work *work, const struct options *o)
{
	struct tune tune;
	struct output out;
	int rc = tune_open(&tune, work);

	if (rc) {
		fprintf(stderr, "kmemtrace: out of memory\n");
	} else if (o->format == OUTPUT_TEXT) {
		print_text(&tune, o);
	} else {
		output_init(&out, stdout, o->format);
		print_records(&tune, &out);
		rc = output_flush(&out);
	}
	tune_close(&tune);
	return rc ? ARGS_EXIT_RUNTIME : ARGS_EXIT_OK;
}

int tune_run(int argc, char **argv)
{
	struct options o = { .duration_ms = 5000, .limit = 10, .cpus = (uint32_t)sysconf(_SC_NPROCESSORS_CONF) };
	int rest, rc = args_parse(&tool, argc, argv, &o, &rest);
	struct work work = { 0 };
	char err[320];

	if (rc != ARGS_CONTINUE)
		return rc;
	if ((o.trace != NULL) + (o.script != NULL) > 1 || (o.trace && o.kernel) || (!o.trace && !o.script && !o.kernel))
		return args_error(&tool, "one of --trace FILE, --script FILE, --kernel");
	if (rest < argc && (o.trace || o.script))
		return args_error(&tool, "'%s': a command goes with --kernel only", argv[rest]);
	rc = load(&work, &o, rest < argc ? argv + rest : NULL, err, sizeof(err));
	if (!rc && work_index(&work)) {
		snprintf(err, sizeof(err), "out of memory");
		rc = -ENOMEM;
	}
	if (rc)
		fprintf(stderr, "kmemtrace: %s\n", err);
	else
		rc = tell(&work, &o);
	work_close(&work);
	return rc < 0 ? ARGS_EXIT_RUNTIME : rc;
}
