/* SPDX-License-Identifier: BSD-2-Clause */
/* fork(): the child can do everything, whatever other threads were doing. */
#include "support.h"

#include <pthread.h>

#include "slab/kmalloc.h"

static volatile bool stop;
static struct kmem_cache *s;

static void *churn(void *unused)
{
	void *object[100];
	unsigned int i;

	while (!stop) {
		if (kmem_cache_alloc_bulk(s, GFP_KERNEL, 100, object) != 100)
			abort();
		kmem_cache_free_bulk(s, 100, object);
		for (i = 0; i < 20; i++)
			kfree(kmalloc(i * 3000, GFP_KERNEL));
		free_pages(__get_free_pages(GFP_KERNEL, 5), 5);
		kvfree(kvmalloc((size_t)5 << 20, GFP_KERNEL));
	}
	return unused;
}

/* All layers, in the child. Return: exit status. */
static int use_everything(void)
{
	struct kmem_cache *own = kmem_cache_create("child", 64, 0, 0, NULL);
	struct kmem_cache_stat stat;
	static void *object[2000];

	if (!own || kmem_cache_alloc_bulk(own, GFP_KERNEL, 2000, object) != 2000)
		return 1;
	kmem_cache_free_bulk(own, 2000, object);
	kmem_cache_stat(own, &stat);
	if (stat.active || kmem_cache_destroy(own))
		return 2;
	if (kmem_cache_alloc_bulk(s, GFP_KERNEL, 2000, object) != 2000)
		return 3;
	kmem_cache_free_bulk(s, 2000, object);
	kmem_cache_shrink(s);
	kfree(kmalloc(100000, GFP_KERNEL));
	kvfree(kvmalloc((size_t)9 << 20, GFP_KERNEL));
	free_pages(__get_free_pages(GFP_KERNEL, 10), 10);
	drain_all_pages();
	kmem_page_purge(0);
	return 0;
}

static void fork_and_check(void)
{
	int status;
	pid_t pid = fork();

	cr_assert_geq(pid, 0);
	if (!pid) {
		alarm(20);
		_exit(use_everything());
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status) && !WEXITSTATUS(status), "child status %x", status);
}

Test(fork, a_child_of_one_thread_can_do_everything, .timeout = 30)
{
	s = kmem_cache_create("fork", 40, 0, 0, NULL);
	fork_and_check();
}

Test(fork, a_child_of_many_threads_can_do_everything, .timeout = 120)
{
	pthread_t thread[4];
	int i;

	s = kmem_cache_create("fork", 40, 0, 0, NULL);
	for (i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, churn, NULL);
	for (i = 0; i < 100; i++)
		fork_and_check();
	stop = true;
	for (i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	ASSERT_BALANCED(s, 0);
}

Test(fork, parent_and_child_do_not_share, .timeout = 30)
{
	int *p = kmalloc(sizeof(*p), GFP_KERNEL), *q, status;
	pid_t pid;

	*p = 1;
	pid = fork();
	if (!pid) {
		*p = 2;
		q = kmalloc(sizeof(*q), GFP_KERNEL);
		*q = 3;
		kfree(p);
		_exit(*q != 3);
	}
	waitpid(pid, &status, 0);
	cr_expect_eq(status, 0);
	cr_expect_eq(*p, 1);
	q = kmalloc(sizeof(*q), GFP_KERNEL);
	cr_expect_neq(q, p);
}

Test(fork, live_objects_are_live_in_the_child, .timeout = 30)
{
	void *object[500];
	int status;
	pid_t pid;

	s = kmem_cache_create("fork", 40, 0, 0, NULL);
	cr_assert_eq(kmem_cache_alloc_bulk(s, GFP_KERNEL, 500, object), 500);
	pid = fork();
	if (!pid) {
		struct kmem_cache_stat stat;

		kmem_cache_stat(s, &stat);
		if (stat.active != 500)
			_exit(1);
		kmem_cache_free_bulk(s, 500, object);
		_exit(kmem_cache_destroy(s) != 0);
	}
	waitpid(pid, &status, 0);
	cr_expect_eq(status, 0);
	ASSERT_BALANCED(s, 500);
}

Test(fork, a_chain_of_children, .timeout = 60)
{
	int depth, status;

	s = kmem_cache_create("fork", 40, 0, 0, NULL);
	for (depth = 0; depth < 5; depth++) {
		pid_t pid = fork();

		if (pid) {
			waitpid(pid, &status, 0);
			if (depth)
				_exit(!WIFEXITED(status) || WEXITSTATUS(status));
			cr_expect_eq(status, 0);
			return;
		}
		if (use_everything())
			_exit(1);
	}
	_exit(0);
}
