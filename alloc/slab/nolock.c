/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nolock.c - kmalloc() for any context, signal handlers included; see kmem/slab.h.
 *
 * Events of the batch carry the call site even when stacks are asked for: to store
 * a new stack takes a lock, which the interrupted thread may have.
 */
#include "base/batch.h"
#include "base/report.h"
#include "slab/kmalloc.h"

#define NOLOCK_GFP (__GFP_ACCOUNT | __GFP_ZERO)

static void append(const void *call_site, const void *p, uint64_t rest)
{
	uint64_t now = READ_ONCE(batch_root.mode) & KMEM_BATCH_NO_TIME ? 0 : __builtin_ia32_rdtsc();

	if (trace_on(TRACE_BATCH))
		batch_append(now, p, (uintptr_t)call_site, rest);
}

static noinline void tell_alloc(const struct kmem_cache *s, const void *p, size_t size, gfp_t gfp, const void *call_site)
{
	uint32_t flags = KMEM_BATCH_ATOMIC | (gfp & __GFP_ZERO ? KMEM_BATCH_ZERO : 0u) |
			 (gfp & __GFP_ACCOUNT ? KMEM_BATCH_ACCOUNT : 0u);

	append(call_site, p, batch_rest(size, (uint16_t)s->id, KMEM_BATCH_KMALLOC, flags));
	if (trace_single(TRACE_KMALLOC))
		trace_kmalloc(call_site, p, size, s->size, gfp, -1, (gfp & __GFP_ACCOUNT) != 0);
}

static noinline void tell_free(const void *p, uint16_t id, const void *call_site)
{
	append(call_site, p, batch_rest(0, id, KMEM_BATCH_KFREE, 0));
	if (trace_single(TRACE_KFREE))
		trace_kfree(call_site, p);
}

KMEM_API void *kmalloc_nolock(size_t size, gfp_t gfp, int nid)
{
	struct kmem_cache *s;
	void *object;

	(void)nid;
	if (!size)
		return ZERO_SIZE_PTR;
	if ((gfp & ~NOLOCK_GFP) || size > KMALLOC_MAX_CACHE_SIZE)
		return NULL;
	s = kmalloc_cache(size, gfp);
	object = slub_alloc_try(s);
	/* The interrupted thread may be the one that has this class's lock: try the next. */
	if (!object && s->size < KMALLOC_MAX_CACHE_SIZE) {
		s = kmalloc_cache(s->size + 1, gfp);
		object = slub_alloc_try(s);
	}
	if (object && (gfp & __GFP_ZERO))
		memset(object, 0, s->object_size);
	if (trace_on(TRACE_KMALLOC))
		tell_alloc(s, object, size, gfp, __builtin_return_address(0));
	return object;
}

KMEM_API void kfree_nolock(const void *p)
{
	uint16_t id = arena_contains(p) ? READ_ONCE(*addr_to_id(p)) : KMEM_ID_NONE;

	if (ZERO_OR_NULL_PTR(p))
		return;
	if (id - 1u >= KMEM_ID_MAX - 1u)
		report_bug("BUG: kfree_nolock(%p): not an object of kmalloc_nolock()", p);
	if (trace_on(TRACE_KFREE))
		tell_free(p, id, __builtin_return_address(0));
	slub_free_try(cache_by_id(id), (void *)(uintptr_t)p);
}
