/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recorder.h - what kmemtrace record does once it knows what is wanted: the loop
 * that attaches, follows, reads and writes.
 */
#ifndef KMEMTRACE_RECORDER_H
#define KMEMTRACE_RECORDER_H

#include "kmemtrace/record.h"

/* Record processes. Return the exit code; errors have been told on stderr. */
int recorder_run(const struct record_options *options);

/* Set by SIGINT and SIGTERM after recorder_signals(). */
bool recorder_interrupted(void);

/* SIGINT, SIGTERM and SIGCHLD end recorder_sleep() early, and are seen nowhere else. */
void recorder_signals(void);
void recorder_sleep(uint32_t us);

/* "host, Linux 6.18.2 x86_64, 2 CPUs" */
const char *recorder_machine(char *buf, size_t len);

#endif
