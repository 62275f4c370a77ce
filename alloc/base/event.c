/* SPDX-License-Identifier: BSD-2-Clause */
/* event.c - records for the batch, and the probes; see event.h. */
#include "base/event.h"

#include "base/observe.h"
#include "base/recent.h"

/* The id map knows whose page it is; of guarded objects the page's descriptor does. */
static uint16_t cache_of(const void *ptr)
{
	uint64_t offset = (uintptr_t)ptr - observe_root.arena_base, page = offset >> KMEM_PAGE_SHIFT;
	uint16_t id;

	if (offset >= observe_root.arena_limit - observe_root.arena_base)
		return KMEM_ID_NONE;
	id = READ_ONCE(((const uint16_t *)(uintptr_t)observe_root.idmap)[page]);
	if (unlikely(id == KMEM_ID_GUARD))
		id = READ_ONCE(((const struct page *)(uintptr_t)observe_root.pages)[kmem_page_place(page)].cache_id);
	return id;
}

/* With stacks or without: what a record of this operation wants. */
static force_inline bool wants_stack(uint64_t rest, uint32_t mode)
{
	enum kmem_batch_op op = (enum kmem_batch_op)(rest >> 48 & 0xff);
	bool is_free = op == KMEM_BATCH_CACHE_FREE || op == KMEM_BATCH_KFREE || op == KMEM_BATCH_PAGE_FREE;

	return mode & (is_free ? KMEM_BATCH_FREE_STACKS : KMEM_BATCH_STACKS);
}

noinline void *event_batch_slow(const void *call_site, void *ptr, uint64_t rest)
{
	uint32_t mode = READ_ONCE(batch_root.mode);
	uint64_t site = (uintptr_t)call_site;

	if (unlikely(mode & KMEM_BATCH_STOPPED))
		return ptr;
	if (wants_stack(rest, mode)) {
		site = recent_stack(call_site, __builtin_frame_address(0));
		rest |= (uint64_t)KMEM_BATCH_STACK << 56;
	}
	batch_append(event_batch_stamp(mode), ptr, site, rest);
	return ptr;
}

static void append(enum kmem_batch_op op, const void *call_site, const void *ptr, uint16_t cache, size_t size,
		   uint32_t flags)
{
	event_batch_slow(call_site, (void *)(uintptr_t)ptr, batch_rest(size, cache, op, flags));
}

static const void *address_of(unsigned long pfn)
{
	return pfn == -1UL ? NULL : (const void *)(uintptr_t)(observe_root.arena_base + (pfn << KMEM_PAGE_SHIFT));
}

/*
 * Each event in two functions, so that with the batch alone no argument has to be
 * kept for later: `both` is for when its own probe is attached.
 */
static noinline void both_kmem_cache_alloc(const void *call_site, const void *ptr, const char *name, size_t bytes_req,
					   size_t bytes_alloc, gfp_t gfp_flags, int node, int accounted)
{
	if (trace_on(TRACE_BATCH))
		append(KMEM_BATCH_CACHE_ALLOC, call_site, ptr, cache_of(ptr), bytes_req, event_batch_flags(gfp_flags, accounted));
	trace_kmem_cache_alloc(call_site, ptr, name, bytes_req, bytes_alloc, gfp_flags, node, accounted);
}

noinline void event_kmem_cache_alloc(const void *call_site, const void *ptr, const char *name, size_t bytes_req,
				     size_t bytes_alloc, gfp_t gfp_flags, int node, int accounted)
{
	if (unlikely(trace_single(TRACE_KMEM_CACHE_ALLOC)))
		both_kmem_cache_alloc(call_site, ptr, name, bytes_req, bytes_alloc, gfp_flags, node, accounted);
	else if (likely(trace_on(TRACE_BATCH)))
		append(KMEM_BATCH_CACHE_ALLOC, call_site, ptr, cache_of(ptr), bytes_req, event_batch_flags(gfp_flags, accounted));
}

static noinline void both_kmem_cache_free(const void *call_site, const void *ptr, const char *name)
{
	if (trace_on(TRACE_BATCH))
		append(KMEM_BATCH_CACHE_FREE, call_site, ptr, cache_of(ptr), 0, 0);
	trace_kmem_cache_free(call_site, ptr, name);
}

noinline void event_kmem_cache_free(const void *call_site, const void *ptr, const char *name)
{
	if (unlikely(trace_single(TRACE_KMEM_CACHE_FREE)))
		both_kmem_cache_free(call_site, ptr, name);
	else if (likely(trace_on(TRACE_BATCH)))
		append(KMEM_BATCH_CACHE_FREE, call_site, ptr, cache_of(ptr), 0, 0);
}

static noinline void both_kmalloc(const void *call_site, const void *ptr, size_t bytes_req, size_t bytes_alloc,
				  gfp_t gfp_flags, int node, int accounted)
{
	if (trace_on(TRACE_BATCH))
		append(KMEM_BATCH_KMALLOC, call_site, ptr, cache_of(ptr), bytes_req, event_batch_flags(gfp_flags, accounted));
	trace_kmalloc(call_site, ptr, bytes_req, bytes_alloc, gfp_flags, node, accounted);
}

noinline void event_kmalloc(const void *call_site, const void *ptr, size_t bytes_req, size_t bytes_alloc,
			    gfp_t gfp_flags, int node, int accounted)
{
	if (unlikely(trace_single(TRACE_KMALLOC)))
		both_kmalloc(call_site, ptr, bytes_req, bytes_alloc, gfp_flags, node, accounted);
	else if (likely(trace_on(TRACE_BATCH)))
		append(KMEM_BATCH_KMALLOC, call_site, ptr, cache_of(ptr), bytes_req, event_batch_flags(gfp_flags, accounted));
}

static noinline void both_kfree(const void *call_site, const void *ptr)
{
	if (trace_on(TRACE_BATCH))
		append(KMEM_BATCH_KFREE, call_site, ptr, cache_of(ptr), 0, 0);
	trace_kfree(call_site, ptr);
}

noinline void event_kfree(const void *call_site, const void *ptr)
{
	if (unlikely(trace_single(TRACE_KFREE)))
		both_kfree(call_site, ptr);
	else if (likely(trace_on(TRACE_BATCH)))
		append(KMEM_BATCH_KFREE, call_site, ptr, cache_of(ptr), 0, 0);
}

void event_mm_page_alloc(const void *call_site, unsigned long pfn, unsigned int order, gfp_t gfp_flags,
			 int migratetype)
{
	if (trace_on(TRACE_BATCH))
		append(KMEM_BATCH_PAGE_ALLOC, call_site, address_of(pfn), KMEM_ID_NONE, (size_t)KMEM_PAGE_BYTES << order,
		       event_batch_flags(gfp_flags, gfp_flags & __GFP_ACCOUNT));
	if (trace_single(TRACE_MM_PAGE_ALLOC))
		trace_mm_page_alloc(pfn, order, gfp_flags, migratetype);
}

void event_mm_page_free(const void *call_site, unsigned long pfn, unsigned int order)
{
	if (trace_on(TRACE_BATCH))
		append(KMEM_BATCH_PAGE_FREE, call_site, address_of(pfn), KMEM_ID_NONE, (size_t)KMEM_PAGE_BYTES << order, 0);
	if (trace_single(TRACE_MM_PAGE_FREE))
		trace_mm_page_free(pfn, order);
}
