/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verbs.h - the table of what the front command knows.
 */
#ifndef SLABSCOPE_VERBS_H
#define SLABSCOPE_VERBS_H

#include <stddef.h>

struct verb {
	const char *name;
	const char *tool; /* program that it starts; NULL: none */
	const char *help; /* one line */
	int (*run)(int argc, char **argv); /* done here by this; NULL: by a tool, or by verb_run() */
};

/* The verb of that name, or NULL. */
const struct verb *verb_find(const char *name);

/*
 * Run argv[0] with its arguments: replaces this process by the tool, which is
 * looked for beside this program and then in PATH. Returns only for verbs that
 * are done here and on failure: the exit code (2 unknown verb, 1 the tool could
 * not be started; one line has been printed).
 */
int verb_run(int argc, char **argv);

/* Path of `tool` beside the running program in path[len]. Return 0 or -errno. */
int verb_sibling(const char *tool, char *path, size_t len);

#endif
