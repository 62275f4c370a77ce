/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main.c - slabscope: one command in front of the tools, from a table of verbs.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "slabscope/verbs.h"

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN); /* a closed pipe is a write error like others */
	if (argc < 2) {
		fprintf(stderr, "slabscope: which tool? try 'slabscope help'\n");
		return 2;
	}
	return verb_run(argc - 1, argv + 1);
}
