/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guard.h - sampled objects between guard pages, the way of the kernel's KFENCE:
 * now and then an object of kmalloc() or malloc() gets a page of its own.
 *
 *   block of 4 MiB:  | guard | object 0 | guard | object 1 | guard | ... | object 510 | guard |
 *
 * The object lies at the left or right end of its page; the rest is filled with a
 * pattern. Guards, and the pages of freed objects, cannot be touched: who does is
 * reported with the stacks of the access, the allocation and the free. Freed
 * pages wait as long as possible before they are used again.
 */
#ifndef SLAB_GUARD_H
#define SLAB_GUARD_H

#include "slab/slub.h"

#define GUARD_OBJECTS 511u

/* The cycle counter at which the next sample is due; UINT64_MAX: never. */
extern KMEM_HIDDEN uint64_t guard_next;

/*
 * Sample one object every interval_ms milliseconds; 0: none, and nothing is set
 * up. Installs a handler for SIGSEGV that hands on what is not in the pool.
 */
void guard_init(unsigned int interval_ms);

/* Whether the slow path should ask for a sample. */
static force_inline bool guard_due(const struct kmem_cache *s)
{
	uint64_t next = READ_ONCE(guard_next);

	return unlikely(next != UINT64_MAX) && s->flags & SLAB_KMALLOC && __builtin_ia32_rdtsc() >= next;
}

/* An object in the pool; NULL when none is free, or when none may be had now. */
void *guard_alloc(struct kmem_cache *s, const struct slab_request *request);

/* Free an object whose id is KMEM_ID_GUARD. What is no object in use is reported. */
void guard_free(void *p, const void *call_site);

/* Bytes of an object in use that it was asked for; 0 when it is none. */
size_t guard_size(const void *p);

/* The objects that a cache has in the pool: the one behind `after`, NULL for the first; NULL when there is no more. */
const void *guard_next_of(const struct kmem_cache *s, const void *after);

/* Around fork(). */
void guard_lock_for_fork(void);
void guard_unlock_after_fork(bool child);

#endif
