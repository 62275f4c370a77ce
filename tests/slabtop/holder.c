/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * holder.c - a process that holds a known number of objects of a cache.
 *
 * holder [churn]: two threads make 12345 allocations of "holder-cache" and 345
 * frees between them, then "ready" is printed and the process waits for its
 * input to end; with "churn" it goes on allocating and freeing instead; with "merged"
 * there are caches that merge=on makes share slabs, one of whose roots is gone.
 */
#include <kmem/slab.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct kmem_cache *cache;

static void construct(void *object)
{
	*(char *)object = 1;
}
static volatile int stop;

static void *hold(void *nr)
{
	void *first[345];
	size_t n = *(size_t *)nr;

	for (size_t i = 0; i < n; i++) {
		void *p = kmem_cache_alloc(cache, GFP_KERNEL);

		if (i < 345)
			first[i] = p;
	}
	/* Only one of the threads gives some back. */
	for (size_t i = 0; n == 10345 && i < 345; i++)
		kmem_cache_free(cache, first[i]);
	return NULL;
}

static void *churn(void *unused)
{
	while (!stop) {
		void *p[100];

		for (int i = 0; i < 100; i++)
			p[i] = kmem_cache_alloc(cache, GFP_KERNEL);
		for (int i = 0; i < 100; i++)
			kmem_cache_free(cache, p[i]);
	}
	return unused;
}

/* holder-alias shares holder-cache's slabs; both/left those of a name that is gone; holder-ctor none. */
static int create_merged(void)
{
	struct kmem_cache *gone = kmem_cache_create("gone", 300, NULL, 0);

	if (!gone || !kmem_cache_create("holder-alias", 200, NULL, 0) || !kmem_cache_create("both/left", 300, NULL, 0) ||
	    !kmem_cache_create("holder-ctor", 100, 0, 0, construct))
		return 1;
	kmem_cache_destroy(gone);
	return 0;
}

int main(int argc, char **argv)
{
	size_t counts[2] = { 10345, 2000 };
	pthread_t threads[3];
	int nr = 2;
	char byte;

	cache = kmem_cache_create("holder-cache", 200, NULL, 0);
	if (!cache || (argc > 1 && !strcmp(argv[1], "merged") && create_merged()))
		return 1;
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, hold, &counts[i]);
	if (argc > 1 && !strcmp(argv[1], "churn"))
		pthread_create(&threads[nr++], NULL, churn, NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	stop = 1;
	if (nr > 2)
		pthread_join(threads[2], NULL);
	return 0;
}
