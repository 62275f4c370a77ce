/* SPDX-License-Identifier: BSD-2-Clause */
/* views.c - the page and slab allocator's files of a process; the formats are alloc/text's. */
#include "slabscope/views.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/output.h"
#include "text/pages.h"
#include "text/slab.h"

static const struct view {
	const char *name;
	const char *option; /* second argument that selects it, NULL: none */
	int (*file)(struct text *t, const struct text_source *src);
} views[] = {
	{ "buddyinfo", NULL, text_buddyinfo },
	{ "extfrag", NULL, text_extfrag_index },
	{ "extfrag", "unusable", text_unusable_index },
	{ "pagetypeinfo", NULL, text_pagetypeinfo },
	{ "pcpinfo", NULL, text_pcpinfo },
	{ "slabinfo", NULL, text_slabinfo },
	{ "vmstat", NULL, text_vmstat },
	{ "zoneinfo", NULL, text_zoneinfo },
};

static int usage(const char *name)
{
	const char *option = strcmp(name, "extfrag") ? "" : " [unusable]";

	fprintf(stderr, "slabscope: usage: slabscope %s PID%s\n", name, option);
	return 2;
}

pid_t views_pid(const char *text)
{
	char *end;
	long pid;

	errno = 0;
	pid = strtol(text, &end, 10);
	return *text && !*end && !errno && pid > 0 && pid <= INT_MAX ? (pid_t)pid : -1;
}

int views_open(struct target *t, struct source *source, const char *pid, unsigned int nth)
{
	int err;

	memset(t, 0, sizeof(*t));
	source->symbols = NULL;
	if (views_pid(pid) < 0) {
		fprintf(stderr, "slabscope: '%s' is no process number\n", pid);
		return 2;
	}
	err = target_open(t, views_pid(pid));
	if (!err)
		err = target_find_roots(t);
	if (!err)
		err = source_open(source, t, t->roots[nth].addr);
	if (err)
		fprintf(stderr, "slabscope: %s\n", t->message);
	return err ? 1 : 0;
}

static const struct view *find(int argc, char **argv)
{
	const char *option = argc > 2 ? argv[2] : NULL;
	size_t i;

	for (i = 0; i < ARRAY_LEN(views); i++)
		if (!strcmp(views[i].name, argv[0]) && !views[i].option == !option &&
		    (!option || !strcmp(views[i].option, option)))
			return &views[i];
	return NULL;
}

/* The file of the nth libkmem; a process may carry several, which are then named. */
static int print(struct target *t, struct source *source, const struct view *view, unsigned int nth)
{
	char *text;
	int err = source_open(source, t, t->roots[nth].addr);

	if (!err)
		err = source_text(source, view->file, &text);
	if (err) {
		fprintf(stderr, "slabscope: %s\n", t->message);
		return 1;
	}
	if (t->nr_roots > 1)
		printf("# %s\n", t->roots[nth].module);
	fputs(text, stdout);
	free(text);
	return 0;
}

int views_run(int argc, char **argv)
{
	const struct view *view = find(argc, argv);
	struct source source;
	struct target t;
	unsigned int nth;
	int code, err;

	if (argc < 2 || argc > 3 || !view)
		return usage(argv[0]);
	code = views_open(&t, &source, argv[1], 0);
	for (nth = 0; !code && nth < t.nr_roots; nth++)
		code = print(&t, &source, view, nth);
	source_close(&source);
	target_close(&t);
	err = output_flush_file(stdout);
	if (!err || code)
		return code;
	fprintf(stderr, "slabscope: write error: %s\n", strerror(-err));
	return 1;
}
