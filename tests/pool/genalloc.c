/* SPDX-License-Identifier: BSD-2-Clause */
/* Genpools: chunks, every way to allocate and free, misuse, fragmentation, threads. */
#include "support.h"

#include <errno.h>
#include <pthread.h>

#include <kmem/genalloc.h>

#include "base/trace.h"
#include "pool/table.h"

#define BASE  0x100000ul
#define CHUNK 0x1000ul

static struct gen_pool *make(int order)
{
	struct gen_pool *pool = gen_pool_create(order, -1);

	cr_assert_not_null(pool);
	cr_assert_eq(gen_pool_add(pool, BASE, CHUNK, -1), 0);
	return pool;
}

static struct gen_pool_stat stat_of(struct gen_pool *pool)
{
	struct gen_pool_stat stat;

	gen_pool_stat(pool, &stat);
	return stat;
}

static void *hidden(const void *p)
{
	void *forgotten;

	__asm__("" : "=r"(forgotten) : "0"(p) : "memory");
	return forgotten;
}

Test(genalloc, sizes_are_rounded_up_to_granules)
{
	struct gen_pool *pool = make(5);

	cr_expect_eq(gen_pool_size(pool), CHUNK);
	cr_expect_eq(gen_pool_alloc(pool, 0), 0);
	cr_expect_eq(gen_pool_alloc(pool, 1), BASE);
	cr_expect_eq(gen_pool_alloc(pool, 32), BASE + 32);
	cr_expect_eq(gen_pool_alloc(pool, 33), BASE + 64);
	cr_expect_eq(gen_pool_avail(pool), CHUNK - 128);
	gen_pool_free(pool, BASE, 17);
	cr_expect_eq(gen_pool_avail(pool), CHUNK - 96);
	gen_pool_free(pool, BASE + 32, 1);
	gen_pool_free(pool, BASE + 64, 64);
	cr_expect_eq(gen_pool_avail(pool), CHUNK);
	cr_expect_eq(gen_pool_destroy(pool), 0);
}

Test(genalloc, a_pool_is_used_up_to_the_last_granule_and_then_fails)
{
	struct gen_pool *pool = make(4);
	unsigned long i;

	for (i = 0; i < CHUNK / 16; i++)
		cr_assert_eq(gen_pool_alloc(pool, 16), BASE + i * 16);
	cr_expect_eq(gen_pool_alloc(pool, 1), 0);
	cr_expect_eq(gen_pool_avail(pool), 0);
	cr_expect_eq(stat_of(pool).failures, 1);
	gen_pool_free(pool, BASE, CHUNK);
	cr_expect_eq(gen_pool_alloc(pool, CHUNK), BASE);
	gen_pool_free(pool, BASE, CHUNK);
	cr_expect_eq(gen_pool_alloc(pool, CHUNK + 1), 0);
	cr_expect_eq(gen_pool_alloc(pool, SIZE_MAX), 0);
	cr_expect_eq(gen_pool_destroy(pool), 0);
}

Test(genalloc, chunks_are_searched_newest_first)
{
	struct gen_pool *pool = make(4);
	int a, b;
	void *owner;

	cr_assert_eq(gen_pool_add_owner(pool, 0x900000, 0x5000, CHUNK, -1, &a), 0);
	cr_assert_eq(gen_pool_add_owner(pool, 0x500000, 0x7000, 64, -1, &b), 0);
	cr_expect_eq(gen_pool_size(pool), 2 * CHUNK + 64);
	cr_expect_eq(gen_pool_alloc_owner(pool, 48, &owner), 0x500000);
	cr_expect_eq(owner, &b);
	cr_expect_eq(gen_pool_alloc_owner(pool, 32, &owner), 0x900000, "the newest has no room for it");
	cr_expect_eq(owner, &a);
	cr_expect_eq(gen_pool_alloc_algo_owner(pool, CHUNK, gen_pool_first_fit, NULL, &owner), BASE);
	cr_expect_null(owner);
	owner = &a;
	cr_expect_eq(gen_pool_alloc_owner(pool, CHUNK, &owner), 0);
	cr_expect_null(owner);
	gen_pool_free_owner(pool, 0x500000, 48, &owner);
	cr_expect_eq(owner, &b);
	gen_pool_free_owner(pool, 0x900000, 32, &owner);
	cr_expect_eq(owner, &a);
	gen_pool_free(pool, BASE, CHUNK);
	cr_expect_eq(gen_pool_destroy(pool), 0);
}

Test(genalloc, a_rest_smaller_than_a_granule_is_not_used)
{
	struct gen_pool *pool = gen_pool_create(6, 0);

	cr_assert_eq(gen_pool_add(pool, BASE, 150, -1), 0);
	cr_expect_eq(gen_pool_alloc(pool, 128), BASE);
	cr_expect_eq(gen_pool_avail(pool), 22);
	cr_expect_eq(gen_pool_alloc(pool, 1), 0);
	gen_pool_free(pool, BASE, 128);
	cr_expect_eq(gen_pool_destroy(pool), 0);
}

Test(genalloc, the_pool_s_algorithm_can_be_changed)
{
	struct gen_pool *pool = make(4);
	struct genpool_data_align align = { 256 };
	struct genpool_data_fixed fixed = { 0x800 };

	gen_pool_set_algo(pool, gen_pool_first_fit_align, &align);
	cr_expect_eq(gen_pool_alloc(pool, 16), BASE);
	cr_expect_eq(gen_pool_alloc(pool, 16), BASE + 256);
	gen_pool_set_algo(pool, NULL, NULL);
	cr_expect_eq(gen_pool_alloc(pool, 16), BASE + 16);
	cr_expect_eq(gen_pool_alloc_algo(pool, 32, gen_pool_fixed_alloc, &fixed), BASE + 0x800);
	cr_expect_eq(gen_pool_alloc_algo(pool, 32, gen_pool_fixed_alloc, &fixed), 0);
	cr_expect_eq(gen_pool_alloc_algo(pool, 16, gen_pool_worst_fit, NULL), BASE + 0x820, "the largest is at the end");
	cr_expect_eq(gen_pool_alloc_algo(pool, 48, gen_pool_best_fit, NULL), BASE + 32);
}

Test(genalloc, dma_variants)
{
	static uint8_t memory[4096] __attribute__((aligned(4096)));
	struct gen_pool *pool = gen_pool_create(4, -1);
	dma_addr_t dma;
	uint8_t *p;

	cr_assert_eq(gen_pool_add_virt(pool, (unsigned long)memory, 0xd000, sizeof(memory), -1), 0);
	memset(memory, 7, sizeof(memory));
	cr_expect_eq((p = gen_pool_dma_alloc(pool, 100, &dma)), memory);
	cr_expect_eq(dma, 0xd000);
	cr_expect(all_bytes(p, 100, 7));
	cr_expect_eq((p = gen_pool_dma_zalloc(pool, 100, &dma)), memory + 112);
	cr_expect_eq(dma, 0xd000 + 112);
	cr_expect(all_bytes(p, 100, 0));
	cr_expect_eq((p = gen_pool_dma_alloc_align(pool, 10, &dma, 512)), memory + 512);
	cr_expect(all_bytes(p, 10, 7));
	cr_expect_eq((p = gen_pool_dma_zalloc_align(pool, 10, NULL, 512)), memory + 1024);
	cr_expect(all_bytes(p, 10, 0));
	cr_expect_eq(p[10], 7);
	cr_expect_eq((p = gen_pool_dma_alloc_algo(pool, 8, &dma, gen_pool_worst_fit, NULL)), memory + 1040);
	cr_expect_eq((p = gen_pool_dma_zalloc_algo(pool, 8, &dma, gen_pool_first_fit, NULL)), memory + 224);
	cr_expect(all_bytes(p, 8, 0));
	cr_expect_null(gen_pool_dma_alloc(pool, 5000, &dma));
	cr_expect_null(gen_pool_dma_alloc(NULL, 1, &dma));
	cr_expect_null(gen_pool_dma_zalloc_align(NULL, 1, &dma, 8));
}

Test(genalloc, addresses_are_known)
{
	struct gen_pool *pool = make(4);

	cr_assert_eq(gen_pool_add_virt(pool, 0x900000, 0x5000, CHUNK, -1), 0);
	cr_expect_eq(gen_pool_virt_to_phys(pool, 0x900010), 0x5010);
	cr_expect_eq(gen_pool_virt_to_phys(pool, BASE + 16), (phys_addr_t)-1, "its chunk has none");
	cr_expect_eq(gen_pool_virt_to_phys(pool, 0x1000), (phys_addr_t)-1);
	cr_expect(gen_pool_has_addr(pool, BASE, CHUNK));
	cr_expect(gen_pool_has_addr(pool, BASE + CHUNK - 1, 1));
	cr_expect_not(gen_pool_has_addr(pool, BASE + CHUNK - 1, 2));
	cr_expect_not(gen_pool_has_addr(pool, BASE - 1, 2));
	cr_expect_not(gen_pool_has_addr(pool, BASE + 1, SIZE_MAX));
	cr_expect(addr_in_gen_pool(pool, 0x900000, 1));
}

static void note_chunk(struct gen_pool *pool, struct gen_pool_chunk *chunk, void *data)
{
	unsigned long **at = data;

	cr_expect_not_null(pool);
	*(*at)++ = chunk->start_addr;
}

Test(genalloc, for_each_chunk_goes_from_new_to_old)
{
	struct gen_pool *pool = make(4);
	unsigned long seen[3] = { 0 }, *at = seen;

	cr_assert_eq(gen_pool_add(pool, 0x900000, CHUNK, -1), 0);
	gen_pool_for_each_chunk(pool, note_chunk, &at);
	cr_expect_eq(seen[0], 0x900000);
	cr_expect_eq(seen[1], BASE);
	cr_expect_eq(seen[2], 0);
}

Test(genalloc, what_is_refused)
{
	struct gen_pool *pool = make(4);

	capture_start();
	cr_expect_null(gen_pool_create(-1, -1));
	cr_expect_null(gen_pool_create(64, -1));
	cr_expect_eq(gen_pool_add(pool, 0, 100, -1), -EINVAL);
	cr_expect_eq(gen_pool_add(pool, BASE, 0, -1), -EINVAL);
	cr_expect_eq(gen_pool_add(pool, ~0ul - 10, 100, -1), -EINVAL);
	cr_expect_str_eq(capture_end(), "kmem: gen_pool_create(-1): the order of the granule must be 0-63\n"
		"kmem: gen_pool_create(64): the order of the granule must be 0-63\n"
		"kmem: gen_pool_add(genpool-0, 0x0, 100): address 0 means failure\n"
		"kmem: gen_pool_add(genpool-0, 0x100000, 0): it is empty\n"
		"kmem: gen_pool_add(genpool-0, 0xfffffffffffffff5, 100): it wraps around\n");
	cr_expect_eq(gen_pool_add(pool, ~0ul - 0xfff, 0x1000, -1), 0, "up to the last address");
}

/* ---- misuse ---- */

static void expect_refused(struct gen_pool *pool, unsigned long addr, size_t size, const char *why)
{
	char want[200];
	size_t avail = gen_pool_avail(pool);

	snprintf(want, sizeof(want), "kmem: BUG genpool genpool-0: gen_pool_free(%p, %zu): %s; it was left alone\n",
		 (void *)addr, size, why);
	cr_expect_eq(gen_pool_try_free(pool, addr, size), -EINVAL);
	capture_start();
	gen_pool_free(pool, addr, size);
	cr_expect_str_eq(capture_end(), want);
	cr_expect_eq(gen_pool_avail(pool), avail);
}

Test(genalloc, wrong_frees_are_reported_and_change_nothing)
{
	struct gen_pool *pool = make(4);

	gen_pool_set_misuse(pool, GEN_POOL_REPORT);
	cr_expect_eq(gen_pool_alloc(pool, 64), BASE);
	expect_refused(pool, 0x1000, 16, "it lies in no chunk");
	expect_refused(pool, 0x1000, 0, "it lies in no chunk");
	expect_refused(pool, BASE + CHUNK - 16, 32, "it goes beyond the end of its chunk");
	expect_refused(pool, BASE + 1, 16, "it does not start at a granule");
	expect_refused(pool, BASE + 64, 16, "some of it is not allocated");
	expect_refused(pool, BASE, 80, "some of it is not allocated");
	gen_pool_free(pool, BASE, 0);
	cr_expect_eq(gen_pool_try_free(pool, BASE, 64), 0);
	expect_refused(pool, BASE, 64, "some of it is not allocated");
	cr_expect_eq(gen_pool_destroy(pool), 0);
}

Test(genalloc, a_wrong_free_is_a_bug_unless_told_otherwise, .signal = SIGABRT)
{
	gen_pool_free(make(4), BASE, 16);
}

Test(genalloc, a_pool_in_use_is_not_destroyed)
{
	struct gen_pool *pool = make(4);

	gen_pool_set_misuse(pool, GEN_POOL_REPORT);
	cr_expect_eq(gen_pool_alloc(pool, 20), BASE);
	capture_start();
	cr_expect_eq(gen_pool_destroy(pool), 32);
	cr_expect_str_eq(capture_end(), "kmem: BUG genpool genpool-0: destroyed with 32 bytes handed out; the pool is kept\n");
	cr_expect_eq(pool->live->state, KMEM_POOL_DEAD);
	cr_expect_eq(gen_pool_destroy(NULL), 0);
}

Test(genalloc, destroying_a_pool_in_use_is_a_bug_unless_told_otherwise, .signal = SIGABRT)
{
	struct gen_pool *pool = make(4);

	cr_assert_eq(gen_pool_alloc(pool, 20), BASE);
	(void)gen_pool_destroy(pool);
}

Test(genalloc, a_pool_destroyed_twice_is_a_bug, .signal = SIGABRT)
{
	struct gen_pool *pool = make(4), *again = hidden(pool);

	gen_pool_destroy(pool);
	gen_pool_destroy(again);
}

/* ---- what the kernel lacks ---- */

Test(genalloc, fragmentation_is_what_lies_outside_the_largest_run)
{
	struct gen_pool *pool = make(4); /* 256 granules */
	struct gen_pool_stat stat;
	unsigned long i;

	stat = stat_of(pool);
	cr_expect_eq(stat.fragmentation, 0);
	cr_expect_eq(stat.free_runs, 1);
	cr_expect_eq(stat.largest_free, CHUNK);
	cr_expect_eq(gen_pool_unusable(pool, CHUNK), 0);
	cr_expect_eq(gen_pool_alloc(pool, CHUNK), BASE);
	stat = stat_of(pool);
	cr_expect_eq(stat.fragmentation, 0, "nothing free, nothing fragmented");
	cr_expect_eq(stat.free_runs, 0);
	for (i = 0; i < 256; i += 2)
		gen_pool_free(pool, BASE + i * 16, 16);
	stat = stat_of(pool);
	cr_expect_eq(stat.free_runs, 128);
	cr_expect_eq(stat.largest_free, 16);
	cr_expect_eq(stat.fragmentation, 992, "127 of 128");
	cr_expect_eq(stat.allocs, 1);
	cr_expect_eq(stat.frees, 128);
	cr_expect_eq(stat.chunks, 1);
	cr_expect_eq(gen_pool_unusable(pool, 16), 0);
	cr_expect_eq(gen_pool_unusable(pool, 17), 1000);
	for (i = 1; i < 9; i += 2)
		gen_pool_free(pool, BASE + i * 16, 16);
	/* One run of 9 and 123 of 1: in pairs, 8 of 132 can be used. */
	cr_expect_eq(gen_pool_unusable(pool, 32), 124 * 1000 / 132);
}

Test(genalloc, a_live_pool_is_in_the_table)
{
	struct gen_pool *pool = make(4);
	const struct kmem_genpool *g = table_genpool(0);
	const struct kmem_genpool_chunk *chunk = (const void *)(uintptr_t)g->chunks;

	cr_expect_eq(g, pool->live);
	cr_expect_eq(g->state, KMEM_POOL_LIVE);
	cr_expect_eq(g->pool, (uintptr_t)pool);
	cr_expect_eq(g->size, CHUNK);
	cr_expect_eq(g->nr_chunks, 1);
	cr_assert_eq(gen_pool_alloc(pool, 40), BASE);
	cr_expect_eq(chunk->start_addr, BASE);
	cr_expect_eq(chunk->end_addr, BASE + CHUNK - 1);
	cr_expect_eq(chunk->avail, (int64_t)CHUNK - 48);
	cr_expect_eq(chunk->bits[0], 7);
	gen_pool_set_name(pool, "scratch");
	cr_expect_str_eq(g->name, "scratch");
	cr_expect_str_eq(pool->name, "scratch");
	gen_pool_free(pool, BASE, 48);
	cr_expect_eq(gen_pool_destroy(pool), 0);
	cr_expect_eq(g->state, KMEM_POOL_FREE);
}

/* ---- threads ---- */

enum { THREADS = 8, HELD = 20, ROUNDS = 20000 };

static struct gen_pool *shared;
static uint8_t owner_of[64 << 10]; /* by granule of 16 bytes */

static void claim(unsigned long addr, size_t size, uint8_t from, uint8_t to)
{
	unsigned long i, first = (addr - BASE) / 16;

	for (i = first; i < first + (size + 15) / 16; i++)
		if (__atomic_exchange_n(&owner_of[i], to, __ATOMIC_RELAXED) != from)
			abort();
}

static void *churn(void *arg)
{
	static genpool_algo_t const algo[] = { gen_pool_first_fit, gen_pool_best_fit, gen_pool_worst_fit,
					       gen_pool_first_fit_order_align };
	uint8_t me = (uint8_t)((uintptr_t)arg + 1);
	unsigned long held[HELD] = { 0 };
	size_t size[HELD];
	uint64_t seed = me;
	unsigned int i;

	for (i = 0; i < ROUNDS + HELD; i++) {
		unsigned int at = i < ROUNDS ? random_next(&seed) % HELD : i - ROUNDS;

		if (held[at]) {
			claim(held[at], size[at], me, 0);
			gen_pool_free(shared, held[at], size[at]);
			held[at] = 0;
		} else if (i < ROUNDS) {
			size[at] = 1 + random_next(&seed) % 3000;
			held[at] = gen_pool_alloc_algo(shared, size[at], algo[random_next(&seed) % 4], NULL);
			if (held[at])
				claim(held[at], size[at], 0, me);
		}
	}
	return NULL;
}

Test(genalloc, threads_never_get_the_same_memory, .timeout = 100)
{
	pthread_t thread[THREADS];
	uintptr_t i;

	shared = gen_pool_create(4, -1);
	cr_assert_eq(gen_pool_add(shared, BASE, 100 << 10, -1), 0);
	cr_assert_eq(gen_pool_add(shared, BASE + (200 << 10), 50 << 10, -1), 0);
	for (i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, churn, (void *)i);
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	cr_expect_eq(gen_pool_avail(shared), 150 << 10);
	cr_expect_eq(stat_of(shared).allocs, stat_of(shared).frees);
	cr_expect_gt(stat_of(shared).allocs, 1000);
	cr_expect_eq(stat_of(shared).free_runs, 2);
	cr_expect_eq(gen_pool_destroy(shared), 0);
}

Test(genalloc, events_do_not_change_what_happens)
{
	struct gen_pool *pool = make(4);

	trace_watch(true);
	cr_expect_eq(gen_pool_alloc(pool, 16), BASE);
	cr_expect_eq(gen_pool_alloc(pool, CHUNK), 0);
	gen_pool_free(pool, BASE, 16);
	trace_watch(false);
	cr_expect_eq(gen_pool_destroy(pool), 0);
}
