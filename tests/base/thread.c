/* SPDX-License-Identifier: BSD-2-Clause */
/* A thread of the library's is started once, takes no signals, and can be tried again. */
#include "support.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include "base/thread.h"

static unsigned int runs;
static sigset_t blocked;

static void *run(void *unused)
{
	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	__atomic_fetch_add(&runs, 1, __ATOMIC_RELEASE);
	return unused;
}

static void wait_for_runs(unsigned int nr)
{
	int i;

	for (i = 0; i < 2000 && __atomic_load_n(&runs, __ATOMIC_ACQUIRE) < nr; i++)
		usleep(1000);
}

Test(thread, starts_once_and_takes_no_signals)
{
	bool started = false;
	sigset_t mine;

	thread_start_once(&started, run);
	thread_start_once(&started, run);
	wait_for_runs(1);
	usleep(20000);
	cr_expect_eq(runs, 1);
	cr_expect(started);
	cr_expect(sigismember(&blocked, SIGTERM));
	cr_expect(sigismember(&blocked, SIGSEGV));
	pthread_sigmask(SIG_SETMASK, NULL, &mine);
	cr_expect_not(sigismember(&mine, SIGTERM), "the caller's mask is what it was");
}

#ifndef __SANITIZE_ADDRESS__ /* which ends the process when it gets no memory */
Test(thread, is_tried_again_when_the_system_has_none)
{
	struct rlimit address_space, none = { 0, RLIM_INFINITY };
	bool started = false;

	cr_assert_eq(getrlimit(RLIMIT_AS, &address_space), 0);
	none.rlim_max = address_space.rlim_max;
	cr_assert_eq(setrlimit(RLIMIT_AS, &none), 0);
	thread_start_once(&started, run);
	cr_assert_eq(setrlimit(RLIMIT_AS, &address_space), 0);
	cr_expect_not(started);
	thread_start_once(&started, run);
	wait_for_runs(1);
	cr_expect_eq(runs, 1);
}
#endif
