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
		id = READ_ONCE(((const struct page *)(uintptr_t)observe_root.pages)[kmem_page_place(page)].cache_id);
	return id;
}

static force_inline uint32_t marks(gfp_t gfp, bool accounted)
{
	return (gfp & __GFP_DIRECT_RECLAIM ? 0u : KMEM_BATCH_ATOMIC) | (gfp & __GFP_ZERO ? KMEM_BATCH_ZERO : 0u) |
	       (accounted ? KMEM_BATCH_ACCOUNT : 0u);
}

static force_inline uint64_t stamp(uint32_t mode)
{
	return mode & KMEM_BATCH_NO_TIME ? 0 : __builtin_ia32_rdtsc();
}

static noinline void append_stack(enum kmem_batch_op op, const void *call_site, const void *ptr, uint16_t cache,
				  size_t size, uint32_t flags)
{
	uint64_t stack = stack_of(call_site);

	batch_append(stamp(READ_ONCE(batch_root.mode)), ptr, stack,
		     batch_rest(size, cache, op, flags | KMEM_BATCH_STACK));
}

static force_inline void append(enum kmem_batch_op op, const void *call_site, const void *ptr, uint16_t cache,
				size_t size, uint32_t flags)
{
	uint32_t mode = READ_ONCE(batch_root.mode);

	if (unlikely(mode & KMEM_BATCH_STACKS))
		append_stack(op, call_site, ptr, cache, size, flags);
	else
		batch_append(stamp(mode), ptr, (uintptr_t)call_site, batch_rest(size, cache, op, flags));
}

noinline void *event_batch_alloc(const void *call_site, void *ptr, enum kmem_batch_op op, uint32_t cache,
				 size_t bytes_req, gfp_t gfp_flags)
{
	append(op, call_site, ptr, (uint16_t)cache, bytes_req, marks(gfp_flags, gfp_flags & __GFP_ACCOUNT));
	return ptr;
}

noinline void event_batch_free(const void *call_site, const void *ptr, enum kmem_batch_op op, uint32_t cache)
{
	append(op, call_site, ptr, (uint16_t)cache, 0, 0);
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
		append(KMEM_BATCH_CACHE_ALLOC, call_site, ptr, cache_of(ptr), bytes_req, marks(gfp_flags, accounted));
	trace_kmem_cache_alloc(call_site, ptr, name, bytes_req, bytes_alloc, gfp_flags, node, accounted);
}

noinline void event_kmem_cache_alloc(const void *call_site, const void *ptr, const char *name, size_t bytes_req,
				     size_t bytes_alloc, gfp_t gfp_flags, int node, int accounted)
{
	if (unlikely(trace_single(TRACE_KMEM_CACHE_ALLOC)))
		both_kmem_cache_alloc(call_site, ptr, name, bytes_req, bytes_alloc, gfp_flags, node, accounted);
	else if (likely(trace_on(TRACE_BATCH)))
		append(KMEM_BATCH_CACHE_ALLOC, call_site, ptr, cache_of(ptr), bytes_req, marks(gfp_flags, accounted));
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
		append(KMEM_BATCH_KMALLOC, call_site, ptr, cache_of(ptr), bytes_req, marks(gfp_flags, accounted));
	trace_kmalloc(call_site, ptr, bytes_req, bytes_alloc, gfp_flags, node, accounted);
}

noinline void event_kmalloc(const void *call_site, const void *ptr, size_t bytes_req, size_t bytes_alloc,
			    gfp_t gfp_flags, int node, int accounted)
{
	if (unlikely(trace_single(TRACE_KMALLOC)))
		both_kmalloc(call_site, ptr, bytes_req, bytes_alloc, gfp_flags, node, accounted);
	else if (likely(trace_on(TRACE_BATCH)))
		append(KMEM_BATCH_KMALLOC, call_site, ptr, cache_of(ptr), bytes_req, marks(gfp_flags, accounted));
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
		       marks(gfp_flags, gfp_flags & __GFP_ACCOUNT));
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
