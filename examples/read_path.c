/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * read_path.c - reads that finish however short memory is: every read needs one
 * buffer of 16 KiB, and 4 of them are kept in a mempool for bad times. Here no
 * other memory is to be had, and 8 threads share the 4 buffers: they take turns.
 *
 *   $ build/examples/read_path
 *   without the pool: out of memory
 *   with it: 8000 blocks read, 8000 right
 *   in reserve afterwards: 4 of 4
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <kmem/fault.h>
#include <kmem/mempool.h>
#include <kmem/slab.h>

#define BLOCK      (16 << 10)
#define NR_THREADS 8
#define NR_READS   1000 /* each */

static mempool_t *buffers;
static int blocks_right;

/* The device: block n is full of bytes n. */
static void device_read(unsigned char *buffer, int block)
{
	memset(buffer, block, BLOCK);
}

static int read_block(int block)
{
	/* Never NULL: GFP_NOIO may wait for another reader's buffer. */
	unsigned char *buffer = mempool_alloc(buffers, GFP_NOIO);
	int right;

	device_read(buffer, block);
	right = buffer[0] == (block & 0xff) && buffer[BLOCK - 1] == (block & 0xff);
	mempool_free(buffer, buffers);
	return right;
}

static void *reader(void *unused)
{
	for (int block = 0; block < NR_READS; block++)
		__atomic_fetch_add(&blocks_right, read_block(block), __ATOMIC_RELAXED);
	return unused;
}

int main(void)
{
	/* From now on no page is allocated, also not for those who could wait. */
	const struct fault_attr no_memory = { .probability = 100, .times = -1, .require_end = UINTPTR_MAX };
	pthread_t thread[NR_THREADS];
	struct mempool_stat stat;
	void *buffer;

	buffers = mempool_create_kmalloc_pool(4, BLOCK);
	if (!buffers || kmem_fault_set(KMEM_FAIL_PAGE_ALLOC, &no_memory))
		return 1;
	buffer = kmalloc(BLOCK, GFP_NOIO | __GFP_NOWARN);
	printf("without the pool: %s\n", buffer ? "fine" : "out of memory");
	kfree(buffer);

	for (int i = 0; i < NR_THREADS; i++)
		if (pthread_create(&thread[i], NULL, reader, NULL))
			return 1;
	for (int i = 0; i < NR_THREADS; i++)
		pthread_join(thread[i], NULL);
	printf("with it: %d blocks read, %d right\n", NR_THREADS * NR_READS, blocks_right);

	mempool_stat(buffers, &stat);
	printf("in reserve afterwards: %d of %d\n", stat.curr_nr, stat.min_nr);
	mempool_destroy(buffers);
	return 0;
}
