/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c - kmemtrace: the verbs. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/output.h"
#include "kmemtrace/diff.h"
#include "kmemtrace/export.h"
#include "kmemtrace/pin.h"
#include "kmemtrace/predict.h"
#include "kmemtrace/record.h"
#include "kmemtrace/report.h"
#include "kmemtrace/stat.h"
#include "kmemtrace/tune.h"

static const struct verb {
	const char *name;
	int (*run)(int argc, char **argv); /* argv[0] is the verb; returns the exit code */
	const char *help;
} verbs[] = {
	{ "record", record_run, "record every allocation and free into a file" },
	{ "stat", stat_run, "count what happens, from exact counters, without tracing" },
	{ "report", report_main, "say who allocates, who holds and what is wasted" },
	{ "diff", diff_main, "say what changed from one recording to another" },
	{ "pin", pin_main, "say whose objects keep slabs that are mostly free" },
	{ "export", export_main, "write a recording in the format of another tool" },
	{ "predict", predict_run, "the kernel's caches replayed in a model, against what they became" },
	{ "tune", tune_run, "what other limits of caches would save" },
	{ NULL, NULL, NULL },
};

static int finish_output(int code)
{
	int err = output_flush_file(stdout);

	if (!err)
		return code;
	fprintf(stderr, "kmemtrace: write error: %s\n", strerror(-err));
	return 1;
}

static int print_help(void)
{
	printf("Usage: kmemtrace VERB [OPTION]...\nRecord what is allocated and freed, and tell about it.\n\n");
	for (const struct verb *v = verbs; v->name; v++)
		printf("  %-8s %s\n", v->name, v->help);
	printf("\nOptions of a verb: kmemtrace VERB --help\n");
	return finish_output(0);
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN); /* a closed pipe is a write error like others */
	if (argc < 2) {
		fprintf(stderr, "kmemtrace: what to do? try 'kmemtrace --help'\n");
		return 2;
	}
	if (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help") || !strcmp(argv[1], "help"))
		return print_help();
	if (!strcmp(argv[1], "-V") || !strcmp(argv[1], "--version")) {
		printf("kmemtrace %s\n", SLABSCOPE_VERSION);
		return finish_output(0);
	}
	for (const struct verb *v = verbs; v->name; v++)
		if (!strcmp(argv[1], v->name))
			return finish_output(v->run(argc - 1, argv + 1));
	fprintf(stderr, "kmemtrace: unknown verb '%s'; try 'kmemtrace --help'\n", argv[1]);
	return 2;
}
