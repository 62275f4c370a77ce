/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c - kmemleak: the command line. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/args.h"
#include "kmemleak/kernel.h"
#include "kmemleak/verbs.h"

#define MAX_PIDS      64
#define DEFAULT_LIMIT 100

enum option_id {
	OPT_PID,
	OPT_JSON,
	OPT_CSV,
	OPT_LIMIT,
	OPT_SUMMARY,
	OPT_MIN_SIZE,
	OPT_CACHE,
	OPT_NO_INTERIOR,
	OPT_ALL_MAPPINGS,
	OPT_TRACE,
	OPT_KERNEL,
	OPT_COMMAND,
	OPT_MIN_AGE,
	OPT_STACKS,
};

struct command {
	struct settings settings;
	struct kernel_settings kernel;
	bool kernel_option; /* one that goes with --kernel only */
	enum output_format format;
	pid_t pids[MAX_PIDS];
	size_t nr_pids;
	bool verb_given;
};

static const struct args_option options[] = {
	{ 'p', "pid", "PID", "process to scan; may be repeated", OPT_PID },
	{ 't', "trace", "SECS", "record call sites for SECS seconds, then scan", OPT_TRACE },
	{ 'j', "json", NULL, "JSON lines: records leak, group, scan", OPT_JSON },
	{ 0, "csv", NULL, "CSV: one line per leak", OPT_CSV },
	{ 'n', "limit", "N", "show N objects one by one, 0: all (default 100)", OPT_LIMIT },
	{ 's', "summary", NULL, "totals per cache only", OPT_SUMMARY },
	{ 0, "min-size", "BYTES", "leave out smaller objects", OPT_MIN_SIZE },
	{ 0, "cache", "GLOB", "leave out objects of other caches", OPT_CACHE },
	{ 0, "no-interior", NULL, "only pointers to the first byte keep an object", OPT_NO_INTERIOR },
	{ 0, "all-mappings", NULL, "look for pointers in shared mappings, too", OPT_ALL_MAPPINGS },
	{ 'k', "kernel", NULL, "watch the kernel: what is allocated and not freed", OPT_KERNEL },
	{ 'c', "command", "CMD", "with -k: watch while CMD runs, not for --trace (30) seconds", OPT_COMMAND },
	{ 0, "min-age", "SECS", "with -k: leave out younger objects (default 10)", OPT_MIN_AGE },
	{ 0, "stacks", "N", "with -k: keep the stack of one in N allocations", OPT_STACKS },
	{ 0 },
};

static int handle(void *context, const struct args_option *option, const char *value);

static const struct args_tool tool = {
	.name = "kmemleak",
	.synopsis = "{-p PID | -k} [OPTION]... [scan | scan=SECS | clear | dump=ADDR]",
	.summary = "Report objects of a libkmem process that no pointer leads to any more, or of the kernel that are not freed.",
	.options = options,
	.epilog = "scan       look once (default)\n"
		  "scan=SECS  look every SECS seconds and report what is new, until interrupted\n"
		  "clear      do not report again what is unreferenced now\n"
		  "dump=ADDR  show the object at an address and who refers to it\n"
		  "\n"
		  "The process is stopped while its memory is copied and goes on while the copy is\n"
		  "searched. Exit status: 0 no leak, 23 leaks found, 1 error, 2 wrong usage.\n",
	.handle = handle,
	.operands = true,
};

static int add_pid(struct command *c, const char *value)
{
	uint64_t pid;

	if (!args_number(value, 1, INT32_MAX, &pid))
		return args_error(&tool, "'%s' is not a process id", value);
	if (c->nr_pids == MAX_PIDS)
		return args_error(&tool, "more than %d processes", MAX_PIDS);
	c->pids[c->nr_pids++] = (pid_t)pid;
	return ARGS_CONTINUE;
}

static bool parse_address(const char *text, uint64_t *address)
{
	char *end;

	*address = strtoull(text, &end, 16);
	return *text && *text != '-' && !*end;
}

static int set_verb(struct command *c, const char *value)
{
	if (c->verb_given)
		return args_error(&tool, "more than one verb: '%s'", value);
	c->verb_given = true;
	if (!strcmp(value, "scan")) {
		c->settings.verb = VERB_SCAN;
	} else if (!strncmp(value, "scan=", 5)) {
		if (!args_seconds(value + 5, 10, &c->settings.period_ms))
			return args_error(&tool, "'%s' is not a number of seconds", value + 5);
	} else if (!strcmp(value, "clear")) {
		c->settings.verb = VERB_CLEAR;
	} else if (!strncmp(value, "dump=", 5)) {
		c->settings.verb = VERB_DUMP;
		if (!parse_address(value + 5, &c->settings.address))
			return args_error(&tool, "'%s' is not an address (hexadecimal)", value + 5);
	} else {
		return args_error(&tool, "unknown verb '%s'", value);
	}
	return ARGS_CONTINUE;
}

static int set_number(const struct args_option *option, const char *value, uint64_t *number)
{
	if (!args_number(value, 0, INT64_MAX, number))
		return args_error(&tool, "--%s: '%s' is not a number", option->name, value);
	return ARGS_CONTINUE;
}

static int set_kernel(struct command *c, const struct args_option *option, const char *value)
{
	uint64_t number;

	c->kernel_option = true;
	if (option->id == OPT_COMMAND) {
		c->kernel.command = value;
	} else if (option->id == OPT_MIN_AGE) {
		if (!args_seconds(value, 0, &c->kernel.min_age_ms))
			return args_error(&tool, "--min-age: '%s' is not a number of seconds", value);
	} else {
		if (!args_number(value, 1, 1000000, &number))
			return args_error(&tool, "--stacks: '%s' is not a number from 1 to 1000000", value);
		c->kernel.stack_every = (uint32_t)number;
	}
	return ARGS_CONTINUE;
}

static int handle(void *context, const struct args_option *option, const char *value)
{
	struct command *c = context;
	uint64_t number = 0;
	int code = ARGS_CONTINUE;

	if (!option)
		return set_verb(c, value);
	switch ((enum option_id)option->id) {
	case OPT_PID:
		return add_pid(c, value);
	case OPT_JSON:
		c->format = OUTPUT_JSON;
		break;
	case OPT_CSV:
		c->format = OUTPUT_CSV;
		break;
	case OPT_LIMIT:
		code = set_number(option, value, &number);
		c->settings.report.limit = number ? number : SIZE_MAX;
		break;
	case OPT_SUMMARY:
		c->settings.report.summary_only = true;
		break;
	case OPT_MIN_SIZE:
		code = set_number(option, value, &c->settings.min_bytes);
		break;
	case OPT_CACHE:
		c->settings.cache = value;
		break;
	case OPT_NO_INTERIOR:
		c->settings.scan.exact = true;
		break;
	case OPT_TRACE:
		if (!args_seconds(value, 10, &c->settings.trace_ms))
			code = args_error(&tool, "--trace: '%s' is not a number of seconds", value);
		break;
	case OPT_ALL_MAPPINGS:
		c->settings.scan.shared = true;
		break;
	case OPT_KERNEL:
		c->kernel.on = true;
		break;
	case OPT_COMMAND:
	case OPT_MIN_AGE:
	case OPT_STACKS:
		return set_kernel(c, option, value);
	}
	return code;
}

static int check_kernel(const struct command *c)
{
	if (c->nr_pids)
		return args_error(&tool, "-p and --kernel are two scans: use one");
	if (c->settings.verb != VERB_SCAN)
		return args_error(&tool, "clear and dump=ADDR go with -p only");
	if (c->kernel.command && c->settings.trace_ms)
		return args_error(&tool, "--trace and --command both say how long to watch: use one");
	return ARGS_CONTINUE;
}

static int check_command(const struct command *c)
{
	if (c->kernel.on)
		return check_kernel(c);
	if (c->kernel_option)
		return args_error(&tool, "--command, --min-age and --stacks go with --kernel");
	if (!c->nr_pids)
		return args_error(&tool, "no process given: use -p PID, or --kernel");
	if (c->settings.period_ms && c->nr_pids > 1)
		return args_error(&tool, "scan=SECS watches one process only");
	if (c->settings.verb != VERB_SCAN && c->format != OUTPUT_TEXT)
		return args_error(&tool, "--json and --csv go with scan only");
	if (c->settings.verb != VERB_SCAN && c->settings.trace_ms)
		return args_error(&tool, "--trace goes with scan only");
	return ARGS_CONTINUE;
}

static volatile sig_atomic_t interrupted;

static void on_signal(int signal)
{
	(void)signal;
	interrupted = 1;
}

/* A repeated or traced scan ends with its exit code, not by the signal. */
static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

int main(int argc, char **argv)
{
	struct command c = { .settings.report.limit = DEFAULT_LIMIT, .kernel.min_age_ms = KERNEL_MIN_AGE_MS };
	struct output o;
	int code, err;

	signal(SIGPIPE, SIG_IGN); /* a closed pipe is a write error like others */
	code = args_parse(&tool, argc, argv, &c, NULL);
	if (code == ARGS_CONTINUE)
		code = check_command(&c);
	if (code != ARGS_CONTINUE)
		return code;
	if (c.settings.period_ms || c.settings.trace_ms || c.kernel.on)
		catch_signals();
	output_init(&o, stdout, c.format);
	code = c.kernel.on ? kernel_run(&c.settings, &c.kernel, &o, &interrupted) : 0;
	for (size_t i = 0; i < c.nr_pids; i++)
		code = verb_worse(code, verb_run(c.pids[i], &c.settings, &o, &interrupted));
	err = output_flush(&o);
	if (err) {
		fprintf(stderr, "kmemleak: cannot write the report: %s\n", strerror(-err));
		code = 1;
	}
	return code;
}
