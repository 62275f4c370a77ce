/* SPDX-License-Identifier: BSD-2-Clause */
/* choices.c - see choices.h. */
#include "kmemtrace/choices.h"

#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>

#include "kmemtrace/units.h"

static int set_time(const struct args_tool *tool, const struct args_option *option, const char *value, uint64_t *ns)
{
	if (!units_parse_time(value, ns))
		return args_error(tool, "--%s: '%s' is no time: use 2.5s, 300ms or the like", option->name, value);
	return ARGS_CONTINUE;
}

int choices_handle(const struct args_tool *tool, struct analysis_options *o, const struct args_option *option,
		   const char *value)
{
	int code = ARGS_CONTINUE;

	switch ((enum choices_id)option->id) {
	case CHOICES_FILTER:
		o->filter = value;
		break;
	case CHOICES_SKIP:
		o->skip = value;
		break;
	case CHOICES_FROM:
		code = set_time(tool, option, value, &o->from_ns);
		break;
	case CHOICES_TO:
		code = set_time(tool, option, value, &o->to_ns);
		if (code == ARGS_CONTINUE && !o->to_ns)
			code = args_error(tool, "--to: nothing happens before the beginning");
		break;
	case CHOICES_PAGES:
		o->pages = true;
		break;
	case CHOICES_DEBUG_DIR:
		o->debug_dir = value;
		break;
	case CHOICES_END:
		break;
	}
	if (code == ARGS_CONTINUE && o->to_ns && o->from_ns >= o->to_ns)
		code = args_error(tool, "--from lies behind --to");
	return code;
}

bool choices_any(const struct analysis_options *o)
{
	return o->filter || o->from_ns || o->to_ns || o->pages;
}

int choices_write_error(const char *what, int err)
{
	fprintf(stderr, "kmemtrace: cannot write %s: %s\n", what, strerror(-err));
	__fpurge(stdout);
	clearerr(stdout);
	return ARGS_EXIT_RUNTIME;
}
