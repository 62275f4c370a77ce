/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * observe_sample.h - the sample tier: a few allocations that stand for all, chosen
 * by bytes.
 *
 * An allocation of S bytes is chosen with the chance 1 - exp(-S / interval), whatever
 * was chosen before. Its weight is its size over that chance: the weights of all
 * samples add up to about all bytes allocated, those of live samples to about all
 * live bytes, of any call site, and weight / size to the objects. For objects of a cache S is the cache's
 * object size, for whole pages the size asked for.
 *
 * Probes, fired once for each sample and once when it is freed:
 *   kmem:sample(call_site, ptr, size, weight, stack, freed)
 *   otel_memory:alloc(ptr, size, weight), otel_memory:free(ptr)
 * And without any probe, live samples can be read here.
 */
#ifndef KMEM_OBSERVE_SAMPLE_H
#define KMEM_OBSERVE_SAMPLE_H

#include <stdint.h>

struct kmem_sample {
	uint64_t ptr;    /* 0: an empty entry */
	uint64_t size;   /* bytes asked for */
	uint64_t weight; /* bytes that it stands for */
	uint32_t stack;  /* in the depot (kmem_observe.depot); 0: it could not be stored */
	uint32_t cache;  /* id; KMEM_ID_LARGE: of whole pages by its size */
};

/* What readers find at kmem_observe.samples. `seq` is odd while entries change: some move when another goes. */
struct kmem_samples {
	uint64_t interval; /* bytes from one sample to the next on average; 0: off */
	uint64_t entries;  /* struct kmem_sample[], 0 until the first */
	uint32_t capacity;
	uint32_t live;
	uint64_t taken;    /* samples so far, and what they stand for */
	uint64_t taken_weight;
	uint64_t freed;    /* of those */
	uint64_t lost;     /* that had no place here, or no memory */
	uint64_t forgotten; /* live ones that are not followed any more, since samples were switched off */
	uint64_t seq;
	uint64_t reserved[2];
};

#endif
