/* SPDX-License-Identifier: BSD-2-Clause */
/* run.h - slabscope run: a program with injected allocation failures. */
#ifndef SLABSCOPE_RUN_H
#define SLABSCOPE_RUN_H

/* The verb. argv[0] is its name. Return: exit code: 0 it survived every failure, 1 it did not, 2 wrong usage. */
int run_run(int argc, char **argv);

/* "all", "N" or "N-M" (1 <= N <= M) as first and last; "all" has last ULONG_MAX. Return: 0 or -1. */
int run_parse_range(const char *text, unsigned long *first, unsigned long *last);

#endif
