/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lock.c - the contended half of the lock, and the order check of debug builds.
 *
 * States: 0 free, 1 held, 2 held and somebody sleeps.
 */
#include "base/lock.h"

#include "base/base.h"
#include "base/os.h"
#include "base/report.h"

#define SPINS 40 /* about a microsecond: longer than any critical section without a system call */
#define SPINS_AT_MOST 2000 /* some ten microseconds: a drain of many pages */
#define YIELDS 10
#define NAP_NS 20000

/* True when the lock was taken within so many pauses. */
static bool spin(lock_t *lock, unsigned int pauses)
{
	while (pauses--) {
		uint32_t free = 0;

		__builtin_ia32_pause();
		if (READ_ONCE(*lock) == 0 &&
		    __atomic_compare_exchange_n(lock, &free, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return true;
	}
	return false;
}

void lock_slow(lock_t *lock)
{
	if (spin(lock, SPINS))
		return;
	while (__atomic_exchange_n(lock, 2, __ATOMIC_ACQUIRE) != 0)
		os_futex_wait(lock, 2);
}

bool lock_spin(lock_t *lock)
{
	return spin(lock, SPINS_AT_MOST);
}

void lock_poll(lock_t *lock)
{
	unsigned int round;

	for (round = 0; !spin(lock, SPINS); round++) {
		/* The holder was preempted: first let it run, then stay out of its way. */
		if (round < YIELDS)
			os_yield();
		else
			os_sleep_ns(NAP_NS);
	}
}

void lock_wake(lock_t *lock)
{
	os_futex_wake(lock, 1);
}

/* ---- fork ---- */

#define FORK_TRIES 250 /* of NAP_NS each, for one lock, and ten times that for all */
#define FORK_LEFT_OUT 512

__thread unsigned int lock_depth;

/* glibc lets one thread fork at a time. */
static struct {
	bool interrupted;    /* this thread is inside a locked section */
	unsigned int naps;   /* that may still be taken */
	unsigned int nr;
	lock_t *left_out[FORK_LEFT_OUT];
} forking KMEM_STATE;

void lock_fork_begin(void)
{
	forking.interrupted = lock_depth > 0;
	forking.naps = 10 * FORK_TRIES;
	forking.nr = 0;
}

static bool try_for_a_while(lock_t *lock)
{
	unsigned int i;

	if (spin(lock, SPINS))
		return true;
	for (i = 0; i < FORK_TRIES && forking.naps; i++) {
		forking.naps--;
		os_sleep_ns(NAP_NS);
		if (spin(lock, SPINS))
			return true;
	}
	return false;
}

void lock_for_fork(lock_t *lock, bool polled)
{
	uint32_t free = 0;

	if (__atomic_compare_exchange_n(lock, &free, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	if (forking.interrupted && forking.nr < FORK_LEFT_OUT) {
		if (!try_for_a_while(lock))
			forking.left_out[forking.nr++] = lock;
	} else if (polled) {
		lock_poll(lock);
	} else {
		lock_slow(lock);
	}
}

void lock_after_fork(lock_t *lock, bool child)
{
	unsigned int i;

	if (child) {
		lock_reset(lock);
		return;
	}
	for (i = 0; i < forking.nr; i++)
		if (forking.left_out[i] == lock)
			return;
	if (__atomic_exchange_n(lock, 0, __ATOMIC_RELEASE) == 2)
		lock_wake(lock);
}

#ifdef KMEM_DEBUG
static __thread uint8_t held[LOCK_NR_RANKS];

static unsigned int held_innermost(void)
{
	unsigned int rank;

	for (rank = LOCK_NR_RANKS - 1; rank > 0; rank--)
		if (held[rank])
			break;
	return rank;
}

void lock_check_acquire(enum lock_rank rank)
{
	if (held_innermost() >= rank)
		report_bug("BUG: lock order: rank %d taken while rank %u is held", (int)rank, held_innermost());
	held[rank]++;
}

void lock_check_release(enum lock_rank rank)
{
	if (!held[rank])
		report_bug("BUG: lock order: rank %d released but not held", (int)rank);
	held[rank]--;
}
#endif
