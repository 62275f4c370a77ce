/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options.h - what the command line of slabtop asks for.
 */
#ifndef SLABTOP_OPTIONS_H
#define SLABTOP_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/output.h"

#define SLABTOP_MAX_PIDS 64
#define SLABTOP_MIN_DELAY_MS 100u

/* Where the kernel's ACTIVE comes from. */
enum active_source {
	ACTIVE_AUTO,     /* true if the kernel lets us, else slabinfo and a note */
	ACTIVE_TRUE,     /* true or fail */
	ACTIVE_SLABINFO, /* as procps */
};

struct options {
	pid_t pids[SLABTOP_MAX_PIDS];
	unsigned int nr_pids;
	uint32_t delay_ms;
	bool delay_given;
	bool once;
	bool kernel;      /* the kernel's caches are wanted */
	bool human;
	bool pools;       /* pools of processes instead of caches */
	bool rates;       /* count the kernel's events; with -o measure for a second */
	char sort;        /* lower case */
	enum active_source active;
	enum output_format format;
};

/*
 * Parse the command line into *o, defaults included. Return ARGS_CONTINUE or
 * the code to exit with; messages have then been printed.
 */
int options_parse(struct options *o, int argc, char **argv);

#endif
