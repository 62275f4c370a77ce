/* SPDX-License-Identifier: BSD-2-Clause */
/* histogram.c - see histogram.h. */
#include "kmemtrace/histogram.h"

#include <stdlib.h>
#include <string.h>

#define FIRST 4u /* up to here each value has its own bin */

static unsigned int bin_of(uint64_t value)
{
	unsigned int octave;

	if (value < FIRST)
		return (unsigned int)value;
	octave = 63u - (unsigned int)__builtin_clzll(value);
	return (octave - 1) * 4 + (unsigned int)(value >> (octave - 2) & 3);
}

static uint64_t bin_start(unsigned int bin)
{
	if (bin < FIRST)
		return bin;
	return (UINT64_C(4) + (bin & 3)) << (bin / 4 - 1);
}

static uint64_t bin_width(unsigned int bin)
{
	return bin < FIRST ? 1 : UINT64_C(1) << (bin / 4 - 1);
}

void histogram_free(struct histogram *h)
{
	free(h->bin);
	memset(h, 0, sizeof(*h));
}

static bool have_bins(struct histogram *h)
{
	if (!h->bin)
		h->bin = calloc(HISTOGRAM_BINS, sizeof(*h->bin));
	return h->bin;
}

bool histogram_add(struct histogram *h, uint64_t value)
{
	if (!have_bins(h))
		return false;
	h->bin[bin_of(value)]++;
	if (!h->nr++ || value < h->min)
		h->min = value;
	if (value > h->max)
		h->max = value;
	return true;
}

bool histogram_merge(struct histogram *h, const struct histogram *from)
{
	if (!from->nr)
		return true;
	if (!have_bins(h))
		return false;
	for (unsigned int i = 0; i < HISTOGRAM_BINS; i++)
		h->bin[i] += from->bin[i];
	if (!h->nr || from->min < h->min)
		h->min = from->min;
	h->nr += from->nr;
	if (from->max > h->max)
		h->max = from->max;
	return true;
}

uint64_t histogram_quantile(const struct histogram *h, unsigned int permille)
{
	uint64_t want, before = 0;

	if (!h->nr)
		return 0;
	/* The want-th value of nr, counted from 1, rounded up. */
	want = (h->nr / 1000) * permille + (h->nr % 1000 * permille + 999) / 1000;
	if (!want)
		want = 1;
	if (want >= h->nr)
		return h->max;
	for (unsigned int i = 0; i < HISTOGRAM_BINS; i++) {
		uint64_t first, last;

		if (before + h->bin[i] < want) {
			before += h->bin[i];
			continue;
		}
		first = bin_start(i) > h->min ? bin_start(i) : h->min;
		last = bin_start(i) + (bin_width(i) - 1);
		if (last > h->max)
			last = h->max;
		return first + (uint64_t)((double)(last - first) * (double)(want - before) / (double)h->bin[i]);
	}
	return h->max;
}

void histogram_octaves(const struct histogram *h, uint64_t octave[HISTOGRAM_OCTAVES])
{
	memset(octave, 0, HISTOGRAM_OCTAVES * sizeof(*octave));
	if (!h->bin)
		return;
	for (unsigned int i = 0; i < HISTOGRAM_BINS; i++) {
		uint64_t start = bin_start(i);

		octave[start ? 63 - __builtin_clzll(start) : 0] += h->bin[i];
	}
}
