/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fork.c - fork() in a process with threads: the child gets their memory but not
 * them, so nothing may be half done.
 *
 * Slow paths run under locks, all of which are taken around the fork. The fast
 * path needs nothing: it changes a slot by one store, so every slot in the copy
 * is either before or after.
 */
#include "entry/fork.h"

#include <pthread.h>

#include "base/batch.h"
#include "base/depot.h"
#include "base/lock.h"
#include "base/observe.h"
#include "base/sample.h"
#include "entry/background.h"
#include "page/alloc.h"
#include "pool/pool.h"
#include "slab/account.h"
#include "slab/cache.h"
#include "slab/guard.h"
#include "slab/rcu.h"

static void prepare(void)
{
	lock_fork_begin();
	background_lock_for_fork();
	rcu_lock_for_fork();
	pool_lock_for_fork();
	cache_lock_for_fork();
	page_lock_for_fork();
	rcu_lock_shards_for_fork();
	guard_lock_for_fork();
	sample_lock_for_fork();
}

static void parent(void)
{
	sample_unlock_after_fork(false);
	guard_unlock_after_fork(false);
	rcu_unlock_shards_after_fork(false);
	page_unlock_after_fork(false);
	cache_unlock_after_fork(false);
	pool_unlock_after_fork(false);
	rcu_unlock_after_fork(false);
	background_unlock_after_fork(false);
}

static void child(void)
{
	sample_unlock_after_fork(true);
	guard_unlock_after_fork(true);
	rcu_unlock_shards_after_fork(true);
	page_unlock_after_fork(true);
	cache_unlock_after_fork(true);
	pool_unlock_after_fork(true);
	rcu_unlock_after_fork(true);
	background_unlock_after_fork(true);
	depot_after_fork();
	account_after_fork();
	observe_after_fork();
	batch_after_fork();
}

void fork_init(void)
{
	pthread_atfork(prepare, parent, child);
}
