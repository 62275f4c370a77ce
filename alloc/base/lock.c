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

void lock_slow(lock_t *lock)
{
	unsigned int i;

	for (i = 0; i < SPINS; i++) {
		uint32_t free = 0;

		__builtin_ia32_pause();
		if (READ_ONCE(*lock) == 0 &&
		    __atomic_compare_exchange_n(lock, &free, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return;
	}
	while (__atomic_exchange_n(lock, 2, __ATOMIC_ACQUIRE) != 0)
		os_futex_wait(lock, 2);
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
