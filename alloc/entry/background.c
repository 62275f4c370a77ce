/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * background.c - a thread that looks now and then; see background.h.
 *
 * It does what slow paths do on their way (slab/trim.h, page/purge.h), so there is one
 * policy. It looks sixteen times a decay period while looks find work, down to four
 * times while they do not. Its lock keeps fork() out while it has pages in hand.
 */
#include "entry/background.h"

#include <pthread.h>
#include <signal.h>

#include "base/lock.h"
#include "base/os.h"
#include "page/purge.h"
#include "page/vmstat.h"
#include "slab/trim.h"

#define STACK_BYTES ((size_t)256 << 10)
#define NS_PER_MS   1000000L
#define NAP_LEAST   (2 * NS_PER_MS)

static struct {
	lock_t lock; /* held while it works */
	bool started;
	long period_ns;
} background KMEM_STATE;

static uint64_t work_done(void)
{
	return vmstat_event(KMEM_VM_PURGE) + vmstat_event(KMEM_VM_SLAB_PURGE);
}

static __attribute__((noreturn)) void *run(void *unused)
{
	long nap = background.period_ns / 16;

	(void)unused;
	for (;;) {
		uint64_t before = work_done();

		lock_acquire_nested(&background.lock);
		trim_look();
		lock_release_nested(&background.lock);
		nap = work_done() != before ? background.period_ns / 16 : nap + nap / 2;
		nap = MAX(MIN(nap, background.period_ns / 4), NAP_LEAST);
		os_sleep_ns(nap);
	}
}

/* The program's signals are not for this thread. */
static void start(void)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, old;

	if (READ_ONCE(background.started) || __atomic_exchange_n(&background.started, true, __ATOMIC_ACQ_REL))
		return;
	sigfillset(&all);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	/* Without a thread slow paths do what they do in any case. */
	if (pthread_create(&thread, &attr, run, NULL))
		__atomic_store_n(&background.started, false, __ATOMIC_RELEASE);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
}

void background_init(bool on, unsigned int decay_ms)
{
	background.period_ns = (long)MAX(decay_ms, 1u) * NS_PER_MS;
	purge_on_demand = on ? start : NULL;
}

void background_lock_for_fork(void)
{
	lock_for_fork(&background.lock, false);
}

void background_unlock_after_fork(bool child)
{
	if (child)
		background.started = false;
	lock_after_fork(&background.lock, child);
}
