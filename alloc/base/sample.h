/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sample.h - chance, weight and the table of live samples (kmem/observe_sample.h).
 * Who allocates decides when to ask: slab/sampler.h.
 */
#ifndef BASE_SAMPLE_H
#define BASE_SAMPLE_H

#include <kmem/observe_sample.h>

#include "base/base.h"

#define SAMPLE_MIN_INTERVAL 4096u

extern KMEM_HIDDEN struct kmem_samples sample_root;

/* Reserve the table, say where it is. 0 or -ENOMEM. */
int sample_init(void);

static force_inline bool sample_on(void)
{
	return unlikely(READ_ONCE(sample_root.interval) != 0);
}

/* Start the chances from here, for tests. */
void sample_seed(uint64_t seed);

/* Whether one allocation of that many bytes is chosen. */
bool sample_hit(size_t bytes);

/* How many allocations of that many bytes it takes to the next that is chosen, that one included: 1 .. 2^46. */
uint64_t sample_distance(size_t bytes);

/* How many bytes it is to the next sample, for who counts bytes. */
double sample_bytes(void);

/*
 * ptr has been chosen and allocated: `size` bytes asked for, by the chance of `chance_bytes`. Enters it
 * and fires the probes. False when there is no room: it is counted as lost.
 */
bool sample_taken(const void *ptr, size_t size, size_t chance_bytes, uint32_t cache, const void *call_site);

/* ptr is about to be freed. False: it is no sample. */
bool sample_gone(const void *ptr, const void *call_site);

void sample_lost(void);

/* Drop the live samples of these caches, as not to be followed any more. */
void sample_forget(bool (*which)(uint32_t cache));

/* Around fork(). */
void sample_lock_for_fork(void);
void sample_unlock_after_fork(bool child);

#endif
