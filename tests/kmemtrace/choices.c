/* SPDX-License-Identifier: BSD-2-Clause */
/* choices.c - options to choices. */
#include "kmemtrace/choices.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <string.h>

static const struct args_option options[] = { CHOICES_OPTIONS, { 0 } };

static int handle(void *context, const struct args_option *option, const char *value);

static const struct args_tool tool = { .name = "test", .synopsis = "", .summary = "", .options = options, .handle = handle };

static int handle(void *context, const struct args_option *option, const char *value)
{
	return choices_handle(&tool, context, option, value);
}

static int parse(struct analysis_options *o, char *a, char *b, char *c, char *d)
{
	char *argv[] = { "test", a, b, c, d, NULL };
	int argc = 1;

	while (argv[argc])
		argc++;
	memset(o, 0, sizeof(*o));
	return args_parse(&tool, argc, argv, o, NULL);
}

Test(choices, all, .init = cr_redirect_stderr)
{
	struct analysis_options o;

	cr_expect_eq(parse(&o, "--filter=x", "--skip=y", "--debug-dir=/d", NULL), ARGS_CONTINUE);
	cr_expect(!strcmp(o.filter, "x") && !strcmp(o.skip, "y") && !strcmp(o.debug_dir, "/d") && choices_any(&o));
	cr_expect_eq(parse(&o, "--skip=y", "--debug-dir=/d", NULL, NULL), ARGS_CONTINUE);
	cr_expect_not(choices_any(&o), "names leave nothing out");
	cr_expect_eq(parse(&o, "--from=1s", "--to=1500ms", "--pages", NULL), ARGS_CONTINUE);
	cr_expect(o.from_ns == 1000000000 && o.to_ns == 1500000000 && o.pages && choices_any(&o));
	cr_expect_eq(parse(&o, "--from=2s", "--to=2s", NULL, NULL), ARGS_EXIT_USAGE);
	cr_expect_eq(parse(&o, "--to=2s", "--from=3s", NULL, NULL), ARGS_EXIT_USAGE);
	cr_expect_eq(parse(&o, "--to=0", NULL, NULL, NULL), ARGS_EXIT_USAGE);
	cr_expect_eq(parse(&o, "--from=x", NULL, NULL, NULL), ARGS_EXIT_USAGE);
}
