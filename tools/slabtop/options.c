/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options.c - the option table of slabtop.
 *
 * Letters and meanings of procps slabtop 4.0 come first and stay as they are;
 * what is ours has a long name or a letter that procps leaves free.
 */
#include "slabtop/options.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

#include "common/args.h"
#include "common/rows.h"

enum { DELAY, ONCE, SORT, PID, KERNEL, TRUE_ACTIVE, SLABINFO, JSON, CSV, HUMAN, RATES, POOLS };

static const struct args_option table[] = {
	{ 'd', "delay", "SECS", "seconds between updates, 0.1 or more (default 3)", DELAY },
	{ 'o', "once", NULL, "print once and exit", ONCE },
	{ 's', "sort", "CHAR", "sort by this key (see below, default o)", SORT },
	{ 'p', "pid", "PID", "show the caches of this process (repeatable); it must carry\n"
			     "libkmem; needs no BPF, and no root for the same user", PID },
	{ 0, "kernel", NULL, "show the kernel's caches beside those of -p", KERNEL },
	{ 0, "true", NULL, "ACTIVE counts only what callers hold, or fail (kernel: BPF)", TRUE_ACTIVE },
	{ 0, "slabinfo", NULL, "ACTIVE as /proc/slabinfo has it", SLABINFO },
	{ 0, "rates", NULL, "allocations and frees per second of the kernel, too: counts its\n"
			    "events by BPF (about 0.5 us each); with -o measures a second", RATES },
	{ 0, "pools", NULL, "show mempools, genpools and region pools of the processes\n"
			    "instead of caches; on the screen key t does it, too", POOLS },
	{ 0, "json", NULL, "print JSON lines, one per cache or pool and update", JSON },
	{ 0, "csv", NULL, "print CSV", CSV },
	{ 0, "human", NULL, "print sizes with units", HUMAN },
	{ 0 },
};

static const char epilog[] =
	"Sort keys, also live, either case:\n"
	"  o objects (default)    a active objects    u use      n name\n"
	"  s object size          c cache size        l slabs    v active slabs\n"
	"  b objects per slab     p pages per slab    e cached   g partial slabs\n"
	"  i allocations/s        f frees/s\n"
	"of pools: n name, c size, a in use now, i allocations, f frees, l longest wait,\n"
	"u fragmentation\n"
	"\n"
	"ACTIVE: the screen, --json, --csv and -p count the objects that callers hold,\n"
	"without those parked in per-CPU arrays; what the kernel does not let us see is\n"
	"said in the status line. Plain -o prints the numbers of /proc/slabinfo, byte for\n"
	"byte as procps slabtop does; --true and --slabinfo choose otherwise. \"-\" is\n"
	"unknown; \"+3\" behind a name: three more names share the cache; \"~\": it changed\n"
	"while it was read.\n"
	"\n"
	"Without a terminal slabtop prints plain text, a table per update. Exit code: 0,\n"
	"1 on failure (also when the process has ended), 2 on wrong usage.\n";

static int handle(void *context, const struct args_option *option, const char *value);

static const struct args_tool tool = {
	.name = "slabtop",
	.synopsis = "[options]",
	.summary = "Show slab caches of the kernel or of libkmem processes, live.",
	.options = table,
	.epilog = epilog,
	.handle = handle,
};

static int add_pid(struct options *o, const char *value)
{
	uint64_t pid;

	if (!args_number(value, 1, INT_MAX, &pid))
		return args_error(&tool, "'%s' is no process id", value);
	for (unsigned int i = 0; i < o->nr_pids; i++)
		if (o->pids[i] == (pid_t)pid)
			return ARGS_CONTINUE;
	if (o->nr_pids == SLABTOP_MAX_PIDS)
		return args_error(&tool, "more than %d processes", SLABTOP_MAX_PIDS);
	o->pids[o->nr_pids++] = (pid_t)pid;
	return ARGS_CONTINUE;
}

static int set_sort(struct options *o, const char *value)
{
	if (strlen(value) != 1 || !rows_key_is_valid(value[0]))
		return args_error(&tool, "'%s' is no sort key", value);
	o->sort = (char)tolower((unsigned char)value[0]);
	return ARGS_CONTINUE;
}

static int set_delay(struct options *o, const char *value)
{
	o->delay_given = true;
	if (!args_seconds(value, SLABTOP_MIN_DELAY_MS, &o->delay_ms))
		return args_error(&tool, "delay '%s' is not a number of seconds, 0.1 or more", value);
	return ARGS_CONTINUE;
}

static int handle(void *context, const struct args_option *option, const char *value)
{
	struct options *o = context;

	switch (option->id) {
	case DELAY:
		return set_delay(o, value);
	case SORT:
		return set_sort(o, value);
	case PID:
		return add_pid(o, value);
	case ONCE:
		o->once = true;
		break;
	case KERNEL:
		o->kernel = true;
		break;
	case TRUE_ACTIVE:
		o->active = ACTIVE_TRUE;
		break;
	case SLABINFO:
		o->active = ACTIVE_SLABINFO;
		break;
	case RATES:
		o->rates = true;
		break;
	case JSON:
		o->format = OUTPUT_JSON;
		break;
	case CSV:
		o->format = OUTPUT_CSV;
		break;
	case POOLS:
		o->pools = true;
		break;
	case HUMAN:
		o->human = true;
		break;
	}
	return ARGS_CONTINUE;
}

int options_parse(struct options *o, int argc, char **argv)
{
	int code;

	*o = (struct options){ .delay_ms = 3000, .sort = 'o', .active = ACTIVE_AUTO };
	code = args_parse(&tool, argc, argv, o, NULL);
	if (code != ARGS_CONTINUE)
		return code;
	if (o->once && o->delay_given)
		return args_error(&tool, "-d and -o exclude each other");
	if (o->pools && !o->nr_pids)
		return args_error(&tool, "--pools needs a process: -p PID");
	if (!o->nr_pids)
		o->kernel = true;
	/* The one case in which the output must be that of procps. */
	if (o->active == ACTIVE_AUTO && o->once && !o->nr_pids && !o->rates && o->format == OUTPUT_TEXT)
		o->active = ACTIVE_SLABINFO;
	return ARGS_CONTINUE;
}
