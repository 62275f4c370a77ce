/* SPDX-License-Identifier: BSD-2-Clause */
/* args.c - tests of tools/common/args.c: tables, usage errors, numbers. */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <string.h>

#include "common/args.h"

struct seen {
	char text[256];
};

static int handle(void *context, const struct args_option *option, const char *value)
{
	struct seen *seen = context;
	size_t len = strlen(seen->text);

	snprintf(seen->text + len, sizeof(seen->text) - len, "%s=%s;", option ? option->name : "operand",
		 value ? value : "-");
	return ARGS_CONTINUE;
}

static const struct args_option options[] = {
	{ .letter = 'd', .name = "delay", .value = "SECS", .help = "wait" },
	{ .letter = 'o', .name = "once", .help = "first line\nsecond line" },
	{ .name = "human", .help = "long only" },
	{ 0 },
};

static struct args_tool tool = {
	.name = "tool", .synopsis = "[options]", .summary = "tests", .options = options, .handle = handle,
};

static int parse(struct seen *seen, const char *line, int *rest)
{
	static char copy[256];
	char *argv[16] = { copy };
	int argc = 0;

	snprintf(copy, sizeof(copy), "tool %s", line);
	for (char *p = strtok(copy, " "); p; p = strtok(NULL, " "))
		argv[argc++] = p;
	argv[argc] = NULL;
	seen->text[0] = '\0';
	return args_parse(&tool, argc, argv, seen, rest);
}

Test(args, options_reach_the_handler)
{
	struct seen seen;

	cr_expect_eq(parse(&seen, "-d 3 -o --human", NULL), ARGS_CONTINUE);
	cr_expect_str_eq(seen.text, "delay=3;once=-;human=-;");
	cr_expect_eq(parse(&seen, "-od3 --delay=4 --del 5 --hum", NULL), ARGS_CONTINUE);
	cr_expect_str_eq(seen.text, "once=-;delay=3;delay=4;delay=5;human=-;");
	cr_expect_eq(parse(&seen, "", NULL), ARGS_CONTINUE);
	cr_expect_str_eq(seen.text, "");
}

static void redirect(void)
{
	cr_redirect_stdout();
	cr_redirect_stderr();
}

static void expect_usage(const char *line, const char *message)
{
	struct seen seen;

	cr_expect_eq(parse(&seen, line, NULL), 2, "%s", line);
	fflush(stderr);
	cr_expect_stderr_eq_str(message);
}

Test(args, unknown_letter, .init = redirect)
{
	expect_usage("-x", "tool: unknown option '-x'; try 'tool --help'\n");
}

Test(args, unknown_name, .init = redirect)
{
	expect_usage("--nonsense", "tool: unknown or ambiguous option '--nonsense'; try 'tool --help'\n");
}

Test(args, missing_value, .init = redirect)
{
	expect_usage("-d", "tool: option '-d' needs a value; try 'tool --help'\n");
}

Test(args, missing_value_of_long_option, .init = redirect)
{
	expect_usage("--delay", "tool: option '--delay' needs a value; try 'tool --help'\n");
}

Test(args, value_not_wanted, .init = redirect)
{
	expect_usage("--once=3", "tool: option '--once' takes no value; try 'tool --help'\n");
}

Test(args, operand_not_wanted, .init = redirect)
{
	expect_usage("-o extra", "tool: unexpected operand 'extra'; try 'tool --help'\n");
}

Test(args, operand_behind_dashes_not_wanted, .init = redirect)
{
	expect_usage("-- -o", "tool: unexpected operand '-o'; try 'tool --help'\n");
}

Test(args, operands_and_commands)
{
	struct seen seen;
	int rest;

	tool.operands = true;
	cr_expect_eq(parse(&seen, "a -o b -- -c", NULL), ARGS_CONTINUE);
	cr_expect_str_eq(seen.text, "operand=a;once=-;operand=b;operand=-c;");
	tool.stop_at_operand = true;
	cr_expect_eq(parse(&seen, "-o run -x y", &rest), ARGS_CONTINUE);
	cr_expect_str_eq(seen.text, "once=-;");
	cr_expect_eq(rest, 2);
}

Test(args, help_and_version, .init = redirect)
{
	struct seen seen;

	cr_expect_eq(parse(&seen, "--help -x", NULL), 0);
	cr_expect_eq(parse(&seen, "-V", NULL), 0);
	fflush(stdout);
	cr_expect_stdout_eq_str("Usage: tool [options]\ntests\n\n"
				"  -d, --delay SECS      wait\n"
				"  -o, --once            first line\n"
				"                        second line\n"
				"      --human           long only\n"
				"  -h, --help            show this help and exit\n"
				"  -V, --version         show the version and exit\n"
				"tool from slabscope " SLABSCOPE_VERSION "\n");
}

Test(args, numbers)
{
	uint64_t n;

	cr_expect(args_number("0", 0, 10, &n) && n == 0);
	cr_expect(args_number("18446744073709551615", 0, UINT64_MAX, &n) && n == UINT64_MAX);
	cr_expect_not(args_number("18446744073709551616", 0, UINT64_MAX, &n));
	cr_expect_not(args_number("", 0, 10, &n));
	cr_expect_not(args_number("-1", 0, 10, &n));
	cr_expect_not(args_number("+1", 0, 10, &n));
	cr_expect_not(args_number("1 ", 0, 10, &n));
	cr_expect_not(args_number("0x1", 0, 10, &n));
	cr_expect_not(args_number("11", 0, 10, &n));
	cr_expect_not(args_number("1", 2, 10, &n));
}

Test(args, seconds)
{
	uint32_t ms;

	cr_expect(args_seconds("3", 100, &ms) && ms == 3000);
	cr_expect(args_seconds("0.5", 100, &ms) && ms == 500);
	cr_expect(args_seconds("1.2345", 100, &ms) && ms == 1234);
	cr_expect_not(args_seconds("0", 100, &ms));
	cr_expect_not(args_seconds("0.05", 100, &ms));
	cr_expect_not(args_seconds("", 0, &ms));
	cr_expect_not(args_seconds(".5", 0, &ms));
	cr_expect_not(args_seconds("1.", 0, &ms));
	cr_expect_not(args_seconds("1s", 0, &ms));
	cr_expect_not(args_seconds("inf", 0, &ms));
	cr_expect_not(args_seconds("99999999999999999999", 0, &ms));
}
