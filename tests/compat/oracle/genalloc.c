// SPDX-License-Identifier: BSD-2-Clause
/*
 * The same operations on the kernel's genpool and on libkmem's, each algorithm
 * with a seed of its own: every address and every answer must be the same.
 * genalloc [OPERATIONS [SEED]]
 */
#include <kmem/genalloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "genalloc.h"

enum { HELD = 400, NR_CHUNKS = 3 };

static const genpool_algo_t algos[NR_ALGOS] = {
	[FIRST_FIT] = gen_pool_first_fit,
	[FIRST_FIT_ALIGN] = gen_pool_first_fit_align,
	[FIRST_FIT_ORDER_ALIGN] = gen_pool_first_fit_order_align,
	[BEST_FIT] = gen_pool_best_fit,
	[FIXED] = gen_pool_fixed_alloc,
};
static const char *const names[NR_ALGOS] = { "first_fit", "first_fit_align", "first_fit_order_align", "best_fit", "fixed" };

/* Of different sizes, at addresses aligned to granules only; the last ends with less than a granule. */
static const struct chunk {
	unsigned long addr;
	uint64_t phys;
	size_t size;
} chunks[NR_CHUNKS] = {
	{ 0x10000040, 0x80000000, 65536 },
	{ 0x30000000, 0x90000000, 4096 + 32 },
	{ 0x20000fe0, 0xa0000000, 40000 },
};

static struct {
	unsigned long addr;
	size_t size;
} held[HELD];

static uint64_t seed;
static unsigned long nr_done, nr_failed;

static uint32_t random_next(void)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(seed >> 33);
}

#define SAME(a, b)                                                                                      \
	do {                                                                                            \
		unsigned long ours = (unsigned long)(a), kernel = (unsigned long)(b);                   \
		if (ours != kernel) {                                                                   \
			printf("operation %lu: %s: %#lx, the kernel's %#lx\n", nr_done, #a, ours, kernel); \
			exit(1);                                                                        \
		}                                                                                       \
	} while (0)

static void alloc(struct gen_pool *pool, void *oracle, enum algo algo, unsigned int at)
{
	struct genpool_data_align align = { 1 << random_next() % 13 };
	struct genpool_data_fixed fixed = { (random_next() % 65536) & ~31ul };
	void *data = algo == FIXED ? (void *)&fixed : (void *)&align, *owner, *oracle_owner;
	/* Mostly small, some as large as a chunk, and now and then nothing. */
	size_t size = random_next() % (random_next() % 50 ? 700 : 70000);
	unsigned long addr = gen_pool_alloc_algo_owner(pool, size, algos[algo], data, &owner);

	SAME(addr, oracle_alloc(oracle, size, algo, data, &oracle_owner));
	SAME(owner, oracle_owner);
	nr_failed += !addr;
	held[at].addr = addr;
	held[at].size = size;
	if (!addr)
		return;
	SAME(gen_pool_virt_to_phys(pool, addr), oracle_phys(oracle, addr));
	size = random_next() % 10000;
	SAME(gen_pool_has_addr(pool, addr, size), oracle_has_addr(oracle, addr, size));
}

static void give_back(struct gen_pool *pool, void *oracle, unsigned int at)
{
	void *owner, *oracle_owner;

	gen_pool_free_owner(pool, held[at].addr, held[at].size, &owner);
	oracle_free(oracle, held[at].addr, held[at].size, &oracle_owner);
	SAME(owner, oracle_owner);
	held[at].addr = 0;
}

static void compare(enum algo algo, unsigned long operations)
{
	struct gen_pool *pool = gen_pool_create(5, -1);
	void *oracle = oracle_create(5);
	unsigned int i;

	for (i = 0; i < NR_CHUNKS; i++) {
		const struct chunk *c = &chunks[i];

		SAME(gen_pool_add_owner(pool, c->addr, c->phys, c->size, -1, (void *)c), 0);
		SAME(oracle_add(oracle, c->addr, c->phys, c->size, (void *)c), 0);
	}
	nr_failed = 0;
	for (nr_done = 0; nr_done < operations; nr_done++) {
		unsigned int at = random_next() % HELD;

		if (held[at].addr)
			give_back(pool, oracle, at);
		else
			alloc(pool, oracle, algo, at);
		SAME(gen_pool_avail(pool), oracle_avail(oracle));
	}
	SAME(gen_pool_size(pool), oracle_size(oracle));
	for (i = 0; i < HELD; i++)
		if (held[i].addr)
			give_back(pool, oracle, i);
	SAME(gen_pool_destroy(pool), 0);
	oracle_destroy(oracle);
	printf("leg %s: %lu operations, %lu without room, all the same\n", names[algo], operations, nr_failed);
}

int main(int argc, char **argv)
{
	unsigned long operations = argc > 1 ? strtoul(argv[1], NULL, 0) : 100000;
	unsigned int algo;

	for (algo = 0; algo < NR_ALGOS; algo++) {
		seed = (argc > 2 ? strtoul(argv[2], NULL, 0) : 1) * 100 + algo;
		compare((enum algo)algo, operations);
	}
	return 0;
}
