/* SPDX-License-Identifier: BSD-2-Clause */
/* malloc.c - malloc/free of 64 bytes: pairs, and batches of 1000. The allocator is the one preloaded. */
#include "bench.h"

#define BATCH 1000

static void *object[BATCH];

/* The compiler must not see that a pair cancels out. */
static void *(*volatile do_malloc)(size_t) = malloc;
static void (*volatile do_free)(void *) = free;

static void pair(void *size, long n)
{
	void *(*m)(size_t) = do_malloc;
	void (*f)(void *) = do_free;

	for (; n; n--) {
		void *p = m((size_t)size);

		*(volatile long *)p = 1;
		f(p);
	}
}

static void batch_1000(void *size, long n)
{
	void *(*m)(size_t) = do_malloc;
	void (*f)(void *) = do_free;
	long i;

	for (; n > 0; n -= BATCH) {
		for (i = 0; i < BATCH; i++) {
			object[i] = m((size_t)size);
			*(volatile long *)object[i] = 1;
		}
		for (i = 0; i < BATCH; i++)
			f(object[i]);
	}
}

static const struct bench_row rows[] = {
	{ "malloc_pair", pair, 1000000 },
	{ "malloc_batch_1000", batch_1000, 1000000 },
};

int main(int argc, char **argv)
{
	free(malloc(64));
	return bench_main(argc, argv, rows, sizeof(rows) / sizeof(rows[0]), (void *)64);
}
