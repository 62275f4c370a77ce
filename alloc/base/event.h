/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * event.h - what happens to objects and pages, told to those who listen: the probe
 * of its own (trace.h), the batch (batch.h), or both. Call when trace_on() says so:
 * a free before it happens, an allocation after.
 */
#ifndef BASE_EVENT_H
#define BASE_EVENT_H

#include "base/batch.h"
#include "base/trace.h"

/* Arguments as those of the probe of the same name. */
void event_kmem_cache_alloc(const void *call_site, const void *ptr, const char *name, size_t bytes_req,
			    size_t bytes_alloc, gfp_t gfp_flags, int node, int accounted);
void event_kmem_cache_free(const void *call_site, const void *ptr, const char *name);
void event_kmalloc(const void *call_site, const void *ptr, size_t bytes_req, size_t bytes_alloc,
		   gfp_t gfp_flags, int node, int accounted);
void event_kfree(const void *call_site, const void *ptr);
void event_mm_page_alloc(const void *call_site, unsigned long pfn, unsigned int order, gfp_t gfp_flags,
			 int migratetype);
void event_mm_page_free(const void *call_site, unsigned long pfn, unsigned int order);

/*
 * The batch's record alone, for trace_batch_only(): op one of objects, cache the id.
 * Inline, so that a traced call is the fast path and the record, without a stack
 * frame: what is not that simple is a tail call. Return: ptr.
 */
void *event_batch_slow(const void *call_site, void *ptr, uint64_t rest);

static force_inline uint32_t event_batch_flags(gfp_t gfp, bool accounted)
{
	return (gfp & __GFP_DIRECT_RECLAIM ? 0u : KMEM_BATCH_ATOMIC) | (gfp & __GFP_ZERO ? KMEM_BATCH_ZERO : 0u) |
	       (accounted ? KMEM_BATCH_ACCOUNT : 0u);
}

static force_inline uint64_t event_batch_stamp(uint32_t mode)
{
	return mode & KMEM_BATCH_NO_TIME ? 0 : __builtin_ia32_rdtsc();
}

/* Whether the record of a request has no flags: one that may wait, not cleared, not accounted. */
static force_inline bool event_batch_plain(gfp_t gfp)
{
	return (gfp & (__GFP_DIRECT_RECLAIM | __GFP_ZERO | __GFP_ACCOUNT)) == __GFP_DIRECT_RECLAIM;
}

/* False: nothing was done, event_batch_slow() does it. */
static force_inline bool event_batch_quick(const void *call_site, const void *ptr, uint64_t rest, uint32_t stacks)
{
	uint32_t mode = READ_ONCE(batch_root.mode);

	return likely(!(mode & (stacks | KMEM_BATCH_STOPPED))) && likely(batch_try_append(event_batch_stamp(mode), ptr, (uintptr_t)call_site, rest));
}

/* Of a plain request. */
static force_inline void *event_batch_alloc(const void *call_site, void *ptr, enum kmem_batch_op op, uint32_t cache,
					    size_t bytes_req)
{
	uint64_t rest = batch_rest(bytes_req, (uint16_t)cache, op, 0);

	if (unlikely(!event_batch_quick(call_site, ptr, rest, KMEM_BATCH_STACKS)))
		return event_batch_slow(call_site, ptr, rest);
	return ptr;
}

/* False: nothing was done, event_batch_free_slow() does it. */
static force_inline bool event_batch_free(const void *call_site, const void *ptr, enum kmem_batch_op op, uint32_t cache)
{
	return event_batch_quick(call_site, ptr, batch_rest(0, (uint16_t)cache, op, 0), KMEM_BATCH_FREE_STACKS);
}

static inline void event_batch_free_slow(const void *call_site, const void *ptr, enum kmem_batch_op op, uint32_t cache)
{
	event_batch_slow(call_site, (void *)(uintptr_t)ptr, batch_rest(0, (uint16_t)cache, op, 0));
}

#endif
