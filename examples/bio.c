/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bio.c - requests to a storage device, from a cache with a mempool in front, as
 * the kernel's block layer has them: dirty memory is often written because memory
 * is short, so the request itself must come from a reserve. Here the cache fails
 * every time, and 4 requests have to do.
 *
 *   $ build/examples/bio
 *   all 4 in flight, and in an interrupt: no request
 *   1000 submitted, 1000 completed
 *   0 left
 */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
#include <kmem/fault.h>
#include <kmem/mempool.h>
#include <kmem/slab.h>

#define NR_BIOS 1000

struct bio {
	unsigned long sector;
	unsigned int bytes;
};

static mempool_t pool;
static int in_flight[2]; /* a pipe of requests */

static void submit_bio(unsigned long sector)
{
	struct bio *bio = mempool_alloc(&pool, GFP_NOIO); /* never NULL; waits for the device if it must */

	bio->sector = sector;
	bio->bytes = 4096;
	if (write(in_flight[1], &bio, sizeof(void *)) < 0)
		mempool_free(bio, &pool);
}

/* Completes what was submitted: the memory of each request serves another. */
static void *device(void *nr_completed)
{
	int *nr = nr_completed;
	struct bio *bio;

	while (*nr < NR_BIOS && read(in_flight[0], &bio, sizeof(void *)) > 0) {
		mempool_free(bio, &pool);
		++*nr;
	}
	return NULL;
}

int main(void)
{
	const struct fault_attr no_memory = {
		.probability = 100, .times = -1, .cache_filter = true, .require_end = UINTPTR_MAX
	};
	struct kmem_cache *cache = KMEM_CACHE(bio, SLAB_HWCACHE_ALIGN | SLAB_FAILSLAB);
	int nr_completed = 0, n;
	pthread_t thread;

	if (!cache || pipe(in_flight) || mempool_init_slab_pool(&pool, 4, cache) ||
	    kmem_fault_set(KMEM_FAILSLAB, &no_memory))
		return 1;
	for (n = 0; n < 4; n++)
		submit_bio(8UL * (unsigned int)n);
	printf("all 4 in flight, and in an interrupt: %s request\n", mempool_alloc(&pool, GFP_ATOMIC) ? "a" : "no");

	if (pthread_create(&thread, NULL, device, &nr_completed))
		return 1;
	for (; n < NR_BIOS; n++)
		submit_bio(8UL * (unsigned int)n);
	pthread_join(thread, NULL);
	printf("%d submitted, %d completed\n", n, nr_completed);
	mempool_exit(&pool);
	printf("%zu left\n", kmem_cache_destroy(cache));
	return 0;
}
