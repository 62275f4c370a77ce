/* SPDX-License-Identifier: BSD-2-Clause */
/* predict.h - kmemtrace predict: the kernel's caches replayed in the model, against what they became. */
#ifndef KMEMTRACE_PREDICT_H
#define KMEMTRACE_PREDICT_H

#include <stdint.h>

#include "kmemtrace/window.h"

/* The verb. argv[0] is its name. Return: exit code: 0 at least 95 % of the caches that had events are exact, 1 not. */
int predict_run(int argc, char **argv);

/*
 * Record a window as long as a command runs, or for some milliseconds (command NULL). Return 0, or -errno with a line
 * in err. The command's exit code goes into *code.
 */
int predict_record(struct window *w, char **command, uint64_t duration_ms, int *code, char *err, size_t len);

#endif
