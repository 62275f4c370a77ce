/* SPDX-License-Identifier: BSD-2-Clause */
/* thread.c - starts the library's own threads; see thread.h. */
#include "base/thread.h"

#include <pthread.h>
#include <signal.h>

#include "base/base.h"

#define STACK_BYTES ((size_t)256 << 10)

void thread_start_once(bool *started, void *(*run)(void *))
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, old;

	if (READ_ONCE(*started) || __atomic_exchange_n(started, true, __ATOMIC_ACQ_REL))
		return;
	sigfillset(&all);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (pthread_create(&thread, &attr, run, NULL))
		__atomic_store_n(started, false, __ATOMIC_RELEASE);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
}
