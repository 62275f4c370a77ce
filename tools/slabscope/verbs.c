/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verbs.c - find the tool of a verb and become it.
 */
#include "slabscope/verbs.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/output.h"
#include "slabscope/compare.h"
#include "slabscope/events.h"
#include "slabscope/run.h"
#include "slabscope/sys.h"
#include "slabscope/views.h"

static const struct verb verbs[] = {
	{ "top", "slabtop", "show slab caches of the kernel or of processes, live", NULL },
	{ "leak", "kmemleak", "find objects that nothing refers to", NULL },
	{ "trace", "kmemtrace", "record every allocation and free, and tell about it", NULL },
	{ "run", NULL, "[--fail-nth=all|N] -- COMMAND: a program with each of its allocations failing in turn", run_run },
	{ "compare", NULL, "[SCRIPT | -w NAME | -c COMMAND]: the same work in the kernel and in libkmem", compare_run },
	{ "events", NULL, "[SECS | -c COMMAND]: what the kernel allocates and frees, and how complete that is", events_run },
	{ "sys", NULL, "PID [CACHE[/ATTRIBUTE]]: caches as in /sys/kernel/slab; --dump DIR: as files", sys_run },
	{ "slabinfo", NULL, "PID: its caches as in /proc/slabinfo", views_run },
	{ "buddyinfo", NULL, "PID: free pages by order", views_run },
	{ "pcpinfo", NULL, "PID: pages parked per CPU, which buddyinfo leaves out", views_run },
	{ "pagetypeinfo", NULL, "PID: free pages by mobility", views_run },
	{ "extfrag", NULL, "PID [unusable]: fragmentation by order", views_run },
	{ "vmstat", NULL, "PID: counters of the page allocator", views_run },
	{ "zoneinfo", NULL, "PID: the same by zone", views_run },
	{ "help", NULL, "show this help, or that of a verb", NULL },
	{ "version", NULL, "show the version", NULL },
	{ NULL, NULL, NULL, NULL },
};

const struct verb *verb_find(const char *name)
{
	for (const struct verb *v = verbs; v->name; v++)
		if (!strcmp(v->name, name))
			return v;
	return NULL;
}

int verb_sibling(const char *tool, char *path, size_t len)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (n < 0)
		return -errno;
	self[n] = '\0';
	slash = strrchr(self, '/');
	if (!slash)
		return -ENOENT;
	if ((size_t)snprintf(path, len, "%.*s/%s", (int)(slash - self), self, tool) >= len)
		return -ENAMETOOLONG;
	return 0;
}

static int start_tool(const struct verb *verb, char **argv)
{
	static char name[32];
	char path[PATH_MAX];

	/* The tool calls itself by its own name in its messages and in ps. */
	snprintf(name, sizeof(name), "%s", verb->tool);
	argv[0] = name;
	if (!verb_sibling(verb->tool, path, sizeof(path)))
		execv(path, argv);
	if (errno == ENOENT)
		execvp(verb->tool, argv);
	fprintf(stderr, "slabscope: '%s' cannot be started: %s; it belongs beside slabscope or into PATH\n", verb->tool,
		strerror(errno));
	return 1;
}

static int finish_output(void)
{
	int err = output_flush_file(stdout);

	if (!err)
		return 0;
	fprintf(stderr, "slabscope: write error: %s\n", strerror(-err));
	return 1;
}

static int print_help(void)
{
	printf("Usage: slabscope VERB [options]\n\n");
	for (const struct verb *v = verbs; v->name; v++)
		printf("  %-12s %s%s%s%s\n", v->name, v->help, v->tool ? " (" : "", v->tool ? v->tool : "",
		       v->tool ? ")" : "");
	printf("\nOptions of a verb: slabscope help VERB\n");
	return finish_output();
}

static int unknown(const char *name)
{
	fprintf(stderr, "slabscope: unknown verb '%s'; try 'slabscope help'\n", name);
	return 2;
}

/* "help VERB" is "VERB --help". */
static int help(int argc, char **argv)
{
	char option[] = "--help";
	char *args[] = { argv[0], option, NULL };
	const struct verb *verb;

	if (argc < 2)
		return print_help();
	verb = verb_find(argv[1]);
	if (!verb)
		return unknown(argv[1]);
	return verb->tool ? start_tool(verb, args) : print_help();
}

static int print_version(void)
{
	printf("slabscope %s\n", SLABSCOPE_VERSION);
	return finish_output();
}

int verb_run(int argc, char **argv)
{
	const struct verb *verb = verb_find(argv[0]);

	if (!strcmp(argv[0], "-h") || !strcmp(argv[0], "--help"))
		return print_help();
	if (!strcmp(argv[0], "-V") || !strcmp(argv[0], "--version"))
		return print_version();
	if (!verb)
		return unknown(argv[0]);
	if (verb->tool)
		return start_tool(verb, argv);
	if (verb->run)
		return verb->run(argc, argv);
	return !strcmp(verb->name, "help") ? help(argc, argv) : print_version();
}
