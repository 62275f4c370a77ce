/* SPDX-License-Identifier: BSD-2-Clause */
/* stat.c - the command line of kmemtrace stat, and what it prints. */
#include "kmemtrace/stat.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/args.h"
#include "kmemtrace/recorder.h"
#include "kmemtrace/stat_counts.h"

#define MAX_RUNS 1000

enum { OPT_PID, OPT_COMMAND, OPT_KERNEL, OPT_PRELOAD, OPT_INTERVAL, OPT_DURATION, OPT_REPEAT, OPT_JSON, OPT_CSV };

static const struct args_option options[] = {
	{ 'p', "pid", "PID", "count what this process does; may be repeated", OPT_PID },
	{ 'c', "command", NULL, "start the command behind the options, and count it and all it starts", OPT_COMMAND },
	{ 0, "preload", NULL, "with -c: serve its malloc() by libkmem", OPT_PRELOAD },
	{ 'k', "kernel", NULL, "count the kernel's allocations", OPT_KERNEL },
	{ 'I', "interval", "MS", "print what was counted every MS milliseconds, too", OPT_INTERVAL },
	{ 'd', "duration", "SECS", "end after so long", OPT_DURATION },
	{ 'r', "repeat", "N", "with -c: run it N times; means and deviations", OPT_REPEAT },
	{ 'j', "json", NULL, "JSON lines: records interval, stat", OPT_JSON },
	{ 0, "csv", NULL, "CSV", OPT_CSV },
	{ 0, NULL, NULL, NULL, 0 },
};

static int handle(void *context, const struct args_option *option, const char *value);

static const struct args_tool tool = {
	.name = "kmemtrace stat",
	.synopsis = "(-p PID | -c | -k) [OPTION]... [--] [COMMAND [ARGUMENT]...]",
	.summary = "Count what an allocator does, from its own exact counters: nothing is traced.",
	.options = options,
	.epilog = "Ends when the processes have ended, after --duration, or when interrupted.\n"
		  "Exit code: that of the command, 1 for a failure, 2 for wrong usage.\n\n"
		  "  kmemtrace stat -p 4711 -I 1000\n"
		  "  kmemtrace stat -r 5 -c --preload -- sort /usr/share/dict/words\n",
	.handle = handle,
	.operands = true,
	.stop_at_operand = true,
};

struct line {
	struct stat_options o;
	bool command;
};

static int add_pid(struct stat_options *o, const char *value)
{
	uint64_t pid;

	if (!args_number(value, 1, INT32_MAX, &pid))
		return args_error(&tool, "'%s' is not a process id", value);
	if (o->nr_pids == STAT_MAX_PIDS)
		return args_error(&tool, "more than %d processes", STAT_MAX_PIDS);
	o->pids[o->nr_pids++] = (pid_t)pid;
	return ARGS_CONTINUE;
}

static int set_number(const struct args_option *option, const char *value, uint64_t max, uint32_t *number)
{
	uint64_t n;

	if (!args_number(value, 1, max, &n))
		return args_error(&tool, "--%s: '%s' is not a number from 1 to %" PRIu64, option->name, value, max);
	*number = (uint32_t)n;
	return ARGS_CONTINUE;
}

static int handle(void *context, const struct args_option *option, const char *value)
{
	struct line *l = context;

	if (!option)
		return ARGS_CONTINUE;
	switch (option->id) {
	case OPT_PID:
		return add_pid(&l->o, value);
	case OPT_COMMAND:
		l->command = true;
		break;
	case OPT_KERNEL:
		l->o.kernel = true;
		break;
	case OPT_PRELOAD:
		l->o.preload = true;
		break;
	case OPT_INTERVAL:
		return set_number(option, value, 3600000, &l->o.interval_ms);
	case OPT_REPEAT:
		return set_number(option, value, MAX_RUNS, &l->o.runs);
	case OPT_DURATION:
		if (!args_seconds(value, 1, &l->o.duration_ms))
			return args_error(&tool, "--duration: '%s' is not a number of seconds", value);
		break;
	case OPT_JSON:
		l->o.format = OUTPUT_JSON;
		break;
	default:
		l->o.format = OUTPUT_CSV;
	}
	return ARGS_CONTINUE;
}

static int check(struct line *l, int argc, char **argv, int rest)
{
	int sources = (l->o.nr_pids > 0) + l->command + l->o.kernel;

	if (sources != 1)
		return args_error(&tool, sources ? "-p, -c and -k exclude each other" :
				  "what to count? -p PID, -c COMMAND or -k");
	if (l->command && rest >= argc)
		return args_error(&tool, "which command?");
	if (!l->command && rest < argc)
		return args_error(&tool, "'%s' is too much; -c starts a command", argv[rest]);
	if (!l->command && (l->o.preload || l->o.runs))
		return args_error(&tool, "--preload and --repeat go with -c");
	if (l->command)
		l->o.command = argv + rest;
	return ARGS_CONTINUE;
}

/* ---- output ----------------------------------------------------------------------------------- */

struct printer {
	struct output out;
	const struct stat_options *options;
	size_t ticks;
};

/* What the kernel's tracepoints do not tell is left out. */
static bool is_shown(const struct stat_options *o, enum counter i)
{
	return !o->kernel || i <= COUNTER_ALLOC_BYTES || i == COUNTER_FAILED || i == COUNTER_PAGES_ALLOC ||
	       i == COUNTER_PAGES_FREE;
}

static void put_record(struct printer *p, const char *record, uint64_t ns, uint64_t span_ns, const struct counters *c)
{
	output_begin(&p->out);
	output_string(&p->out, "record", record);
	output_milli(&p->out, "time_s", ns / 1000000);
	output_milli(&p->out, "span_s", span_ns / 1000000);
	for (enum counter i = 0; i < COUNTER_NR; i++)
		if (is_shown(p->options, i))
			output_number(&p->out, counter_name(i), c->value[i]);
	output_end(&p->out);
	output_flush(&p->out);
}

static double per_second(uint64_t value, uint64_t ns)
{
	return ns ? (double)value * 1e9 / (double)ns : 0;
}

static void on_tick(void *printer, uint64_t since_ns, uint64_t span_ns, const struct counters *c)
{
	static const enum counter columns[] = { COUNTER_ALLOCS, COUNTER_FREES, COUNTER_ALLOC_BYTES, COUNTER_REFILLS,
						COUNTER_FLUSHES, COUNTER_SLABS_NEW, COUNTER_SLABS_GONE,
						COUNTER_PAGES_ALLOC, COUNTER_PAGES_FREE };
	static const char *const heads[] = { "ALLOC/s", "FREE/s", "BYTES/s", "REFILL/s", "FLUSH/s", "SLAB+/s", "SLAB-/s",
					     "PAGE+/s", "PAGE-/s" };
	struct printer *p = printer;
	char text[OUTPUT_HUMAN_BYTES];
	size_t i, nr = sizeof(columns) / sizeof(columns[0]);

	if (p->options->format != OUTPUT_TEXT) {
		put_record(p, "interval", since_ns, span_ns, c);
		return;
	}
	if (p->ticks++ % 20 == 0) {
		printf("%10s", "TIME");
		for (i = 0; i < nr; i++)
			if (is_shown(p->options, columns[i]))
				printf(" %9s", heads[i]);
		printf("\n");
	}
	printf("%10.3f", (double)since_ns / 1e9);
	for (i = 0; i < nr; i++)
		if (is_shown(p->options, columns[i])) {
			uint64_t rate = (uint64_t)per_second(c->value[columns[i]], span_ns);

			printf(" %9s", columns[i] == COUNTER_ALLOC_BYTES ? output_human(text, rate) :
									   output_count(text, rate));
		}
	printf("\n");
	fflush(stdout);
}

/* Digits in groups of three. */
static const char *grouped(uint64_t value, char *buf, size_t len)
{
	char digits[24];
	size_t n = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, value), at = 0;

	for (size_t i = 0; i < n && at + 2 < len; i++) {
		if (i && (n - i) % 3 == 0)
			buf[at++] = ',';
		buf[at++] = digits[i];
	}
	buf[at] = '\0';
	return buf;
}

struct spread {
	double sum, squares;
};

/* Standard deviation of the mean, in percent of it, as perf stat has it. */
static double deviation(const struct spread *s, uint32_t runs)
{
	double mean = s->sum / runs, variance;

	if (runs < 2 || mean <= 0)
		return 0;
	variance = (s->squares - s->sum * mean) / (runs - 1);
	return variance > 0 ? 100 * sqrt(variance / runs) / mean : 0;
}

static void print_counter(enum counter i, uint64_t value, const struct stat_result *sum, uint32_t runs,
			  const struct spread *spread)
{
	char number[40], rate[OUTPUT_HUMAN_BYTES];
	uint64_t speed = (uint64_t)per_second(value, sum->ns);
	bool bytes = i == COUNTER_ALLOC_BYTES || i == COUNTER_FREE_BYTES;

	printf("%20s  %-28s %8s/s", grouped(value, number, sizeof(number)), counter_title(i),
	       bytes ? output_human(rate, speed) : output_count(rate, speed));
	if (runs > 1)
		printf("  ( +- %5.2f%% )", deviation(spread, runs));
	printf("\n");
}

static void print_fast_share(const struct counters *c)
{
	uint64_t all = c->value[COUNTER_ALLOCS] + c->value[COUNTER_FREES];
	uint64_t slow = c->value[COUNTER_REFILLS] + c->value[COUNTER_FLUSHES];

	if (all)
		printf("%19.2f%%  served without a lock\n", slow < all ? 100.0 * (double)(all - slow) / (double)all : 0.0);
}

/* `sum` of all runs, `spread` of each counter over them. */
static void print_total(struct printer *p, const struct stat_result *sum, uint32_t runs, const struct spread *spread,
			const struct spread *time)
{
	const struct stat_options *o = p->options;
	struct stat_result mean = *sum;

	mean.ns /= runs;
	for (enum counter i = 0; i < COUNTER_NR; i++)
		mean.counters.value[i] /= runs;
	if (o->format != OUTPUT_TEXT) {
		put_record(p, "stat", mean.ns, mean.ns, &mean.counters);
		return;
	}
	if (o->command)
		printf("\n Counters of '%s'", o->command[0]);
	else
		printf("\n Counters of %s", o->kernel ? "the kernel" : "the processes");
	if (runs > 1)
		printf(" (mean of %u runs)", runs);
	printf(":\n\n");
	for (enum counter i = 0; i < COUNTER_NR; i++)
		if (is_shown(o, i))
			print_counter(i, mean.counters.value[i], &mean, runs, &spread[i]);
	if (!o->kernel)
		print_fast_share(&mean.counters);
	printf("\n%20.6f  seconds", (double)mean.ns / 1e9);
	if (runs > 1)
		printf("  ( +- %5.2f%% )", deviation(time, runs));
	printf("\n\n");
}

static void add(struct spread *s, double value)
{
	s->sum += value;
	s->squares += value * value;
}

static int count_runs(struct printer *p, const struct stat_options *o)
{
	struct spread spread[COUNTER_NR] = { 0 }, time = { 0 };
	struct stat_result sum = { 0 }, one;
	uint32_t runs = 0;
	char err[512];

	while (runs < (o->runs ? o->runs : 1) && (!runs || !recorder_interrupted())) {
		if (stat_count(o, on_tick, p, &one, err, sizeof(err))) {
			fprintf(stderr, "kmemtrace: %s\n", err);
			return 1;
		}
		runs++;
		counters_add(&sum.counters, &one.counters);
		sum.ns += one.ns;
		sum.processes += one.processes;
		sum.exit_code = one.exit_code ? one.exit_code : sum.exit_code;
		for (enum counter i = 0; i < COUNTER_NR; i++)
			add(&spread[i], (double)one.counters.value[i]);
		add(&time, (double)one.ns);
	}
	print_total(p, &sum, runs, spread, &time);
	if (o->command && !sum.processes)
		fprintf(stderr, "kmemtrace: '%s' did not use libkmem; link it with -lkmem, or add --preload\n", o->command[0]);
	return sum.exit_code;
}

int stat_run(int argc, char **argv)
{
	struct line l = { 0 };
	struct printer p = { .options = &l.o };
	int rest = argc, code = args_parse(&tool, argc, argv, &l, &rest), err;

	if (code == ARGS_CONTINUE)
		code = check(&l, argc, argv, rest);
	if (code != ARGS_CONTINUE)
		return code;
	output_init(&p.out, stdout, l.o.format);
	code = count_runs(&p, &l.o);
	err = output_flush(&p.out);
	if (err) {
		fprintf(stderr, "kmemtrace: write error: %s\n", strerror(-err));
		return 1;
	}
	return code;
}
