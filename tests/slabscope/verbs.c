/* SPDX-License-Identifier: BSD-2-Clause */
/* verbs.c - tests of tools/slabscope/verbs.c: the table, help, what is not there. */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <string.h>

#include "slabscope/verbs.h"

static void redirect(void)
{
	cr_redirect_stdout();
	cr_redirect_stderr();
}

Test(verbs, table)
{
	cr_expect_str_eq(verb_find("top")->tool, "slabtop");
	cr_expect_str_eq(verb_find("leak")->tool, "kmemleak");
	cr_expect_str_eq(verb_find("trace")->tool, "kmemtrace");
	cr_expect_null(verb_find("help")->tool);
	cr_expect_null(verb_find("tops"));
	cr_expect_null(verb_find(""));
}

Test(verbs, sibling_stands_beside_the_program)
{
	char path[4096];

	cr_expect_eq(verb_sibling("slabtop", path, sizeof(path)), 0);
	cr_expect_str_eq(strrchr(path, '/'), "/slabtop");
	cr_expect_eq(path[0], '/');
	cr_expect_lt(verb_sibling("slabtop", path, 5), 0);
}

Test(verbs, unknown, .init = redirect)
{
	char name[] = "nonsense";
	char *argv[] = { name, NULL };

	cr_expect_eq(verb_run(1, argv), 2);
	fflush(stderr);
	cr_expect_stderr_eq_str("slabscope: unknown verb 'nonsense'; try 'slabscope help'\n");
}

Test(verbs, help_of_unknown, .init = redirect)
{
	char name[] = "help", what[] = "nonsense";
	char *argv[] = { name, what, NULL };

	cr_expect_eq(verb_run(2, argv), 2);
	fflush(stderr);
	cr_expect_stderr_eq_str("slabscope: unknown verb 'nonsense'; try 'slabscope help'\n");
}

Test(verbs, help_names_every_verb, .init = redirect)
{
	char name[] = "help";
	char *argv[] = { name, NULL };

	cr_expect_eq(verb_run(1, argv), 0);
	fflush(stdout);
	cr_expect_stdout_eq_str("Usage: slabscope VERB [options]\n\n"
				"  top          show slab caches of the kernel or of processes, live (slabtop)\n"
				"  leak         find objects that nothing refers to (kmemleak)\n"
				"  trace        record every allocation and free, and tell about it (kmemtrace)\n"
				"  run          [--fail-nth=all|N] -- COMMAND: a program with each of its allocations failing in turn\n"
				"  compare      [SCRIPT | -w NAME | -c COMMAND]: the same work in the kernel and in libkmem\n"
				"  events       [SECS | -c COMMAND]: what the kernel allocates and frees, and how complete that is\n"
				"  sys          PID [CACHE[/ATTRIBUTE]]: caches as in /sys/kernel/slab; --dump DIR: as files\n"
				"  slabinfo     PID: its caches as in /proc/slabinfo\n"
				"  buddyinfo    PID: free pages by order\n"
				"  pcpinfo      PID: pages parked per CPU, which buddyinfo leaves out\n"
				"  pagetypeinfo PID: free pages by mobility\n"
				"  extfrag      PID [unusable]: fragmentation by order\n"
				"  vmstat       PID: counters of the page allocator\n"
				"  zoneinfo     PID: the same by zone\n"
				"  help         show this help, or that of a verb\n"
				"  version      show the version\n"
				"\nOptions of a verb: slabscope help VERB\n");
}
