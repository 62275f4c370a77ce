/* SPDX-License-Identifier: BSD-2-Clause */
/* options.c - tests of tools/slabtop/options.c: defaults, procps' options, refusals. */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <string.h>

#include "common/args.h"
#include "slabtop/options.h"

static struct options o;

static int parse(const char *line)
{
	static char copy[256];
	char *argv[24];
	int argc = 0;

	snprintf(copy, sizeof(copy), "slabtop %s", line);
	for (char *p = strtok(copy, " "); p; p = strtok(NULL, " "))
		argv[argc++] = p;
	argv[argc] = NULL;
	return options_parse(&o, argc, argv);
}

Test(options, defaults)
{
	cr_assert_eq(parse(""), ARGS_CONTINUE);
	cr_expect_eq(o.delay_ms, 3000);
	cr_expect_eq(o.sort, 'o');
	cr_expect(o.kernel);
	cr_expect_not(o.once);
	cr_expect_eq(o.active, ACTIVE_AUTO);
	cr_expect_eq(o.format, OUTPUT_TEXT);
}

Test(options, those_of_procps)
{
	cr_assert_eq(parse("-d 5 -s C"), ARGS_CONTINUE);
	cr_expect_eq(o.delay_ms, 5000);
	cr_expect_eq(o.sort, 'c');
	cr_assert_eq(parse("--delay=1 --sort=u --human"), ARGS_CONTINUE);
	cr_expect_eq(o.delay_ms, 1000);
	cr_expect(o.human);
	cr_assert_eq(parse("-o"), ARGS_CONTINUE);
	cr_expect_eq(o.active, ACTIVE_SLABINFO, "byte for byte as procps");
}

Test(options, true_active_is_the_rule)
{
	cr_assert_eq(parse("-o --json"), ARGS_CONTINUE);
	cr_expect_eq(o.active, ACTIVE_AUTO);
	cr_assert_eq(parse("-o --true"), ARGS_CONTINUE);
	cr_expect_eq(o.active, ACTIVE_TRUE);
	cr_assert_eq(parse("--slabinfo"), ARGS_CONTINUE);
	cr_expect_eq(o.active, ACTIVE_SLABINFO);
	cr_assert_eq(parse("-o -p 1 --kernel"), ARGS_CONTINUE);
	cr_expect_eq(o.active, ACTIVE_AUTO);
	cr_assert_eq(parse("-o --rates"), ARGS_CONTINUE);
	cr_expect_eq(o.active, ACTIVE_AUTO, "rates belong to caches, slabinfo has names only");
}

Test(options, processes)
{
	cr_assert_eq(parse("-p 12 -p 13 -p 12"), ARGS_CONTINUE);
	cr_expect_eq(o.nr_pids, 2);
	cr_expect_eq(o.pids[1], 13);
	cr_expect_not(o.kernel);
	cr_assert_eq(parse("-p 12 --kernel"), ARGS_CONTINUE);
	cr_expect(o.kernel);
}

static void redirect(void)
{
	cr_redirect_stderr();
}

Test(options, wrong_usage, .init = redirect)
{
	static const char *const lines[] = {
		"-s x", "-s oo", "-s", "-d 0", "-d x", "-d -1", "-d 0.01", "-d", "-o -d 3", "-p x", "-p 0", "-p -1",
		"-p 99999999999", "operand", "-x", "--nonsense", "--json=1",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		cr_expect_eq(parse(lines[i]), 2, "%s", lines[i]);
}

Test(options, pools_are_those_of_processes, .init = cr_redirect_stderr)
{
	cr_assert_eq(parse("-o -p 1 --pools"), ARGS_CONTINUE);
	cr_expect(o.pools);
	cr_expect_not(o.kernel);
	cr_expect_eq(parse("--pools"), ARGS_EXIT_USAGE);
	cr_expect_eq(parse("--pools --kernel"), ARGS_EXIT_USAGE);
}
