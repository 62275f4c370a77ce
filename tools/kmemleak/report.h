/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report.h - a finished scan as text in the shape of the kernel's
 * /sys/kernel/debug/kmemleak, as JSON lines, or as CSV.
 *
 * What is not known is said to be unknown; nothing is made up.
 */
#ifndef KMEMLEAK_REPORT_H
#define KMEMLEAK_REPORT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/output.h"
#include "kmemleak/scan.h"

struct report_options {
	size_t limit; /* objects shown one by one; the summary counts all. SIZE_MAX: no limit */
	bool summary_only;
};

/* Print the leaks that are not hidden, then the summary and what the scan covered. Return 0 or -ENOMEM. */
int report_scan(struct output *o, const struct scan *scan, const struct report_options *options);

/* One object in the kernel's format, text only. */
void report_object(FILE *file, const struct scan *scan, const struct leak *leak);

/* Checksum of an object's contents as the report shows it. */
uint32_t report_crc(const struct scan *scan, const struct leak *leak);

/* Up to 32 bytes as rows of 16: "    00 01 ..  ascii". */
void report_hex(FILE *file, const uint8_t *data, size_t bytes);

#endif
