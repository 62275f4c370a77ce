/* SPDX-License-Identifier: BSD-2-Clause */
/* below.h - mempools for tests over an allocator that fails as it is told, and logs how it was called. */
#ifndef TESTS_POOL_BELOW_H
#define TESTS_POOL_BELOW_H

#include "support.h"

#include <pthread.h>

#include <kmem/mempool.h>

static struct below {
	bool fail;            /* every call */
	bool hold;            /* callers inside */
	void *free_inside;    /* an element that the next call with __GFP_DIRECT_RECLAIM gives back */
	mempool_t *pool;      /* to this pool */
	gfp_t fail_without;   /* calls that lack one of these flags */
	unsigned int chance;  /* of success, in percent, when it does not fail anyway; 0: always */
	long live, most_live; /* elements that it has given out */
	gfp_t call[64];       /* how it was called */
	unsigned int nr_calls;
} below;

static inline void *below_alloc(gfp_t gfp, void *data)
{
	static __thread uint64_t seed;
	long live;
	unsigned int nr = __atomic_fetch_add(&below.nr_calls, 1, __ATOMIC_RELAXED);

	if (nr < ARRAY_LEN(below.call))
		below.call[nr] = gfp;
	while (READ_ONCE(below.hold))
		usleep(200);
	if (gfp & __GFP_DIRECT_RECLAIM && below.free_inside) {
		mempool_free(below.free_inside, below.pool);
		below.free_inside = NULL;
	}
	if (!seed)
		seed = (uintptr_t)&seed;
	if (READ_ONCE(below.fail) || (gfp & below.fail_without) != below.fail_without)
		return NULL;
	if (below.chance && random_next(&seed) % 100 >= below.chance)
		return NULL;
	live = __atomic_add_fetch(&below.live, 1, __ATOMIC_RELAXED);
	if (live > READ_ONCE(below.most_live))
		WRITE_ONCE(below.most_live, live);
	return kmalloc((size_t)(uintptr_t)data, GFP_KERNEL);
}

static inline void below_free(void *element, void *data)
{
	(void)data;
	__atomic_sub_fetch(&below.live, 1, __ATOMIC_RELAXED);
	kfree(element);
}

static inline mempool_t *make(int min_nr)
{
	mempool_t *pool = mempool_create(min_nr, below_alloc, below_free, (void *)64);

	cr_assert_not_null(pool);
	below.nr_calls = 0;
	return pool;
}

static inline struct mempool_stat stat_of(const mempool_t *pool)
{
	struct mempool_stat stat;

	mempool_stat(pool, &stat);
	return stat;
}

static inline void *hidden(const void *p)
{
	void *forgotten;

	__asm__("" : "=r"(forgotten) : "0"(p) : "memory");
	return forgotten;
}

static inline void *take_one(void *pool)
{
	return mempool_alloc(pool, GFP_KERNEL);
}

static inline void wait_for_waiters(const mempool_t *pool, unsigned int nr)
{
	while (stat_of(pool).waiting != nr)
		usleep(500);
}

#endif
