/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pooler.c - a process with one pool of each kind in a known state.
 *
 * pooler [churn]: prints "ready" and waits for its input to end; with "churn" it
 * makes, uses and destroys other pools meanwhile.
 */
#include <kmem/genalloc.h>
#include <kmem/mempool.h>
#include <kmem/mp_pool.h>
#include <kmem/percpu.h>
#include <kmem/slab.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile int stop;

static void need(int condition)
{
	if (!condition)
		exit(9);
}

static void *nothing(gfp_t gfp, void *data)
{
	static int calls;

	return calls++ ? NULL : mempool_kmalloc(gfp, data);
}

static void *wait_for_it(void *pool)
{
	return mempool_alloc(pool, GFP_KERNEL);
}

static void wait_until_one_waits(mempool_t *pool)
{
	struct mempool_stat stat;

	do {
		usleep(1000);
		mempool_stat(pool, &stat);
	} while (!stat.waiting);
}

/* Of three threads that waited for the only element the first two got it, after 20 ms. */
static void make_strangled(void)
{
	mempool_t *pool = mempool_create(1, nothing, mempool_kfree, (void *)100);
	void *element = mempool_alloc(pool, GFP_KERNEL);
	pthread_t thread;
	int i;

	need(pool && element && !mempool_alloc(pool, GFP_ATOMIC));
	mempool_set_name(pool, "strangled");
	for (i = 0; i < 2; i++) {
		pthread_create(&thread, NULL, wait_for_it, pool);
		wait_until_one_waits(pool);
		usleep(20000);
		mempool_free(element, pool);
		pthread_join(thread, &element);
	}
	pthread_create(&thread, NULL, wait_for_it, pool);
	wait_until_one_waits(pool);
}

static void make_orders(void)
{
	mempool_t *pool = mempool_create_kmalloc_pool(8, 200);
	void *element[3];
	int i;

	for (i = 0; i < 3; i++)
		element[i] = mempool_alloc_preallocated(pool);
	mempool_set_name(pool, "orders");
	mempool_free(element[0], pool);
}

/* 16 pieces of 1 KiB, every second one free, and 48 KiB behind them. */
static void make_range(void)
{
	struct gen_pool *pool = gen_pool_create(5, -1);
	unsigned long addr[16];
	int i;

	need(pool && !gen_pool_add(pool, 1 << 20, 64 << 10, -1));
	gen_pool_set_name(pool, "range");
	for (i = 0; i < 16; i++)
		addr[i] = gen_pool_alloc(pool, 1024);
	for (i = 0; i < 16; i += 2)
		gen_pool_free(pool, addr[i], 1024);
	need(!gen_pool_alloc(pool, 60000));
}

static void make_regions(void)
{
	static char buffer[10000];
	struct mp_pool *growing = mp_create_pool(4096), *fixed = mp_create_fixed_pool(buffer, sizeof(buffer));
	void *block;

	need(growing && fixed && mp_alloc(growing, 3000) && mp_alloc(growing, 2000));
	mp_set_name(growing, "request");
	block = mp_alloc(growing, 20000);
	mp_free(growing, block);
	need(mp_alloc(fixed, 9000) && !mp_alloc(fixed, 9000));
	mp_set_name(fixed, "\033[31mevil");
}

static void *churn(void *unused)
{
	while (!stop) {
		struct gen_pool *range = gen_pool_create(4, -1);
		mempool_t *pool = mempool_create_kmalloc_pool(20, 64);
		struct mp_pool *region = mp_create_pool(1000);

		need(range && pool && region && !gen_pool_add(range, 1 << 24, 1 << 20, -1));
		gen_pool_free(range, gen_pool_alloc(range, 1000), 1000);
		need(mp_alloc(region, 5000) != NULL);
		mempool_destroy(pool);
		mp_destroy_pool(region);
		gen_pool_destroy(range);
	}
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	char byte;

	make_orders();
	make_strangled();
	make_range();
	make_regions();
	need(alloc_percpu(long) && __alloc_percpu(1000, 8));
	if (argc > 1 && !strcmp(argv[1], "churn"))
		pthread_create(&thread, NULL, churn, NULL);
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	stop = 1;
	_exit(0);
}
