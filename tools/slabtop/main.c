/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main.c - slabtop: slab caches of the kernel and of libkmem processes.
 */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "common/args.h"
#include "slabtop/batch.h"
#include "slabtop/options.h"
#include "slabtop/screen.h"
#include "slabtop/session.h"

/* A screen is drawn where there is one; otherwise, and for one table, text goes to stdout. */
static bool wants_screen(const struct options *o)
{
	return !o->once && o->format == OUTPUT_TEXT && isatty(STDOUT_FILENO);
}

int main(int argc, char **argv)
{
	struct options options;
	struct session session;
	int code;

	signal(SIGPIPE, SIG_IGN); /* a closed pipe is a write error like others */
	code = options_parse(&options, argc, argv);
	if (code != ARGS_CONTINUE)
		return code;
	setlocale(LC_ALL, "");
	if (session_open(&session, &options)) {
		fprintf(stderr, "slabtop: %s\n", session.message);
		code = ARGS_EXIT_RUNTIME;
	} else {
		code = wants_screen(&options) ? screen_run(&session) : batch_run(&session);
	}
	session_close(&session);
	return code;
}
