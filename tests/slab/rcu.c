/* SPDX-License-Identifier: BSD-2-Clause */
/* Deferral: nothing is released before a grace period that began after it was deferred; everything is, once. */
#include "support.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/os.h"
#include "slab/rcu.h"

static atomic_uint periods, closed;
static atomic_uint released[4096];
static atomic_uint total;

/* A grace period lasts as long as the gate is closed. */
static void synchronize(void)
{
	atomic_fetch_add(&periods, 1);
	while (atomic_load(&closed))
		usleep(100);
}

static const struct kmem_rcu_ops ops = { synchronize };

static void release(void *what)
{
	atomic_fetch_add(&released[(uintptr_t)what], 1);
	atomic_fetch_add(&total, 1);
}

static struct rcu_queue queue;

static void setup(void)
{
	/* A batch comes from pages that are there: nothing is mapped for it. */
	free_page(get_zeroed_page(GFP_KERNEL));
	kmem_rcu_register(&ops);
	queue.release = release;
	rcu_queue_add(&queue);
}

TestSuite(rcu, .init = setup, .timeout = 20);

static void defer(uintptr_t n)
{
	cr_assert(rcu_defer(&queue, (void *)n, NULL, false));
}

static void expect_released_once(uintptr_t from, uintptr_t to)
{
	for (uintptr_t i = from; i < to; i++)
		cr_assert_eq(released[i], 1, "%lu released %u times", i, released[i]);
}

Test(rcu, present)
{
	cr_expect(kmem_rcu_present());
	kmem_rcu_register(NULL);
	cr_expect(!kmem_rcu_present(), "the test does not load liburcu");
}

Test(rcu, barrier_releases_everything_once)
{
	struct rcu_link link[8];
	uintptr_t i;

	for (i = 0; i < 2000; i++)
		defer(i);
	for (i = 0; i < 8; i++)
		cr_assert(rcu_defer(&queue, (void *)(2000 + i), &link[i], true));
	rcu_barrier();
	expect_released_once(0, 2008);
	cr_expect_geq(periods, 1);
	i = periods;
	rcu_barrier();
	cr_expect_eq(periods, i, "nothing waits: no grace period is needed");
}

Test(rcu, nothing_is_released_before_the_period_ends)
{
	atomic_store(&closed, 1);
	for (uintptr_t i = 0; i < 600; i++) /* more than a batch: at once */
		defer(i);
	while (!periods)
		usleep(100);
	/* This one comes after the period has begun. */
	defer(600);
	cr_expect_eq(total, 0);
	atomic_store(&closed, 0);
	while (total < 600)
		usleep(100);
	rcu_barrier();
	expect_released_once(0, 601);
	cr_expect_geq(periods, 2, "what came later waits for a period of its own");
}

Test(rcu, one_object_is_released_within_five_seconds)
{
	uint64_t start = os_now_ns(), took;

	defer(0);
	cr_expect_eq(total, 0);
	while (!total)
		usleep(1000);
	took = os_now_ns() - start;
	cr_expect_geq(took, UINT64_C(4900000000), "it is batched");
}

static void *hammer(void *arg)
{
	uintptr_t first = (uintptr_t)arg;

	for (uintptr_t i = first; i < first + 1000; i++) {
		defer(i);
		if (i % 100 == 0)
			rcu_barrier();
	}
	return NULL;
}

Test(rcu, many_threads)
{
	pthread_t thread[4];

	for (uintptr_t i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, hammer, (void *)(i * 1000));
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	rcu_barrier();
	expect_released_once(0, 4000);
	cr_expect_eq(total, 4000);
}

/* fork() while the thread waits for a period: the child has no such thread, and releases everything itself. */
Test(rcu, fork_goes_on_with_what_waits)
{
	struct rcu_link link;
	int status;
	pid_t pid;

	atomic_store(&closed, 1);
	for (uintptr_t i = 0; i < 600; i++)
		defer(i);
	while (!periods)
		usleep(100);
	defer(600);
	cr_assert(rcu_defer(&queue, (void *)601, &link, true));
	pid = fork();
	if (!pid) {
		atomic_store(&closed, 0);
		for (uintptr_t i = 602; i < 1300; i++)
			defer(i);
		while (total < 1300) /* by the child's own thread: a batch is full */
			usleep(1000), rcu_barrier();
		for (uintptr_t i = 0; i < 1300; i++)
			if (released[i] != 1)
				_exit(1);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	cr_expect_eq(status, 0);
	atomic_store(&closed, 0);
	rcu_barrier();
	expect_released_once(0, 602);
}
