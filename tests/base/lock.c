/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lock, in the debug form that checks the order. A build without KMEM_DEBUG
 * compiles the source into this test under other names, so that both forms are here.
 */
#ifdef KMEM_DEBUG
#include "base/base.h"
#include "base/lock.h"
#define debug_lock_slow lock_slow
#define debug_lock_wake lock_wake
#else
#define KMEM_DEBUG
#define lock_slow debug_lock_slow
#define lock_wake debug_lock_wake
#define lock_spin debug_lock_spin
#define lock_poll debug_lock_poll
#define lock_depth debug_lock_depth
#define lock_fork_begin debug_lock_fork_begin
#define lock_for_fork debug_lock_for_fork
#define lock_after_fork debug_lock_after_fork
#include "base/lock.c"
#undef lock_slow
#undef lock_wake
void lock_slow(lock_t *lock);
void lock_wake(lock_t *lock);
#endif

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 50000 };

static lock_t lock;
static volatile uint64_t counter;

Test(lock, try_takes_a_free_lock_once)
{
	cr_expect(lock_try(&lock, LOCK_ZONE));
	cr_expect_not(lock_try(&lock, LOCK_ZONE));
	lock_release(&lock, LOCK_ZONE);
	cr_expect_eq(lock, 0);
	cr_expect(lock_try(&lock, LOCK_ZONE));
}

static void *count(void *unused)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		lock_acquire(&lock, LOCK_ZONE);
		counter++;
		lock_release(&lock, LOCK_ZONE);
	}
	return unused;
}

Test(lock, holders_exclude_each_other, .timeout = 60)
{
	pthread_t thread[THREADS];
	int i;

	for (i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, count, NULL);
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	cr_expect_eq(counter, THREADS * ROUNDS);
	cr_expect_eq(lock, 0);
}

static void *wait_for_it(void *take)
{
	((void (*)(lock_t *))take)(&lock);
	counter = 1;
	return NULL;
}

static void waiter_sleeps(void (*take)(lock_t *), void (*wake)(lock_t *))
{
	pthread_t thread;

	lock = 1;
	pthread_create(&thread, NULL, wait_for_it, (void *)take);
	while (__atomic_load_n(&lock, __ATOMIC_RELAXED) != 2)
		usleep(1000);
	cr_expect_eq(counter, 0);
	cr_expect_eq(__atomic_exchange_n(&lock, 0, __ATOMIC_RELEASE), 2);
	wake(&lock);
	pthread_join(thread, NULL);
	cr_expect_eq(counter, 1);
	/* It may not know that it was the only one, so it must leave word. */
	cr_expect_eq(lock, 2);
}

Test(lock, a_waiter_sleeps_and_is_woken, .timeout = 20)
{
	waiter_sleeps(debug_lock_slow, debug_lock_wake);
}

Test(lock, a_waiter_sleeps_and_is_woken_in_the_library, .timeout = 20)
{
	waiter_sleeps(lock_slow, lock_wake);
}

Test(lock, fork_form_takes_many_of_one_rank)
{
	lock_t a = 0, b = 0;

	lock_acquire_nested(&a);
	lock_acquire_nested(&b);
	cr_expect_eq(a, 1);
	cr_expect_eq(b, 1);
	lock_release_nested(&a);
	cr_expect_eq(a, 0);
	lock_reset(&b);
	cr_expect_eq(b, 0);
}

Test(lock, sequence_is_odd_while_it_changes)
{
	uint32_t seq = 4;

	seq_begin(&seq);
	cr_expect_eq(seq, 5);
	seq_end(&seq);
	cr_expect_eq(seq, 6);
}

Test(lock, the_documented_order_is_allowed)
{
	lock_t locks[LOCK_NR_RANKS] = { 0 };
	unsigned int rank;

	for (rank = LOCK_REGISTRY; rank < LOCK_NR_RANKS; rank++)
		lock_acquire(&locks[rank], (enum lock_rank)rank);
	for (rank = LOCK_NR_RANKS - 1; rank >= LOCK_REGISTRY; rank--)
		lock_release(&locks[rank], (enum lock_rank)rank);
	lock_acquire(&locks[LOCK_REGISTRY], LOCK_REGISTRY);
}

Test(lock, an_outer_lock_inside_an_inner_one_is_a_bug, .signal = SIGABRT)
{
	lock_t zone = 0, node = 0;

	lock_acquire(&zone, LOCK_ZONE);
	lock_acquire(&node, LOCK_NODE);
}

Test(lock, two_of_a_rank_are_a_bug, .signal = SIGABRT)
{
	lock_t a = 0, b = 0;

	lock_acquire(&a, LOCK_NODE);
	lock_acquire(&b, LOCK_NODE);
}

Test(lock, release_of_what_is_not_held_is_a_bug, .signal = SIGABRT)
{
	lock_t a = 1;

	lock_release(&a, LOCK_NODE);
}

/* ---- fork ---- */

Test(fork, every_way_to_take_a_lock_is_counted)
{
	lock_t lock = 0;

	lock_acquire(&lock, LOCK_NODE);
	cr_expect_eq(lock_depth, 1);
	cr_expect_not(lock_try_nested(&lock));
	cr_expect_eq(lock_depth, 1);
	lock_release(&lock, LOCK_NODE);
	cr_expect(lock_try(&lock, LOCK_NODE));
	cr_expect_eq(lock_depth, 1);
	lock_release(&lock, LOCK_NODE);
	lock_acquire_polled(&lock, LOCK_ZONE);
	cr_expect_eq(lock_depth, 1);
	lock_release_polled(&lock, LOCK_ZONE);
	cr_expect(lock_try_spin(&lock, LOCK_ZONE));
	cr_expect_eq(lock_depth, 1);
	lock_release_polled(&lock, LOCK_ZONE);
	lock_acquire_nested(&lock);
	cr_expect_eq(lock_depth, 1);
	lock_release_nested(&lock);
	cr_expect_eq(lock_depth, 0);
}

Test(fork, takes_and_gives_back_in_the_parent_and_resets_in_the_child)
{
	lock_t lock[2] = { 0, 0 };

	lock_fork_begin();
	lock_for_fork(&lock[0], false);
	lock_for_fork(&lock[1], true);
	cr_expect(lock[0] && lock[1]);
	lock_after_fork(&lock[1], false);
	lock_after_fork(&lock[0], true);
	cr_expect(!lock[0] && !lock[1]);
	cr_expect_eq(lock_depth, 0);
}

/* As in a signal handler that interrupted a holder. */
Test(fork, leaves_out_what_this_thread_holds, .timeout = 20)
{
	lock_t own = 0, other = 0;

	lock_acquire(&own, LOCK_NODE);
	lock_fork_begin();
	lock_for_fork(&own, false);
	lock_for_fork(&other, false);
	cr_expect_eq(other, 1);
	lock_after_fork(&other, false);
	lock_after_fork(&own, false);
	cr_expect_eq(own, 1, "still held");
	cr_expect_eq(other, 0);
	lock_after_fork(&own, true);
	cr_expect_eq(own, 0);
	lock_release(&own, LOCK_NODE);
	cr_expect_eq(lock_depth, 0);
}
