/* SPDX-License-Identifier: BSD-2-Clause */
/* rcu.c - deferral until a grace period is over, and the thread that waits for it; see rcu.h. */
#include "slab/rcu.h"

#include <kmem/page.h>

#include "base/os.h"
#include "base/percpu.h"
#include "base/thread.h"

#define BATCH_OBJECTS 510 /* fills a page */
#define DELAY_NS      UINT64_C(5000000000)

/*
 * Batches are pages from alloc_pages(), which a leak scan takes for roots: what
 * waits in them is no leak.
 */
struct rcu_batch {
	struct rcu_batch *next;
	uint64_t count;
	void *what[BATCH_OBJECTS];
};

_Static_assert(sizeof(struct rcu_batch) == PAGE_SIZE, "a batch is a page");

/* rcu.work */
enum {
	WORK_PENDING = 1, /* something waits in a shard */
	WORK_URGENT = 2,  /* and a batch is full */
};

static struct {
	const struct kmem_rcu_ops *ops;
	struct rcu_queue *queues;
	uint32_t work; /* what the thread sleeps on */
	bool started;
	lock_t cycle;   /* one at a time; held over the grace period, not taken for fork() */
	lock_t release; /* see rcu.h */
} rcu KMEM_STATE;

/* liburcu, if it is in the process. */
extern void urcu_memb_synchronize_rcu(void) __attribute__((weak));

KMEM_API void kmem_rcu_register(const struct kmem_rcu_ops *ops)
{
	__atomic_store_n(&rcu.ops, ops, __ATOMIC_RELEASE);
}

KMEM_API bool kmem_rcu_present(void)
{
	return __atomic_load_n(&rcu.ops, __ATOMIC_RELAXED) || urcu_memb_synchronize_rcu;
}

void rcu_synchronize(void)
{
	const struct kmem_rcu_ops *ops = __atomic_load_n(&rcu.ops, __ATOMIC_ACQUIRE);

	if (ops)
		ops->synchronize();
	else if (urcu_memb_synchronize_rcu)
		urcu_memb_synchronize_rcu();
}

void rcu_queue_add(struct rcu_queue *queue)
{
	queue->next = rcu.queues;
	rcu.queues = queue;
}

/* ---- one cycle ---- */

static void *link_end(struct rcu_link *link)
{
	while (link->next)
		link = link->next;
	return link;
}

static void *batch_end(struct rcu_batch *batch)
{
	while (batch->next)
		batch = batch->next;
	return batch;
}

/* Everything in `from` goes in front of what is in `to`. */
static void pile_move(struct rcu_pile *to, struct rcu_pile *from)
{
	if (from->links) {
		((struct rcu_link *)link_end(from->links))->next = to->links;
		to->links = from->links;
	}
	if (from->batches) {
		((struct rcu_batch *)batch_end(from->batches))->next = to->batches;
		to->batches = from->batches;
	}
	*from = (struct rcu_pile){ NULL, NULL };
}

static bool pile_empty(const struct rcu_pile *pile)
{
	return !pile->batches && !pile->links;
}

/* Return: whether anything waits. */
static bool collect(struct rcu_queue *queue)
{
	unsigned int i;

	for (i = 0; i < RCU_SHARDS; i++) {
		struct rcu_shard *shard = &queue->shard[i];

		lock_acquire(&shard->lock, LOCK_DEFER);
		pile_move(&queue->waiting, &shard->pile);
		lock_release(&shard->lock, LOCK_DEFER);
	}
	return !pile_empty(&queue->waiting);
}

/* A batch, or one link. With the lock that fork() takes, for as short as that. */
static void release_some(struct rcu_queue *queue)
{
	struct rcu_batch *batch = queue->waiting.batches;
	struct rcu_link *link = queue->waiting.links;

	if (batch) {
		while (batch->count)
			queue->release(batch->what[--batch->count]);
		queue->waiting.batches = batch->next;
		free_pages((unsigned long)batch, 0);
	} else if (link) {
		queue->waiting.links = link->next;
		queue->release(link->what);
	}
}

static void release_waiting(struct rcu_queue *queue)
{
	bool more = true;

	while (more) {
		lock_acquire(&rcu.release, LOCK_RELEASE);
		release_some(queue);
		more = !pile_empty(&queue->waiting);
		lock_release(&rcu.release, LOCK_RELEASE);
	}
}

void rcu_barrier(void)
{
	struct rcu_queue *queue;
	bool any = false;

	/* No rank: it is never wanted by somebody who holds another lock. */
	lock_acquire_nested(&rcu.cycle);
	lock_acquire(&rcu.release, LOCK_RELEASE);
	for (queue = rcu.queues; queue; queue = queue->next)
		any |= collect(queue);
	lock_release(&rcu.release, LOCK_RELEASE);
	if (any)
		rcu_synchronize();
	for (queue = rcu.queues; queue; queue = queue->next)
		release_waiting(queue);
	lock_release_nested(&rcu.cycle);
}

/* ---- the thread ---- */

static void sleep_until_due(void)
{
	uint64_t due, now;
	uint32_t work;

	while (!(work = __atomic_load_n(&rcu.work, __ATOMIC_ACQUIRE)))
		os_futex_wait(&rcu.work, work);
	due = os_now_ns() + DELAY_NS;
	while (!(READ_ONCE(rcu.work) & WORK_URGENT) && (now = os_now_ns()) < due)
		os_futex_wait_for(&rcu.work, WORK_PENDING, due - now);
}

static __attribute__((noreturn)) void *run(void *unused)
{
	(void)unused;
	for (;;) {
		sleep_until_due();
		/* Before the shards are looked at: who comes too late for them wakes us again. */
		__atomic_store_n(&rcu.work, 0, __ATOMIC_SEQ_CST);
		rcu_barrier();
	}
}

/* Without a thread things wait for the next try, or for a barrier. */
static void start(void)
{
	thread_start_once(&rcu.started, run);
}

/* Something is in a shard. The shard's lock was a full barrier, as is the thread's store. */
static void announce(uint32_t work)
{
	if ((__atomic_load_n(&rcu.work, __ATOMIC_SEQ_CST) & work) != work) {
		__atomic_fetch_or(&rcu.work, work, __ATOMIC_SEQ_CST);
		os_futex_wake(&rcu.work, 1);
	}
	if (unlikely(!READ_ONCE(rcu.started)))
		start();
}

/* ---- defer ---- */

static bool into_batch(struct rcu_shard *shard, struct rcu_batch **page, void *what, uint32_t *work)
{
	struct rcu_batch *batch = shard->pile.batches;

	if (!batch || batch->count == BATCH_OBJECTS) {
		if (!*page)
			return false;
		(*page)->next = batch;
		(*page)->count = 0;
		batch = *page;
		shard->pile.batches = batch;
		*page = NULL;
	}
	batch->what[batch->count++] = what;
	*work = batch->count == BATCH_OBJECTS ? WORK_PENDING | WORK_URGENT : WORK_PENDING;
	return true;
}

static bool into_links(struct rcu_shard *shard, struct rcu_link *link, void *what, uint32_t *work)
{
	if (!link)
		return false;
	link->what = what;
	link->next = shard->pile.links;
	shard->pile.links = link;
	*work = WORK_PENDING;
	return true;
}

bool rcu_defer(struct rcu_queue *queue, void *what, struct rcu_link *link, bool chain)
{
	struct rcu_shard *shard = &queue->shard[percpu_this_cpu() % RCU_SHARDS];
	struct rcu_batch *page = NULL;
	uint32_t work;
	bool done;

	lock_acquire(&shard->lock, LOCK_DEFER);
	done = chain ? into_links(shard, link, what, &work) : into_batch(shard, &page, what, &work);
	lock_release(&shard->lock, LOCK_DEFER);
	if (!done) {
		page = (struct rcu_batch *)__get_free_page(GFP_NOWAIT);
		lock_acquire(&shard->lock, LOCK_DEFER);
		done = into_batch(shard, &page, what, &work) || into_links(shard, link, what, &work);
		lock_release(&shard->lock, LOCK_DEFER);
		if (page)
			free_pages((unsigned long)page, 0);
	}
	if (done)
		announce(work);
	return done;
}

/* ---- fork ---- */

void rcu_lock_for_fork(void)
{
	lock_for_fork(&rcu.release, false);
}

void rcu_lock_shards_for_fork(void)
{
	struct rcu_queue *queue;
	unsigned int i;

	for (queue = rcu.queues; queue; queue = queue->next)
		for (i = 0; i < RCU_SHARDS; i++)
			lock_for_fork(&queue->shard[i].lock, false);
}

void rcu_unlock_shards_after_fork(bool child)
{
	struct rcu_queue *queue;
	unsigned int i;

	for (queue = rcu.queues; queue; queue = queue->next)
		for (i = 0; i < RCU_SHARDS; i++)
			lock_after_fork(&queue->shard[i].lock, child);
}

void rcu_unlock_after_fork(bool child)
{
	struct rcu_queue *queue;

	lock_after_fork(&rcu.release, child);
	if (!child)
		return;
	/* A grace period of the parent's thread does not end here: begin again. */
	lock_reset(&rcu.cycle);
	for (queue = rcu.queues; queue; queue = queue->next)
		pile_move(&queue->shard[0].pile, &queue->waiting);
	rcu.started = false;
	rcu.work = 0;
}
