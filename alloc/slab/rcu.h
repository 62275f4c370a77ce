/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rcu.h - queues of things to be released after a grace period; kmem/rcu.h says
 * whose grace period that is.
 *
 *   rcu_defer() -> shard of the running CPU -> [collect] -> waiting -> grace period -> [release]
 *
 * One cycle runs at a time, in the background thread or in rcu_barrier(). No lock
 * that an allocation needs is held over the grace period. Two locks: a shard's,
 * innermost but for the allocator's own memory; and one held while things move
 * out of the shards or are released, outermost, so that fork() finds everything
 * either queued or released.
 */
#ifndef SLAB_RCU_H
#define SLAB_RCU_H

#include <kmem/rcu.h>

#include "base/base.h"
#include "base/lock.h"

#define RCU_SHARDS 64

/* Two words inside what waits. */
struct rcu_link {
	struct rcu_link *next;
	void *what;
};

struct rcu_batch; /* a page of pointers */

struct rcu_pile {
	struct rcu_batch *batches;
	struct rcu_link *links;
};

struct rcu_shard {
	lock_t lock;
	struct rcu_pile pile;
} __attribute__((aligned(CACHE_LINE)));

/* One kind of things. In KMEM_STATE, with only `release` set. */
struct rcu_queue {
	void (*release)(void *what); /* no lock held but the outermost */
	struct rcu_shard shard[RCU_SHARDS];
	struct rcu_pile waiting;
	struct rcu_queue *next;
};

/* Make a queue known. Before threads exist. */
void rcu_queue_add(struct rcu_queue *queue);

/*
 * Queue `what`. link: where to chain it when there is no page for a batch, or
 * always with `chain`; may be NULL without. Return: false when there was nowhere
 * to put it. No node or page lock held.
 */
bool rcu_defer(struct rcu_queue *queue, void *what, struct rcu_link *link, bool chain);

/* Wait for a grace period. */
void rcu_synchronize(void);

/* Release everything that was deferred before the call. No lock held. */
void rcu_barrier(void);

/* Around fork(): the outermost lock first of all locks, the shards' last. */
void rcu_lock_for_fork(void);
void rcu_lock_shards_for_fork(void);
void rcu_unlock_shards_after_fork(bool child);
void rcu_unlock_after_fork(bool child);

#endif
