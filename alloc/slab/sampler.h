/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sampler.h - which objects are samples (base/sample.h), at no cost for the others.
 *
 * kmalloc() and malloc(): a slot counts its allocations in the upper 48 bits of its word. While samples are
 * on it starts just so far from 2^48 as it takes to the next one, so that the addition that a pop
 * ends with carries: one jump on that flag, never taken otherwise. What comes to pass without a pop is chosen one by one.
 * The chosen object is not the one popped but has pages of its own, whose id leads its free to
 * the slow path; other frees do not change.
 *
 * Objects of other caches can be freed without a look at any id: while samples are on, calls for them
 * take the watched path, where a thread counts bytes; the sample stays where it is, its slab is marked.
 *
 * A thread that is moved to another CPU after its count has passed cannot let that slot count on: what is popped
 * from it until its next slow call has no chance. It matters with many more threads than CPUs and
 * intervals of a few KiB: some percent too little at 16 KiB, in proportion less at larger ones.
 *
 * None are taken while something else is on the watched path (trace_watched()).
 */
#ifndef SLAB_SAMPLER_H
#define SLAB_SAMPLER_H

#include "base/sample.h"
#include "base/trace.h"
#include "slab/node.h"

struct slab_request;

/* The thread's next allocation on the slow path is a sample: its slot has just counted to it. */
extern KMEM_HIDDEN __thread bool sampler_pending;

/* A slot of kmalloc() or malloc() that is in use. Node locked: count the way to the next sample, unless it does. */
void sampler_arm(struct kmem_cache *s, struct kmem_slot *slot);

static force_inline void sampler_watch_slot(struct kmem_cache *s, struct kmem_slot *slot)
{
	if (sample_on() && s->flags & SLAB_KMALLOC && s->slot_offset && !(READ_ONCE(slot->word) >> 63))
		sampler_arm(s, slot);
}

/* The slot has passed 2^48 with an allocation. Nothing locked. Return: whether that one is a sample. */
bool sampler_rearm(struct kmem_cache *s, struct kmem_slot *slot);

/* Make the slow path of every slot come by, so that those that do not count start to. */
void sampler_call_slots(void);

/* On the slow path, once for each allocation that is no pop: whether it is a sample. */
bool sampler_chosen(const struct kmem_cache *s);

static force_inline bool sampler_due(const struct kmem_cache *s)
{
	return sample_on() && s->flags & SLAB_KMALLOC && sampler_chosen(s);
}

/* The sample instead of an object of the cache. NULL: there is no memory for it, it is lost. */
void *sampler_alloc(struct kmem_cache *s, const struct slab_request *request);

/* An object of whole pages has been allocated. Its size has changed in place. */
void sampler_large(const void *p, size_t size, const void *call_site);
void sampler_resized(const void *p, size_t size, const void *call_site);

/* Such an object, or a sample in pages of its own, goes: call when its page says KMEM_PG_SAMPLED. */
void sampler_large_gone(struct page *page, const void *call_site);

/* An object of any other cache on the watched path: has been allocated; is about to be freed. */
void sampler_object(struct kmem_cache *s, const void *object, size_t size, const void *call_site);
void sampler_object_gone(const void *object, const void *call_site);

#endif
