/* SPDX-License-Identifier: BSD-2-Clause */
/* event.c - records for the batch, and the probes; see event.h. */
#include "base/event.h"

#include "base/batch.h"
#include "base/depot.h"
#include "base/observe.h"
#include "base/stack.h"

#define BATCH_FRAMES 8

static noinline uint64_t stack_of(const void *call_site)
{
	uint64_t frame[BATCH_FRAMES];

	return depot_save(frame, stack_capture(call_site, frame, BATCH_FRAMES));
}

/* The id map knows whose page it is; of guarded objects the page's descriptor does. */
static uint16_t cache_of(const void *ptr)
{
	uint64_t offset = (uintptr_t)ptr - observe_root.arena_base, page = offset >> KMEM_PAGE_SHIFT;
	uint16_t id;

	if (offset >= observe_root.arena_limit - observe_root.arena_base)
		return KMEM_ID_NONE;
	id = READ_ONCE(((const uint16_t *)(uintptr_t)observe_root.idmap)[page]);
	if (unlikely(id == KMEM_ID_GUARD))
		id = READ_ONCE(((const struct page *)(uintptr_t)observe_root.pages)[page].cache_id);
	return id;
}

static uint8_t gfp_marks(gfp_t gfp, bool accounted)
{
	return (uint8_t)((gfp & __GFP_DIRECT_RECLAIM ? 0 : KMEM_BATCH_ATOMIC) |
			 (gfp & __GFP_ZERO ? KMEM_BATCH_ZERO : 0) | (accounted ? KMEM_BATCH_ACCOUNT : 0));
}

static force_inline void append(enum kmem_batch_op op, const void *call_site, const void *ptr, uint16_t cache,
				size_t size, uint8_t flags)
{
	uint32_t mode = READ_ONCE(batch_root.mode);
	struct kmem_batch_record record = {
		.ptr = (uintptr_t)ptr, .site = (uintptr_t)call_site, .size = (uint32_t)MIN(size, UINT32_MAX),
		.cache = cache, .op = (uint8_t)op, .flags = flags,
	};

	if (mode & KMEM_BATCH_STACKS) {
		record.site = stack_of(call_site);
		record.flags |= KMEM_BATCH_STACK;
	}
	record.tsc = mode & KMEM_BATCH_NO_TIME ? 0 : __builtin_ia32_rdtsc();
	batch_append(&record);
}

noinline void event_kmem_cache_alloc(const void *call_site, const void *ptr, const char *name, size_t bytes_req,
				     size_t bytes_alloc, gfp_t gfp_flags, int node, int accounted)
{
	if (trace_on(TRACE_BATCH))
		append(KMEM_BATCH_CACHE_ALLOC, call_site, ptr, cache_of(ptr), bytes_req, gfp_marks(gfp_flags, accounted));
	if (trace_single(TRACE_KMEM_CACHE_ALLOC))
		trace_kmem_cache_alloc(call_site, ptr, name, bytes_req, bytes_alloc, gfp_flags, node, accounted);
}

noinline void event_kmem_cache_free(const void *call_site, const void *ptr, const char *name)
{
	if (trace_on(TRACE_BATCH))
		append(KMEM_BATCH_CACHE_FREE, call_site, ptr, cache_of(ptr), 0, 0);
	if (trace_single(TRACE_KMEM_CACHE_FREE))
		trace_kmem_cache_free(call_site, ptr, name);
}

noinline void event_kmalloc(const void *call_site, const void *ptr, size_t bytes_req, size_t bytes_alloc,
			    gfp_t gfp_flags, int node, int accounted)
{
	if (trace_on(TRACE_BATCH))
		append(KMEM_BATCH_KMALLOC, call_site, ptr, cache_of(ptr), bytes_req, gfp_marks(gfp_flags, accounted));
	if (trace_single(TRACE_KMALLOC))
		trace_kmalloc(call_site, ptr, bytes_req, bytes_alloc, gfp_flags, node, accounted);
}

noinline void event_kfree(const void *call_site, const void *ptr)
{
	if (trace_on(TRACE_BATCH))
		append(KMEM_BATCH_KFREE, call_site, ptr, cache_of(ptr), 0, 0);
	if (trace_single(TRACE_KFREE))
		trace_kfree(call_site, ptr);
}

static const void *page_address_of(unsigned long pfn)
{
	return pfn == -1UL ? NULL : (const void *)(uintptr_t)(observe_root.arena_base + (pfn << KMEM_PAGE_SHIFT));
}

noinline void event_mm_page_alloc(const void *call_site, unsigned long pfn, unsigned int order, gfp_t gfp_flags,
				  int migratetype)
{
	if (trace_on(TRACE_BATCH))
		append(KMEM_BATCH_PAGE_ALLOC, call_site, page_address_of(pfn), KMEM_ID_NONE, (size_t)KMEM_PAGE_BYTES << order,
		       gfp_marks(gfp_flags, gfp_flags & __GFP_ACCOUNT));
	if (trace_single(TRACE_MM_PAGE_ALLOC))
		trace_mm_page_alloc(pfn, order, gfp_flags, migratetype);
}

noinline void event_mm_page_free(const void *call_site, unsigned long pfn, unsigned int order)
{
	if (trace_on(TRACE_BATCH))
		append(KMEM_BATCH_PAGE_FREE, call_site, page_address_of(pfn), KMEM_ID_NONE, (size_t)KMEM_PAGE_BYTES << order, 0);
	if (trace_single(TRACE_MM_PAGE_FREE))
		trace_mm_page_free(pfn, order);
}
