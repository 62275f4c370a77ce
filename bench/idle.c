/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * idle.c - what 1000 threads leave behind in caches: each allocates and frees 200
 * objects of 32 caches and then sleeps. Prints the bytes of free objects held.
 */
#include <kmem/slab.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define THREADS 1000
#define CACHES  32
#define OBJECTS 200

static struct kmem_cache *cache[CACHES];
static pthread_barrier_t worked, counted;

static void *work(void *arg)
{
	void *object[OBJECTS];
	int c, i;

	for (c = 0; c < CACHES; c++) {
		for (i = 0; i < OBJECTS; i++)
			object[i] = kmem_cache_alloc(cache[c], GFP_KERNEL);
		for (i = 0; i < OBJECTS; i++)
			kmem_cache_free(cache[c], object[i]);
	}
	pthread_barrier_wait(&worked);
	pthread_barrier_wait(&counted);
	return arg;
}

int main(void)
{
	pthread_t thread[THREADS];
	pthread_attr_t attr;
	size_t held = 0;
	char name[32];
	int i;

	pthread_barrier_init(&worked, NULL, THREADS + 1);
	pthread_barrier_init(&counted, NULL, THREADS + 1);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 << 10);
	for (i = 0; i < CACHES; i++) {
		snprintf(name, sizeof(name), "idle-%d", i);
		cache[i] = kmem_cache_create(name, 64, 0, 0, NULL);
	}
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], &attr, work, NULL))
			return 1;
	pthread_barrier_wait(&worked);
	for (i = 0; i < CACHES; i++) {
		struct kmem_cache_stat stat;

		kmem_cache_stat(cache[i], &stat);
		held += stat.cached * 64;
	}
	pthread_barrier_wait(&counted);
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	printf("idle_threads_held_bytes %zu\n", held);
	return 0;
}
