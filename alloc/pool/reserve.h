/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reserve.h - the reserve of a mempool: a stack of elements, and the queue of
 * threads that wait for some.
 *
 * The queue is first come, first served. An element that comes back while
 * somebody waits is promised to the first in the queue: it stays in the reserve
 * until that thread runs, and nobody else may have it. So no thread starves, and
 * a thread that got memory elsewhere meanwhile passes its promise on.
 */
#ifndef POOL_RESERVE_H
#define POOL_RESERVE_H

#include <kmem/gfp.h>

#include "pool/table.h"

/* A waiting thread, on its stack. */
struct reserve_waiter {
	struct reserve_waiter *next;
	uint32_t granted; /* what it sleeps on: 1 when `promised` elements are its own */
	int32_t need;
	int32_t promised;
};

void reserve_lock(struct kmem_mempool *m);
void reserve_unlock(struct kmem_mempool *m);

/* ---- with the lock held ---- */

/* Push one element; there must be room. Take one; there must be one. */
void reserve_push(struct kmem_mempool *m, void *element);
void *reserve_pop(struct kmem_mempool *m);

/* Whether an element is there already, among the newest ones. */
bool reserve_holds(const struct kmem_mempool *m, const void *element);

/*
 * Whether `need` elements may be taken now. Who can wait does not overtake those
 * who do.
 */
bool reserve_has(const struct kmem_mempool *m, int32_t need, bool can_wait);

/* Join the queue; leave it, and give up what was promised and not taken. */
void reserve_join(struct kmem_mempool *m, struct reserve_waiter *w, int32_t need);
void reserve_leave(struct kmem_mempool *m, struct reserve_waiter *w);

/* Promise what there is to those who wait, and wake them. After a push, a leave, a resize. */
void reserve_grant(struct kmem_mempool *m);

/* ---- without ---- */

/* Sleep until granted, or until it is time to try the allocator again. */
void reserve_sleep(struct reserve_waiter *w);

/* In the child of fork(): no other thread is left. */
void reserve_after_fork(struct kmem_mempool *m);

#endif
