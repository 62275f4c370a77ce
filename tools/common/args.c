/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * args.c - option tables on top of getopt_long().
 */
#include "common/args.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/output.h"

#define MAX_OPTIONS 48
#define ID_HELP     1000 /* getopt values: table index + ID_FIRST */
#define ID_VERSION  1001
#define ID_FIRST    2000

int args_error(const struct args_tool *tool, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", tool->name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "; try '%s --help'\n", tool->name);
	return ARGS_EXIT_USAGE;
}

/* One option's lines: "  -d, --delay SECS  text", continuation lines indented alike. */
static void help_option(char letter, const char *name, const char *value, const char *help)
{
	char left[64];
	const char *line = help;
	int n = letter ? snprintf(left, sizeof(left), "  -%c, --%s", letter, name)
		       : snprintf(left, sizeof(left), "      --%s", name);

	if (value && n > 0 && (size_t)n < sizeof(left))
		snprintf(left + n, sizeof(left) - (size_t)n, " %s", value);
	for (const char *lead = left; *line; lead = "") {
		size_t len = strcspn(line, "\n");

		printf("%-23s %.*s\n", lead, (int)len, line);
		line += len + (line[len] == '\n');
	}
}

void args_help(const struct args_tool *tool)
{
	printf("Usage: %s %s\n%s\n\n", tool->name, tool->synopsis, tool->summary);
	for (const struct args_option *o = tool->options; o->name; o++)
		help_option(o->letter, o->name, o->value, o->help);
	help_option('h', "help", NULL, "show this help and exit");
	help_option('V', "version", NULL, "show the version and exit");
	if (tool->epilog)
		printf("\n%s", tool->epilog);
}

/* The table as getopt_long() wants it. */
static void translate(const struct args_tool *tool, char *letters, struct option *names)
{
	int i = 0;

	*letters++ = tool->stop_at_operand ? '+' : '-';
	*letters++ = ':';
	for (const struct args_option *o = tool->options; o->name && i < MAX_OPTIONS; o++, i++) {
		names[i] = (struct option){ .name = o->name, .has_arg = o->value ? required_argument : no_argument,
					    .val = ID_FIRST + i };
		if (!o->letter)
			continue;
		*letters++ = o->letter;
		if (o->value)
			*letters++ = ':';
	}
	names[i++] = (struct option){ .name = "help", .val = ID_HELP };
	names[i++] = (struct option){ .name = "version", .val = ID_VERSION };
	names[i] = (struct option){ 0 };
	strcpy(letters, "hV");
}

static const struct args_option *find_option(const struct args_tool *tool, int c)
{
	if (c >= ID_FIRST)
		return &tool->options[c - ID_FIRST];
	for (const struct args_option *o = tool->options; o->name; o++)
		if (o->letter && o->letter == c)
			return o;
	return NULL;
}

/* getopt reports an unknown long option with optopt 0 and leaves optind behind it. */
static int unknown_option(const struct args_tool *tool, char **argv)
{
	if (optopt >= ID_FIRST)
		return args_error(tool, "option '--%s' takes no value", tool->options[optopt - ID_FIRST].name);
	if (optopt == ID_HELP || optopt == ID_VERSION)
		return args_error(tool, "option '%s' takes no value", optopt == ID_HELP ? "--help" : "--version");
	if (optopt)
		return args_error(tool, "unknown option '-%c'", optopt);
	return args_error(tool, "unknown or ambiguous option '%s'", argv[optind - 1]);
}

/* What help and version have printed must have arrived. */
static int finish_output(const struct args_tool *tool)
{
	int err = output_flush_file(stdout);

	if (!err)
		return ARGS_EXIT_OK;
	fprintf(stderr, "%s: write error: %s\n", tool->name, strerror(-err));
	return ARGS_EXIT_RUNTIME;
}

static int handle_one(const struct args_tool *tool, int c, char **argv, void *context)
{
	switch (c) {
	case ID_HELP:
	case 'h':
		args_help(tool);
		return finish_output(tool);
	case ID_VERSION:
	case 'V':
		printf("%s from slabscope %s\n", tool->name, SLABSCOPE_VERSION);
		return finish_output(tool);
	case ':':
		if (optopt >= ID_FIRST)
			return args_error(tool, "option '--%s' needs a value", tool->options[optopt - ID_FIRST].name);
		return args_error(tool, "option '-%c' needs a value", optopt);
	case '?':
		return unknown_option(tool, argv);
	case 1:
		if (!tool->operands)
			return args_error(tool, "unexpected operand '%s'", optarg);
		return tool->handle(context, NULL, optarg);
	default:
		return tool->handle(context, find_option(tool, c), optarg);
	}
}

int args_parse(const struct args_tool *tool, int argc, char **argv, void *context, int *rest)
{
	char letters[2 * MAX_OPTIONS + 8];
	struct option names[MAX_OPTIONS + 3];
	int c, code;

	translate(tool, letters, names);
	opterr = 0;
	optind = 0; /* tests parse more than once */
	while ((c = getopt_long(argc, argv, letters, names, NULL)) != -1) {
		code = handle_one(tool, c, argv, context);
		if (code != ARGS_CONTINUE)
			return code;
	}
	if (rest)
		*rest = optind;
	/* What follows "--". */
	for (; !tool->stop_at_operand && optind < argc; optind++) {
		optarg = argv[optind];
		code = handle_one(tool, 1, argv, context);
		if (code != ARGS_CONTINUE)
			return code;
	}
	return ARGS_CONTINUE;
}

bool args_number(const char *text, uint64_t min, uint64_t max, uint64_t *number)
{
	uint64_t n = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || __builtin_mul_overflow(n, 10u, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*text - '0'), &n))
			return false;
	}
	if (n < min || n > max)
		return false;
	*number = n;
	return true;
}

/* By hand: strtod() takes the locale's decimal point, "inf" and hexadecimal. */
bool args_seconds(const char *text, uint32_t min_ms, uint32_t *ms)
{
	char whole[16];
	size_t len = strcspn(text, ".");
	uint64_t n, unit = 1000;

	if (!len || len >= sizeof(whole))
		return false;
	memcpy(whole, text, len);
	whole[len] = '\0';
	if (!args_number(whole, 0, 1000000, &n))
		return false;
	n *= 1000;
	text += len;
	if (*text == '.' && !*++text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		unit /= 10;
		n += unit * (uint64_t)(*text - '0');
	}
	if (n < min_ms)
		return false;
	*ms = (uint32_t)n;
	return true;
}
