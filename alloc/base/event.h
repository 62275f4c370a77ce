/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * event.h - what happens to objects and pages, told to those who listen: the probe
 * of its own (trace.h), the batch (batch.h), or both. Call when trace_on() says so:
 * a free before it happens, an allocation after.
 */
#ifndef BASE_EVENT_H
#define BASE_EVENT_H

#include <kmem/observe_batch.h>

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
 * Return: ptr.
 */
void *event_batch_alloc(const void *call_site, void *ptr, enum kmem_batch_op op, uint32_t cache, size_t bytes_req,
			gfp_t gfp_flags);
void event_batch_free(const void *call_site, const void *ptr, enum kmem_batch_op op, uint32_t cache);

#endif
