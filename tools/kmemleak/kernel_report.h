/* SPDX-License-Identifier: BSD-2-Clause */
/* kernel_report.h - a finished scan of the kernel as text, JSON lines, or CSV; report.h's shapes. */
#ifndef KMEMLEAK_KERNEL_REPORT_H
#define KMEMLEAK_KERNEL_REPORT_H

#include "common/output.h"
#include "kmemleak/kernel.h"
#include "kmemleak/report.h"

/* Print the objects that are not known yet, then the groups and what the scan covered. */
void kernel_report(struct output *o, const struct kernel_scan *scan, const struct report_options *options);

#endif
