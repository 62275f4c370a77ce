/* SPDX-License-Identifier: BSD-2-Clause */
/* record.h - kmemtrace record: the events of processes, or of the kernel, into a file. */
#ifndef KMEMTRACE_RECORD_H
#define KMEMTRACE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define RECORD_MAX_PIDS 64

struct record_options {
	const char *output;
	pid_t pids[RECORD_MAX_PIDS];
	size_t nr_pids;
	char **command;       /* NULL: none */
	bool kernel;
	bool preload;
	bool stacks, no_time, no_follow, force, quiet;
	uint32_t duration_ms; /* 0: until interrupted, or all have ended */
	uint32_t ring_bytes;  /* 0: default */
	const char *line;     /* the command line, for the file */
};

/* "64M" as bytes, a power of two from 64K to 1G. False: it is none. */
bool record_parse_bytes(const char *text, uint32_t *bytes);

/* The command line: argv[0] is "record". Return the exit code: that of the command with -c. */
int record_run(int argc, char **argv);

#endif
