/* SPDX-License-Identifier: BSD-2-Clause */
/* record.c - the command line of kmemtrace record. */
#include "kmemtrace/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/args.h"
#include "kmemtrace/krecorder.h"
#include "kmemtrace/recorder.h"

#define MIN_RING (64u << 10)
#define MAX_RING (1u << 30)
#define MAX_LINE 4096

enum { OPT_PID, OPT_COMMAND, OPT_KERNEL, OPT_OUTPUT, OPT_STACKS, OPT_NO_STACKS, OPT_NO_TIME, OPT_DURATION, OPT_RING,
       OPT_PRELOAD, OPT_FORCE, OPT_QUIET };

static const struct args_option options[] = {
	{ 'p', "pid", "PID", "record this process and the children it makes; may be repeated", OPT_PID },
	{ 'c', "command", NULL, "start the command behind the options, and record it from its first event", OPT_COMMAND },
	{ 0, "preload", NULL, "with -c: serve its malloc() by libkmem", OPT_PRELOAD },
	{ 'k', "kernel", NULL, "record the kernel's own allocations", OPT_KERNEL },
	{ 'o', "output", "FILE", "write this file (default kmemtrace.kmt)", OPT_OUTPUT },
	{ 0, "force", NULL, "replace an existing file", OPT_FORCE },
	{ 's', "stacks", NULL, "record whole call stacks (frame pointers), not just the caller", OPT_STACKS },
	{ 0, "no-stacks", NULL, "the caller only (default)", OPT_NO_STACKS },
	{ 0, "no-time", NULL, "no time stamps: the program pays half as much per event", OPT_NO_TIME },
	{ 'd', "duration", "SECS", "end after so long", OPT_DURATION },
	{ 0, "ring", "SIZE", "buffer between the kernel and this tool, 64K to 1G (default 64M)", OPT_RING },
	{ 'q', "quiet", NULL, "print errors only", OPT_QUIET },
	{ 0, NULL, NULL, NULL, 0 },
};

static int handle(void *context, const struct args_option *option, const char *value);

static const struct args_tool tool = {
	.name = "kmemtrace record",
	.synopsis = "(-p PID | -c | -k) [OPTION]... [--] [COMMAND [ARGUMENT]...]",
	.summary = "Record every allocation and free of processes with libkmem, or of the kernel, into a file.",
	.options = options,
	.epilog = "Ends when the processes have ended, after --duration, or when interrupted. What was written can be\n"
		  "read however it ends. Exit code: that of the command, 1 for a failure, 2 for wrong usage.\n\n"
		  "  kmemtrace record -c --preload -o redis.kmt -- redis-server --port 7777\n"
		  "  kmemtrace record -p 4711 -d 10 --stacks\n"
		  "  kmemtrace report kmemtrace.kmt\n",
	.handle = handle,
	.operands = true,
	.stop_at_operand = true,
};

bool record_parse_bytes(const char *text, uint32_t *bytes)
{
	char digits[16];
	size_t len = strcspn(text, "kKmMgG");
	uint64_t n, unit = 1;

	if (text[len] && text[len + 1])
		return false;
	if (text[len])
		unit = strchr("kK", text[len]) ? 1u << 10 : strchr("mM", text[len]) ? 1u << 20 : 1u << 30;
	if (len >= sizeof(digits))
		return false;
	snprintf(digits, sizeof(digits), "%.*s", (int)len, text);
	if (!args_number(digits, 1, MAX_RING / unit, &n))
		return false;
	*bytes = (uint32_t)(n * unit);
	return *bytes >= MIN_RING && !(*bytes & (*bytes - 1));
}

static int add_pid(struct record_options *o, const char *value)
{
	uint64_t pid;

	if (!args_number(value, 1, INT32_MAX, &pid))
		return args_error(&tool, "'%s' is not a process id", value);
	for (size_t i = 0; i < o->nr_pids; i++)
		if (o->pids[i] == (pid_t)pid)
			return ARGS_CONTINUE;
	if (o->nr_pids == RECORD_MAX_PIDS)
		return args_error(&tool, "more than %d processes", RECORD_MAX_PIDS);
	o->pids[o->nr_pids++] = (pid_t)pid;
	return ARGS_CONTINUE;
}

struct line {
	struct record_options o;
	bool command;
};

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
	case OPT_OUTPUT:
		l->o.output = value;
		break;
	case OPT_STACKS:
	case OPT_NO_STACKS:
		l->o.stacks = option->id == OPT_STACKS;
		break;
	case OPT_NO_TIME:
		l->o.no_time = true;
		break;
	case OPT_PRELOAD:
		l->o.preload = true;
		break;
	case OPT_FORCE:
		l->o.force = true;
		break;
	case OPT_DURATION:
		if (!args_seconds(value, 1, &l->o.duration_ms))
			return args_error(&tool, "--duration: '%s' is not a number of seconds", value);
		break;
	case OPT_RING:
		if (!record_parse_bytes(value, &l->o.ring_bytes))
			return args_error(&tool, "--ring: '%s' is not a power of two from 64K to 1G", value);
		break;
	default:
		l->o.quiet = true;
	}
	return ARGS_CONTINUE;
}

static int check(struct line *l, int argc, char **argv, int rest)
{
	int sources = (l->o.nr_pids > 0) + l->command + l->o.kernel;

	if (!sources)
		return args_error(&tool, "what to record? -p PID, -c COMMAND or -k");
	if (sources > 1)
		return args_error(&tool, "-p, -c and -k exclude each other");
	if (l->command && rest >= argc)
		return args_error(&tool, "which command?");
	if (!l->command && rest < argc)
		return args_error(&tool, "'%s' is too much; -c starts a command", argv[rest]);
	if (l->o.preload && !l->command)
		return args_error(&tool, "--preload goes with -c");
	if (l->o.kernel && (l->o.no_time || l->o.stacks))
		return args_error(&tool, "--no-time and --stacks do not go with -k");
	if (l->command)
		l->o.command = argv + rest;
	return ARGS_CONTINUE;
}

static void join_line(int argc, char **argv, char *to, size_t len)
{
	size_t at = (size_t)snprintf(to, len, "kmemtrace");

	for (int i = 0; i < argc && at < len; i++)
		at += (size_t)snprintf(to + at, len - at, " %s", argv[i]);
}

int record_run(int argc, char **argv)
{
	struct line l = { .o.output = "kmemtrace.kmt" };
	char text[MAX_LINE];
	int rest = argc, code = args_parse(&tool, argc, argv, &l, &rest);

	if (code == ARGS_CONTINUE)
		code = check(&l, argc, argv, rest);
	if (code != ARGS_CONTINUE)
		return code;
	join_line(argc, argv, text, sizeof(text));
	l.o.line = text;
	return l.o.kernel ? krecorder_run(&l.o) : recorder_run(&l.o);
}
