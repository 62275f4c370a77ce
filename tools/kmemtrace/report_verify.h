/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_verify.h - whether a recording is the truth: replayed from what lived at
 * its beginning, it must lead to what the process's memory held at its end.
 */
#ifndef KMEMTRACE_REPORT_VERIFY_H
#define KMEMTRACE_REPORT_VERIFY_H

#include <stdio.h>

#include "kmemtrace/analysis.h"

/*
 * Compare object by object and print the outcome; the analysis must have been
 * made with until_snapshot. Return 0: equal, 1: not, or nothing to compare with.
 */
int report_verify(struct analysis *an, FILE *file);

#endif
