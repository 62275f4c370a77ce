/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * histogram.h - how values are distributed: four bins per power of two, so that
 * quantiles are within 12.5 %; the smallest and largest values are exact.
 */
#ifndef KMEMTRACE_HISTOGRAM_H
#define KMEMTRACE_HISTOGRAM_H

#include <stdbool.h>
#include <stdint.h>

#define HISTOGRAM_BINS    252
#define HISTOGRAM_OCTAVES 64

/* Zero-initialise; most of the many never hold a value, so the bins come with the first. */
struct histogram {
	uint64_t nr, min, max;
	uint64_t *bin; /* [HISTOGRAM_BINS] or NULL */
};

void histogram_free(struct histogram *h);

/* False: no memory. */
bool histogram_add(struct histogram *h, uint64_t value);
bool histogram_merge(struct histogram *h, const struct histogram *from);

/* The value that `permille` of all values do not exceed; 0 of none. */
uint64_t histogram_quantile(const struct histogram *h, unsigned int permille);

/* Values by power of two: octave[n] counts those of 2^n .. 2^(n+1)-1; 0 counts as 1. */
void histogram_octaves(const struct histogram *h, uint64_t octave[HISTOGRAM_OCTAVES]);

#endif
