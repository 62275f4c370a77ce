/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lock.h - the allocator's one lock: 4 bytes, a short spin, then a futex.
 *
 * Spinning for a lock whose holder was preempted burns whole time slices (1000
 * threads on two CPUs: 938 ns per operation), so waiters sleep.
 *
 * Lock order, outermost first; lock_acquire() checks it in debug builds:
 *   1 release    what waited for a grace period is being freed
 *   2 pool       one mempool's reserve; the per-CPU areas of programs
 *   3 registry   the list of caches, create and destroy, drain of all slots
 *   4 node       one cache on one node: barn, partial list, bitmaps of its slabs
 *   5 grow       one thread at a time makes zones larger
 *   6 pcp        one CPU's page lists
 *   7 zone       the buddy free lists
 *   8 arena      address space: growth, large mappings
 *   9 defer      objects and slabs that wait for a grace period
 *  10 meta       the allocator's own memory
 */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include <stdbool.h>
#include <stdint.h>

enum lock_rank {
	LOCK_RELEASE = 1,
	LOCK_POOL,
	LOCK_REGISTRY,
	LOCK_NODE,
	LOCK_GROW,
	LOCK_PCP,
	LOCK_ZONE,
	LOCK_ARENA,
	LOCK_DEFER,
	LOCK_META,
	LOCK_NR_RANKS
};

/* A lock is a plain word, so that structures published in observe.h can hold one. 0 is free. */
typedef uint32_t lock_t;

void lock_slow(lock_t *lock);
void lock_wake(lock_t *lock);

/*
 * Locks that this thread holds or waits for. fork() in a signal handler looks at
 * it: what it interrupted may be holding a lock that will not be free in time.
 */
extern __attribute__((visibility("hidden"))) __thread unsigned int lock_depth;

static inline void lock_enter(void)
{
	lock_depth++;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static inline void lock_leave(void)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	lock_depth--;
}

#ifdef KMEM_DEBUG
/* Bug when the thread holds a lock of this rank or of an inner one. */
void lock_check_acquire(enum lock_rank rank);
void lock_check_release(enum lock_rank rank);
#else
static inline void lock_check_acquire(enum lock_rank rank)
{
	(void)rank;
}
static inline void lock_check_release(enum lock_rank rank)
{
	(void)rank;
}
#endif

static inline bool lock_try(lock_t *lock, enum lock_rank rank)
{
	uint32_t free = 0;

	lock_enter();
	if (!__atomic_compare_exchange_n(lock, &free, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
		lock_leave();
		return false;
	}
	lock_check_acquire(rank);
	return true;
}

static inline void lock_acquire(lock_t *lock, enum lock_rank rank)
{
	uint32_t free = 0;

	lock_check_acquire(rank);
	lock_enter();
	if (__builtin_expect(!__atomic_compare_exchange_n(lock, &free, 1, false, __ATOMIC_ACQUIRE,
							  __ATOMIC_RELAXED), 0))
		lock_slow(lock);
}

/*
 * For locks that are also taken where neither a wait nor a system call is allowed.
 * Nobody sleeps on such a lock in a way that its holder would have to end: who
 * can wait polls, with pauses (lock_acquire_polled()); who cannot spins for a
 * bounded time (lock_try_spin()) and then does without. A lock that only these
 * two and lock_try() take is never 2 and is given back by lock_release_polled(): a
 * plain store, which costs a fraction of an exchange, and no system call.
 */
void lock_poll(lock_t *lock);
bool lock_spin(lock_t *lock);

static inline void lock_acquire_polled(lock_t *lock, enum lock_rank rank)
{
	uint32_t free = 0;

	lock_check_acquire(rank);
	lock_enter();
	if (__builtin_expect(!__atomic_compare_exchange_n(lock, &free, 1, false, __ATOMIC_ACQUIRE,
							  __ATOMIC_RELAXED), 0))
		lock_poll(lock);
}

static inline bool lock_try_spin(lock_t *lock, enum lock_rank rank)
{
	uint32_t free = 0;

	lock_enter();
	if (__builtin_expect(!__atomic_compare_exchange_n(lock, &free, 1, false, __ATOMIC_ACQUIRE,
							  __ATOMIC_RELAXED), 0) && !lock_spin(lock)) {
		lock_leave();
		return false;
	}
	lock_check_acquire(rank);
	return true;
}

static inline void lock_release(lock_t *lock, enum lock_rank rank)
{
	lock_check_release(rank);
	if (__builtin_expect(__atomic_exchange_n(lock, 0, __ATOMIC_RELEASE) == 2, 0))
		lock_wake(lock);
	lock_leave();
}

static inline void lock_release_polled(lock_t *lock, enum lock_rank rank)
{
	lock_check_release(rank);
	__atomic_store_n(lock, 0, __ATOMIC_RELEASE);
	lock_leave();
}

/*
 * fork(): before, lock_fork_begin() and then every lock that the child may want,
 * `polled` if it is given back by lock_release_polled(); many of one rank, in any
 * order: nobody else takes two, so this cannot deadlock. After, in the parent
 * and in the child, every one of them.
 *
 * In a signal handler that interrupted this thread in a locked section, some
 * locks cannot be had: the thread's own, and those whose holders wait for it.
 * They are tried for a bounded time and left out. The child's copy of the
 * section goes on alone, and ends well.
 */
void lock_fork_begin(void);
void lock_for_fork(lock_t *lock, bool polled);
void lock_after_fork(lock_t *lock, bool child);

/* Without a place in the order: nothing else is wanted under it, or only what programs call. */
static inline void lock_acquire_nested(lock_t *lock)
{
	uint32_t free = 0;

	lock_enter();
	if (!__atomic_compare_exchange_n(lock, &free, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		lock_slow(lock);
}

/* For signal handlers, which may have interrupted a holder of any lock: no order, no waiting. */
static inline bool lock_try_nested(lock_t *lock)
{
	uint32_t free = 0;
	bool taken;

	lock_enter();
	taken = __atomic_compare_exchange_n(lock, &free, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
	if (!taken)
		lock_leave();
	return taken;
}

static inline void lock_release_nested(lock_t *lock)
{
	if (__atomic_exchange_n(lock, 0, __ATOMIC_RELEASE) == 2)
		lock_wake(lock);
	lock_leave();
}

/* In the child of fork(): only the forking thread exists, and it holds or owns nothing else. */
static inline void lock_reset(lock_t *lock)
{
	__atomic_store_n(lock, 0, __ATOMIC_RELAXED);
}

/* Writers' side of the sequence counters that outside readers check. Call with the lock held. */
static inline void seq_begin(uint32_t *seq)
{
	__atomic_store_n(seq, *seq + 1, __ATOMIC_RELAXED);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static inline void seq_end(uint32_t *seq)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	__atomic_store_n(seq, *seq + 1, __ATOMIC_RELEASE);
}

#endif
