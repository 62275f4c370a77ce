/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pools.c - threads on one mempool whose allocator below fails most of the time
 * and which is resized meanwhile, on one genpool, and on per-CPU counters. Whoever
 * has memory writes its number into it and finds it again; at the end nothing is
 * missing. pools [OPERATIONS]
 */
#include "stress.h"

#include <kmem/genalloc.h>
#include <kmem/mempool.h>
#include <kmem/percpu.h>

enum { THREADS = 8, HELD = 16, RANGE = 256 << 10 };

static mempool_t *pool;
static struct gen_pool *range;
static uint8_t memory[RANGE] __attribute__((aligned(64)));
static long live; /* elements that the allocator below has given out */
static struct counters {
	uint64_t done;
	uint32_t allocs, frees;
} *counters;
static uint64_t rounds;

static void *below_alloc(gfp_t gfp, void *data)
{
	static __thread uint64_t seed;
	void *p;

	if (!seed)
		seed = (uintptr_t)&seed;
	if (random_next(&seed) % 4)
		return NULL;
	p = kmalloc((size_t)(uintptr_t)data, gfp | __GFP_DIRECT_RECLAIM);
	if (p)
		__atomic_fetch_add(&live, 1, __ATOMIC_RELAXED);
	return p;
}

static void below_free(void *element, void *data)
{
	(void)data;
	__atomic_fetch_sub(&live, 1, __ATOMIC_RELAXED);
	kfree(element);
}

static void mark(void *p, size_t bytes, uint8_t me)
{
	memset(p, me, bytes);
}

static void check(const void *p, size_t bytes, uint8_t me)
{
	const uint8_t *at = p;

	CHECK(at[0] == me && at[bytes - 1] == me && !memcmp(at, at + 1, bytes - 1), "somebody else wrote to it");
}

static void use_mempool(uint64_t *seed, uint8_t me)
{
	void *elems[3] = { NULL };
	unsigned int count = random_next(seed) % 10 ? 1 : 3, given = 0, i;

	if (count == 1)
		elems[0] = mempool_alloc(pool, random_next(seed) % 8 ? GFP_KERNEL : GFP_ATOMIC);
	else
		mempool_alloc_bulk(pool, elems, count, 0);
	for (i = 0; i < count && elems[i]; i++) {
		mark(elems[i], 64, me);
		this_cpu_inc(counters->allocs);
	}
	/* Others come, find nothing, and wait. */
	if (random_next(seed) % 16 == 0)
		sched_yield();
	for (i = 0; i < count && elems[i]; i++) {
		check(elems[i], 64, me);
		this_cpu_inc(counters->frees);
	}
	if (count > 1)
		given = mempool_free_bulk(pool, elems, count);
	for (i = given; i < count; i++)
		mempool_free(elems[i], pool);
}

struct piece {
	unsigned long addr;
	size_t size;
};

static void use_genpool(uint64_t *seed, uint8_t me, struct piece *p)
{
	static genpool_algo_t const algo[] = { gen_pool_first_fit, gen_pool_best_fit, gen_pool_worst_fit,
					       gen_pool_first_fit_order_align };

	if (p->addr) {
		check((void *)p->addr, p->size, me);
		gen_pool_free(range, p->addr, p->size);
		p->addr = 0;
		return;
	}
	p->size = 1 + random_next(seed) % 3000;
	p->addr = gen_pool_alloc_algo(range, p->size, algo[random_next(seed) % 4], NULL);
	if (p->addr)
		mark((void *)p->addr, p->size, me);
}

static void *work(void *arg)
{
	uint8_t me = (uint8_t)((uintptr_t)arg + 1);
	struct piece held[HELD] = { { 0, 0 } };
	uint64_t seed = me, i;

	for (i = 0; i < rounds; i++) {
		use_mempool(&seed, me);
		use_genpool(&seed, me, &held[random_next(&seed) % HELD]);
		this_cpu_inc(counters->done);
		if (me == 1 && i % 100 == 0)
			CHECK(!mempool_resize(pool, 3 + (int)(random_next(&seed) % 4)), "resize");
	}
	for (i = 0; i < HELD; i++)
		if (held[i].addr)
			use_genpool(&seed, me, &held[i]);
	return NULL;
}

static void check_totals(void)
{
	struct counters sum = { 0 };
	struct mempool_stat stat;
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		sum.done += per_cpu_ptr(counters, cpu)->done;
		sum.allocs += per_cpu_ptr(counters, cpu)->allocs;
		sum.frees += per_cpu_ptr(counters, cpu)->frees;
	}
	mempool_stat(pool, &stat);
	CHECK(sum.done == rounds * THREADS, "%lu rounds counted", sum.done);
	CHECK(sum.allocs == sum.frees, "%u allocs, %u frees", sum.allocs, sum.frees);
	CHECK(live == stat.curr_nr, "%ld elements, %d in reserve", live, stat.curr_nr);
	CHECK(rounds < 10000 || stat.waits, "nobody ever waited");
	CHECK(stat.longest_wait_ns < 4500000000u, "somebody waited for the poll");
	CHECK(gen_pool_avail(range) == RANGE, "%zu bytes are missing", RANGE - gen_pool_avail(range));
	printf("pools: %lu rounds; mempool: %lu from the reserve, %lu waits, longest %lu us; genpool: %u per mille fragmented\n",
	       sum.done, stat.reserve_hits, stat.waits, stat.longest_wait_ns / 1000,
	       gen_pool_unusable(range, 4096));
}

int main(int argc, char **argv)
{
	pthread_t thread[THREADS];
	uintptr_t i;

	rounds = operations(argc, argv, 1e6) / THREADS + 1;
	do
		pool = mempool_create(3, below_alloc, below_free, (void *)64);
	while (!pool);
	range = gen_pool_create(5, -1);
	counters = alloc_percpu(struct counters);
	CHECK(range && counters && !gen_pool_add(range, (unsigned long)memory, RANGE, -1), "setup");
	for (i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&thread[i], NULL, work, (void *)i), "thread");
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	check_totals();
	mempool_destroy(pool);
	CHECK(!live && !gen_pool_destroy(range), "the end");
	free_percpu(counters);
	return 0;
}
