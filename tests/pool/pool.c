/* SPDX-License-Identifier: BSD-2-Clause */
/* The layer as a whole: fork() while other threads use every pool. */
#include "support.h"

#include <pthread.h>

#include <kmem/genalloc.h>
#include <kmem/mempool.h>
#include <kmem/mp_pool.h>
#include <kmem/percpu.h>

#include "pool/pool.h"
#include "pool/table.h"

static volatile bool stop, below_fails;
static mempool_t *pool;
static struct gen_pool *range;

static void *below_alloc(gfp_t gfp, void *data)
{
	return below_fails ? NULL : mempool_kmalloc(gfp, data);
}

static void *churn(void *unused)
{
	while (!stop) {
		void *element = mempool_alloc(pool, GFP_ATOMIC);
		unsigned long addr = gen_pool_alloc(range, 100);
		mempool_t *own = mempool_create_kmalloc_pool(3, 64);
		struct mp_pool *region = mp_create_pool(1000);

		if (!mp_alloc(region, 5000))
			abort();
		mp_destroy_pool(region);
		mempool_free(element, pool);
		if (addr)
			gen_pool_free(range, addr, 100);
		free_percpu(alloc_percpu(long));
		mempool_destroy(own);
	}
	return unused;
}

static void *wait_for_element(void *unused)
{
	while (!stop)
		mempool_free(mempool_alloc(pool, GFP_KERNEL), pool);
	return unused;
}

/* Return: exit status. */
static int use_everything(void)
{
	struct gen_pool *own = gen_pool_create(4, -1);
	struct mp_pool *region = mp_create_pool(1000);
	unsigned long addr;

	/* Threads of the parent have the others; what is there is not promised to any of them any more. */
	if (pool->live->curr_nr)
		mempool_free(mempool_alloc(pool, GFP_KERNEL), pool);
	below_fails = false;
	if (mempool_resize(pool, 1) || !own || gen_pool_add(own, 4096, 4096, -1))
		return 1;
	addr = gen_pool_alloc(own, 4096);
	gen_pool_free(own, addr, 4096);
	if (addr != 4096 || gen_pool_destroy(own))
		return 2;
	if (!region || !mp_alloc(region, 10) || !mp_alloc(region, 5000))
		return 4;
	mp_destroy_pool(region);
	free_percpu(alloc_percpu(long));
	mempool_destroy(mempool_create_kmalloc_pool(2, 10));
	return pool->live->nr_waiting ? 3 : 0;
}

Test(pool, the_child_of_fork_can_do_everything, .timeout = 100)
{
	pthread_t thread[6];
	int i, status;

	pool = mempool_create(2, below_alloc, mempool_kfree, (void *)64);
	range = gen_pool_create(4, -1);
	cr_assert(pool && range && !gen_pool_add(range, 1 << 20, 1 << 16, -1));
	below_fails = true;
	for (i = 0; i < 6; i++)
		pthread_create(&thread[i], NULL, i < 3 ? churn : wait_for_element, NULL);
	for (i = 0; i < 200; i++) {
		pid_t pid = fork();

		cr_assert_geq(pid, 0);
		if (!pid) {
			alarm(4); /* less than the poll */
			_exit(use_everything());
		}
		waitpid(pid, &status, 0);
		cr_assert_eq(status, 0, "round %d: %x", i, status);
	}
	stop = true;
	below_fails = false;
	for (i = 0; i < 6; i++)
		pthread_join(thread[i], NULL);
	mempool_destroy(pool);
	cr_expect_eq(gen_pool_destroy(range), 0);
}

Test(pool, init_reserves_the_tables)
{
	cr_expect_neq(pools.mempools, 0);
	cr_expect_neq(pools.genpools, 0);
	pool_lock_for_fork();
	pool_unlock_after_fork(false);
}
