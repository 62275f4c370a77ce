/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * readers.c - threads read an object under rcu_read_lock() while others replace
 * it and free the old one with kfree_rcu(). init_on_free clears what is freed, so
 * a reader that meets a freed object sees it. readers SECONDS [broken]
 */
#include <urcu.h>

#include <kmem/rcu.h>
#include <kmem/slab.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC 0x1badb002u

struct item {
	unsigned int magic;
	struct rcu_head rcu;
	unsigned int also;
};

static struct kmem_cache *cache;
static struct item *current;
static atomic_bool stop;
static atomic_ulong reads, writes, bad;
static bool broken;

static struct item *item(void)
{
	struct item *i = kmem_cache_alloc(cache, GFP_KERNEL);

	i->magic = i->also = MAGIC;
	return i;
}

static void *reader(void *unused)
{
	unsigned long seen = 0, wrong = 0;

	rcu_register_thread();
	while (!atomic_load(&stop)) {
		struct item *i;

		rcu_read_lock();
		i = rcu_dereference(current);
		for (int n = 0; n < 20; n++)
			wrong += *(volatile unsigned int *)&i->magic != MAGIC ||
				 *(volatile unsigned int *)&i->also != MAGIC;
		rcu_read_unlock();
		seen++;
	}
	rcu_unregister_thread();
	atomic_fetch_add(&reads, seen);
	atomic_fetch_add(&bad, wrong);
	return unused;
}

/* Not registered with RCU: freeing does not need it. */
static void *writer(void *unused)
{
	while (!atomic_load(&stop)) {
		struct item *old = uatomic_xchg(&current, item());

		if (broken)
			kfree(old);
		else
			kfree_rcu(old, rcu);
		if (atomic_fetch_add(&writes, 1) % 64 == 0)
			usleep(100);
	}
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t thread[4];
	struct kmem_cache_stat stat;
	int i;

	broken = argc > 2 && !strcmp(argv[2], "broken");
	cache = KMEM_CACHE(item, 0);
	current = item();
	kmem_set_init_on_free(true);
	if (!kmem_rcu_present()) {
		puts("liburcu was not found");
		return 1;
	}
	for (i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, i < 2 ? reader : writer, NULL);
	sleep((unsigned int)atoi(argv[1]));
	atomic_store(&stop, true);
	for (i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	kvfree_rcu_barrier();
	kmem_cache_stat(cache, &stat);
	printf("%lu reads, %lu replaced, %lu freed objects seen, %lu objects left\n", reads, writes, bad, stat.active);
	return bad != 0 || stat.active != 1;
}
