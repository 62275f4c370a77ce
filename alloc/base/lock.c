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
