/* SPDX-License-Identifier: BSD-2-Clause */
/* krecorder.h - kmemtrace record -k: the kernel's own events into a file. */
#ifndef KMEMTRACE_KRECORDER_H
#define KMEMTRACE_KRECORDER_H

#include "kmemtrace/record.h"

/* Return the exit code; errors have been told on stderr. */
int krecorder_run(const struct record_options *options);

#endif
