/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * args.h - command lines from a table: one description gives parsing, help and
 * one-line errors.
 *
 * -h/--help and -V/--version are in every tool without being listed. Long names
 * may be abbreviated, options and operands mixed, "--" ends the options, as
 * getopt_long() does it.
 */
#ifndef COMMON_ARGS_H
#define COMMON_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARGS_EXIT_OK      0
#define ARGS_EXIT_RUNTIME 1
#define ARGS_EXIT_USAGE   2
#define ARGS_CONTINUE     (-1) /* args_parse(): go on with the work */

struct args_option {
	char letter;       /* 0: long name only */
	const char *name;  /* long name, without dashes */
	const char *value; /* what it takes, for the help ("SECS"); NULL: nothing */
	const char *help;  /* one or more lines, '\n' between */
	int id;            /* for the handler's switch */
};

struct args_tool {
	const char *name;
	const char *synopsis; /* behind the name in the usage line */
	const char *summary;  /* what the tool is for: one line */
	const struct args_option *options; /* ends with .name == NULL */
	const char *epilog;   /* behind the options in the help, or NULL */
	/*
	 * Called for every option with its value (or NULL), and with option
	 * NULL for every operand. Return ARGS_CONTINUE, or an exit code after
	 * args_error().
	 */
	int (*handle)(void *context, const struct args_option *option, const char *value);
	bool operands;        /* false: any operand is a usage error */
	bool stop_at_operand; /* the first operand and all that follows belong to a command */
};

/*
 * Parse. Return ARGS_CONTINUE, or the code to exit with: 0 after -h or -V have
 * printed to stdout, 2 after one line on stderr. With stop_at_operand, *rest is
 * the index in argv of the first operand (argc if none); may be NULL.
 */
int args_parse(const struct args_tool *tool, int argc, char **argv, void *context, int *rest);

/* Print the help text of -h to stdout. */
void args_help(const struct args_tool *tool);

/* "NAME: MESSAGE; try 'NAME --help'" on stderr. Return ARGS_EXIT_USAGE. */
int args_error(const struct args_tool *tool, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A decimal number with nothing behind it, within [min, max]. Return false otherwise. */
bool args_number(const char *text, uint64_t min, uint64_t max, uint64_t *number);

/* Seconds with an optional fraction ("0.5") as milliseconds, at least min_ms. False when it is none. */
bool args_seconds(const char *text, uint32_t min_ms, uint32_t *ms);

#endif
