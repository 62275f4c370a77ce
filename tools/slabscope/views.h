/* SPDX-License-Identifier: BSD-2-Clause */
/* views.h - verbs that print a file as /proc has it, about one process: slabscope buddyinfo PID. */
#ifndef SLABSCOPE_VIEWS_H
#define SLABSCOPE_VIEWS_H

#include <sys/types.h>

#include "common/source.h"

/*
 * argv[0] is the name of the file: buddyinfo, extfrag, pagetypeinfo, pcpinfo,
 * slabinfo, vmstat, zoneinfo. Return: the exit code, after one line if it is not 0.
 */
int views_run(int argc, char **argv);

/* The number of a process, or -1. */
pid_t views_pid(const char *text);

/* Open the process and the only or the n-th libkmem in it: 0, or an exit code after one line. */
int views_open(struct target *t, struct source *source, const char *pid, unsigned int nth);

#endif
