/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main.c - slabscope: one command in front of the tools, from a table of verbs.
 */
#include <stdio.h>
#include <string.h>

#include "slabscope/verbs.h"

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "slabscope: which tool? try 'slabscope help'\n");
		return 2;
	}
	return verb_run(argc - 1, argv + 1);
}
