/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pools.c - threads on each kind of pool, one after the other. Whoever has memory
 * writes its number into it and finds it again; at the end nothing is missing.
 * pools [OPERATIONS [KIND]]: allocations, frees and counts of each kind, together.
 *
 *   mempool   its allocator below fails most of the time, and it is resized meanwhile
 *   genpool   four algorithms on one range
 *   mp_pool   pools of one thread, and one that goes from thread to thread
 *   percpu    counters, and areas that come and go
 */
#include "stress.h"

#include <kmem/genalloc.h>
#include <kmem/mempool.h>
#include <kmem/mp_pool.h>
#include <kmem/percpu.h>

enum { THREADS = 8, HELD = 16, RANGE = 40 << 10 };

static void mark(void *p, size_t bytes, uint8_t me)
{
	memset(p, me, bytes);
}

static void check(const void *p, size_t bytes, uint8_t me)
{
	const uint8_t *at = p;

	CHECK(at[0] == me && at[bytes - 1] == me && !memcmp(at, at + 1, bytes - 1), "somebody else wrote to it");
}

/* ---- mempool ---- */

static mempool_t *pool;
static long live; /* elements that the allocator below has given out */

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

static void set_up_mempool(void)
{
	do
		pool = mempool_create(3, below_alloc, below_free, (void *)64);
	while (!pool);
}

static uint64_t use_mempool(uint64_t *seed, uint8_t me)
{
	unsigned int count = random_next(seed) % 10 ? 1 : 3, given = 0, i;
	void *elems[3] = { NULL };

	if (count == 1)
		elems[0] = mempool_alloc(pool, random_next(seed) % 8 ? GFP_KERNEL : GFP_ATOMIC);
	else
		mempool_alloc_bulk(pool, elems, count, 0);
	for (i = 0; i < count && elems[i]; i++)
		mark(elems[i], 64, me);
	/* Others come, find nothing, and wait. */
	if (random_next(seed) % 16 == 0)
		sched_yield();
	for (i = 0; i < count && elems[i]; i++)
		check(elems[i], 64, me);
	if (count > 1)
		given = mempool_free_bulk(pool, elems, count);
	for (i = given; i < count; i++)
		mempool_free(elems[i], pool);
	return 2 * count;
}

static void work_mempool(uint64_t operations, uint64_t seed, uint8_t me)
{
	uint64_t done = 0, i;

	for (i = 0; done < operations; i++) {
		done += use_mempool(&seed, me);
		if (me <= 2 && i % 100 == 0)
			CHECK(!mempool_resize(pool, 3 + (int)(random_next(&seed) % 4)), "resize");
	}
}

static void end_mempool(uint64_t operations)
{
	struct mempool_stat stat;

	mempool_stat(pool, &stat);
	CHECK(live == stat.curr_nr, "%ld elements, %d in reserve", live, stat.curr_nr);
	CHECK(operations < 20000 || stat.waits, "nobody ever waited");
	CHECK(stat.longest_wait_ns < 4500000000u, "somebody waited for the poll");
	printf("%lu from the reserve, %lu waits, longest %lu us", stat.reserve_hits, stat.waits, stat.longest_wait_ns / 1000);
	mempool_destroy(pool);
	CHECK(!live, "%ld elements are missing", live);
}

/* ---- genpool ---- */

static struct gen_pool *range;
static uint8_t memory[RANGE] __attribute__((aligned(64)));

struct piece {
	unsigned long addr;
	size_t size;
};

static void set_up_genpool(void)
{
	range = gen_pool_create(5, -1);
	CHECK(range && !gen_pool_add(range, (unsigned long)memory, RANGE / 2, -1), "setup");
	CHECK(!gen_pool_add(range, (unsigned long)memory + RANGE / 2, RANGE / 2, -1), "setup");
}

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
	p->size = 1 + random_next(seed) % 1000;
	p->addr = gen_pool_alloc_algo(range, p->size, algo[random_next(seed) % 4], NULL);
	if (p->addr)
		mark((void *)p->addr, p->size, me);
}

static void work_genpool(uint64_t operations, uint64_t seed, uint8_t me)
{
	struct piece held[HELD] = { { 0, 0 } };
	uint64_t i;

	for (i = 0; i < operations; i++)
		use_genpool(&seed, me, &held[random_next(&seed) % HELD]);
	for (i = 0; i < HELD; i++)
		if (held[i].addr)
			use_genpool(&seed, me, &held[i]);
}

static void end_genpool(uint64_t operations)
{
	struct gen_pool_stat stat;

	(void)operations;
	gen_pool_stat(range, &stat);
	CHECK(stat.avail == RANGE, "%zu bytes are missing", RANGE - stat.avail);
	CHECK(stat.allocs == stat.frees && stat.free_runs == 2, "%lu allocs, %lu frees, %zu free runs", stat.allocs,
	      stat.frees, stat.free_runs);
	printf("%lu pieces, %lu times no room", stat.allocs, stat.failures);
	CHECK(!gen_pool_destroy(range), "the end");
}

/* ---- mp_pool ---- */

static struct mp_pool *shared;
static pthread_mutex_t shared_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t regions;

static void count_down(void *count)
{
	--*(int *)count;
}

/* A region as a request has it: made, filled, perhaps reset and filled again, destroyed. */
static uint64_t use_region(uint64_t *seed, uint8_t me)
{
	struct mp_pool *own = mp_create_pool(512 + random_next(seed) % 4096);
	struct piece held[HELD];
	uint64_t done = 0;
	int rounds = 1 + (int)random_next(seed) % 3, handlers = rounds, i;

	CHECK(own, "no memory");
	while (rounds--) {
		CHECK(!mp_cleanup_add(own, count_down, &handlers), "no memory");
		for (i = 0; i < HELD; i++, done++) {
			held[i].size = 1 + random_next(seed) % (i % 16 ? 200 : 6000);
			held[i].addr = (unsigned long)(i % 2 ? mp_alloc(own, held[i].size) : mp_nalloc(own, held[i].size));
			mark((void *)held[i].addr, held[i].size, me);
		}
		for (i = 0; i < HELD; i++) {
			check((void *)held[i].addr, held[i].size, me);
			done += mp_free(own, (void *)held[i].addr);
		}
		if (rounds)
			mp_reset_pool(own);
	}
	mp_destroy_pool(own);
	CHECK(!handlers, "%d handlers were not called", handlers);
	__atomic_fetch_add(&regions, 1, __ATOMIC_RELAXED);
	return done;
}

static void use_shared_region(uint64_t *seed, uint8_t me)
{
	size_t size = 1 + random_next(seed) % 500;
	void *p;

	pthread_mutex_lock(&shared_lock);
	p = mp_alloc(shared, size);
	mark(p, size, me);
	check(p, size, me);
	if (random_next(seed) % 50 == 0)
		mp_reset_pool(shared);
	pthread_mutex_unlock(&shared_lock);
}

static void set_up_region(void)
{
	shared = mp_create_pool(2000);
	CHECK(shared, "setup");
}

static void work_region(uint64_t operations, uint64_t seed, uint8_t me)
{
	uint64_t done = 0;

	while (done < operations) {
		done += use_region(&seed, me) + 1;
		use_shared_region(&seed, me);
	}
}

static void end_region(uint64_t operations)
{
	struct mp_stats stats;

	(void)operations;
	mp_stats(shared, &stats);
	CHECK(stats.allocation_count == regions && !stats.failed_count, "%lu pieces, %lu failures", stats.allocation_count,
	      stats.failed_count);
	printf("%lu pools; the one that all use: %lu bytes in %u nodes, %lu resets", regions, stats.total_allocated,
	       stats.nodes, stats.resets);
	mp_destroy_pool(shared);
}

/* ---- per-CPU memory ---- */

static struct counters {
	uint64_t done;
	uint32_t up, down;
	int16_t sum;
	uint8_t bits;
} *counters;

static void set_up_percpu(void)
{
	counters = alloc_percpu(struct counters);
	CHECK(counters, "setup");
}

static void use_area(uint64_t *seed)
{
	unsigned int words = 1 + random_next(seed) % 300, cpu;
	uint64_t *area = __alloc_percpu(words * sizeof(*area), 1u << random_next(seed) % 8), sum = 0;

	CHECK(area, "no memory");
	this_cpu_add(area[0], 5);
	this_cpu_write(area[words - 1], this_cpu_read(area[words - 1]) + (words > 1));
	for_each_possible_cpu(cpu)
		sum += per_cpu_ptr(area, cpu)[0];
	CHECK(sum == 5, "%lu instead of 5: it was not cleared", sum);
	free_percpu(area);
}

static void work_percpu(uint64_t operations, uint64_t seed, uint8_t me)
{
	uint64_t i;

	for (i = 0; i < operations; i += 8) {
		this_cpu_inc(counters->done);
		this_cpu_add(counters->up, i & 0xff);
		this_cpu_add(counters->sum, 7);
		this_cpu_or(counters->bits, 1u << me % 8);
		this_cpu_sub(counters->sum, 7);
		this_cpu_sub(counters->up, i & 0xff);
		this_cpu_dec(counters->down);
		(void)this_cpu_inc_return(counters->down);
		if (i % 512 == 0)
			use_area(&seed);
	}
}

static void end_percpu(uint64_t operations)
{
	struct counters sum = { 0 };
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		const struct counters *c = per_cpu_ptr(counters, cpu);

		sum.done += c->done;
		sum.up += c->up;
		sum.down += c->down;
		sum.sum = (int16_t)(sum.sum + c->sum);
		sum.bits |= c->bits;
	}
	CHECK(sum.done == (operations + 7) / 8 * THREADS, "%lu counted", sum.done);
	CHECK(!sum.up && !sum.down && !sum.sum && sum.bits == 0xff, "%u %u %d %x", sum.up, sum.down, sum.sum, sum.bits);
	printf("%lu times eight counts on %u CPUs", sum.done, num_possible_cpus());
	free_percpu(counters);
}

/* ---- all of them ---- */

static const struct kind {
	const char *name;
	void (*set_up)(void);
	void (*work)(uint64_t operations, uint64_t seed, uint8_t me);
	void (*end)(uint64_t operations);
} kinds[] = {
	{ "mempool", set_up_mempool, work_mempool, end_mempool },
	{ "genpool", set_up_genpool, work_genpool, end_genpool },
	{ "mp_pool", set_up_region, work_region, end_region },
	{ "percpu", set_up_percpu, work_percpu, end_percpu },
};

static const struct kind *kind;
static uint64_t each; /* operations of a thread */

static void *work(void *arg)
{
	uint8_t me = (uint8_t)((uintptr_t)arg + 1);

	kind->work(each, me, me);
	return NULL;
}

static void run(uint64_t operations)
{
	uint64_t start_ns = os_now_ns();
	pthread_t thread[THREADS];
	uintptr_t i;

	each = operations / THREADS + 1;
	kind->set_up();
	for (i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&thread[i], NULL, work, (void *)i), "thread");
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	printf("pools: %s: %lu operations in %.1f s: ", kind->name, each * THREADS, (double)(os_now_ns() - start_ns) / 1e9);
	kind->end(each);
	putchar('\n');
	fflush(stdout);
}

int main(int argc, char **argv)
{
	uint64_t nr = operations(argc, argv, 1e6);
	bool found = false;

	for (kind = kinds; kind < kinds + sizeof(kinds) / sizeof(*kinds); kind++) {
		if (argc > 2 && strcmp(argv[2], kind->name))
			continue;
		found = true;
		run(nr);
	}
	CHECK(found, "no kind of pool is called %s", argv[2]);
	return 0;
}
