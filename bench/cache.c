/* SPDX-License-Identifier: BSD-2-Clause */
/* cache.c - kmem_cache and kmalloc pairs of 64 bytes: inline, through the .so, in batches, in bulk. */
#include <kmem/fastpath.h>
#include <kmem/slab.h>

#include "bench.h"

#define BATCH 1000

static void *object[BATCH];

static void pair_inline(void *s, long n)
{
	for (; n; n--) {
		void *p = kmem_cache_alloc_inline(s, GFP_KERNEL);

		*(volatile long *)p = 1;
		kmem_cache_free_inline(s, p);
	}
}

/* The same without the two semaphore tests: what the dormant probes cost. */
static void pair_no_probes(void *s, long n)
{
	for (; n; n--) {
		void *p;

		if (__builtin_expect(!kmem_slot_pop(s, __rseq_offset, kmem_fast_id, &p), 0))
			p = kmem_cache_alloc(s, GFP_KERNEL);
		*(volatile long *)p = 1;
		if (__builtin_expect(!kmem_slot_push(s, __rseq_offset, kmem_fast_id, p), 0))
			kmem_cache_free(s, p);
	}
}

/* 32 objects allocated, then freed, inline; with and without the semaphore tests. */
static void batch_32(void *s, long n)
{
	long i;

	for (; n > 0; n -= 32) {
		for (i = 0; i < 32; i++) {
			object[i] = kmem_cache_alloc_inline(s, GFP_KERNEL);
			*(volatile long *)object[i] = 1;
		}
		for (i = 0; i < 32; i++)
			kmem_cache_free_inline(s, object[i]);
	}
}

static void batch_32_no_probes(void *s, long n)
{
	long i;

	for (; n > 0; n -= 32) {
		for (i = 0; i < 32; i++) {
			if (__builtin_expect(!kmem_slot_pop(s, __rseq_offset, kmem_fast_id, &object[i]), 0))
				object[i] = kmem_cache_alloc(s, GFP_KERNEL);
			*(volatile long *)object[i] = 1;
		}
		for (i = 0; i < 32; i++)
			if (__builtin_expect(!kmem_slot_push(s, __rseq_offset, kmem_fast_id, object[i]), 0))
				kmem_cache_free(s, object[i]);
	}
}

static void pair_so(void *s, long n)
{
	for (; n; n--) {
		void *p = kmem_cache_alloc(s, GFP_KERNEL);

		*(volatile long *)p = 1;
		kmem_cache_free(s, p);
	}
}

static void pair_kmalloc(void *s, long n)
{
	(void)s;
	for (; n; n--) {
		void *p = kmalloc(64, GFP_KERNEL);

		*(volatile long *)p = 1;
		kfree(p);
	}
}

static void batch_1000(void *s, long n)
{
	long i;

	for (; n > 0; n -= BATCH) {
		for (i = 0; i < BATCH; i++) {
			object[i] = kmem_cache_alloc(s, GFP_KERNEL);
			*(volatile long *)object[i] = 1;
		}
		for (i = 0; i < BATCH; i++)
			kmem_cache_free(s, object[i]);
	}
}

static void bulk_32(void *s, long n)
{
	for (; n > 0; n -= 32) {
		if (kmem_cache_alloc_bulk(s, GFP_KERNEL, 32, object) != 32)
			abort();
		kmem_cache_free_bulk(s, 32, object);
	}
}

static const struct bench_row rows[] = {
	{ "cache_pair_inline", pair_inline, 1000000 },
	{ "cache_pair_no_probes", pair_no_probes, 1000000 },
	{ "cache_batch_32_inline", batch_32, 999968 },
	{ "cache_batch_32_no_probes", batch_32_no_probes, 999968 },
	{ "cache_pair_so", pair_so, 1000000 },
	{ "kmalloc_pair_so", pair_kmalloc, 1000000 },
	{ "cache_batch_1000", batch_1000, 1000000 },
	{ "cache_bulk_32", bulk_32, 999968 },
};

int main(int argc, char **argv)
{
	struct kmem_cache *s = kmem_cache_create("bench", 64, 0, 0, NULL);

	if (!s)
		return 1;
	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	kfree(kmalloc(64, GFP_KERNEL));
	return bench_main(argc, argv, rows, sizeof(rows) / sizeof(rows[0]), s);
}
