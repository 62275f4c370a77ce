/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rates.h - allocations and frees per second of the kernel's caches.
 *
 * The kernel keeps no counters that could be read, so the events themselves are
 * counted (BPF on its tracepoints, about half a microsecond each): only on
 * request. Processes need none of this, libkmem counts anyway.
 */
#ifndef SLABTOP_RATES_H
#define SLABTOP_RATES_H

#include <stddef.h>
#include <stdint.h>

#include "common/rows.h"

struct rates;

/* Start counting. Return 0 or -errno with one line in err[len]; needs CAP_BPF and CAP_PERFMON. */
int rates_open(struct rates **rates, char *err, size_t len);

/*
 * Set ROW_ALLOC_RATE and ROW_FREE_RATE of the rows of `kernel`, for the time
 * since the last call; the first call sets none. Return 0 or -errno with one
 * line in err[len].
 */
int rates_read(struct rates *rates, struct rows *rows, const struct row_source *kernel, char *err, size_t len);

/* Events since the start that could not be given to a cache, or were lost. */
uint64_t rates_missed(const struct rates *rates);

/* Stop counting; takes some tenths of a second. NULL is fine. */
void rates_close(struct rates *rates);

#endif
