/* SPDX-License-Identifier: BSD-2-Clause */
/* sampling.c - switches the sample tier; see sampling.h. */
#include "slab/sampling.h"

#include <errno.h>

#include "slab/cache.h"
#include "slab/sampler.h"

/* Calls for objects that are not kmalloc()'s or malloc()'s: as a tracer of theirs does. */
static void divert_caches(bool on)
{
	__atomic_fetch_add(&trace_semaphore[TRACE_KMEM_CACHE_ALLOC].count, (uint16_t)(on ? 1 : -1), __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&trace_semaphore[TRACE_KMEM_CACHE_FREE].count, (uint16_t)(on ? 1 : -1), __ATOMIC_SEQ_CST);
}

/* Whose samples lie among its other objects, and are not seen to be freed once samples are off. */
static bool lies_in_place(uint32_t cache)
{
	return cache != KMEM_ID_LARGE && !(cache_by_id((uint16_t)cache)->flags & SLAB_KMALLOC);
}

int sampling_set(uint64_t interval)
{
	uint64_t before;

	if (interval && interval < SAMPLE_MIN_INTERVAL)
		return -EINVAL;
	if (interval)
		divert_caches(true);
	before = __atomic_exchange_n(&sample_root.interval, interval, __ATOMIC_SEQ_CST);
	if (before)
		divert_caches(false);
	if (interval)
		sampler_call_slots();
	else
		sample_forget(lies_in_place);
	return 0;
}
