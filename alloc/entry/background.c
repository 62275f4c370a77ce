/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * background.c - a thread that looks now and then; see background.h.
 *
 * It does what slow paths do on their way (slab/trim.h, page/purge.h), so there is one
 * policy. It looks sixteen times a decay period while looks find work, down to four
 * times while they do not. Its lock keeps fork() out while it has pages in hand.
 */
#include "entry/background.h"

#include "base/lock.h"
#include "base/os.h"
#include "base/thread.h"
#include "page/purge.h"
#include "page/vmstat.h"
#include "slab/trim.h"

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

/* Without a thread slow paths do what they do in any case. */
static void start(void)
{
	thread_start_once(&background.started, run);
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
