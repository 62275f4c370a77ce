/* SPDX-License-Identifier: BSD-2-Clause */
/* genalgo.c - where in a chunk a genpool takes its granules from: the algorithms of kmem/genalloc.h. */
#include <kmem/genalloc.h>

#include "base/report.h"
#include "pool/bits.h"

KMEM_API unsigned long gen_pool_first_fit(unsigned long *map, unsigned long size, unsigned long start,
	unsigned int nr, void *data, struct gen_pool *pool, unsigned long start_addr)
{
	(void)data;
	(void)pool;
	(void)start_addr;
	return bits_find_clear(map, size, start, nr, 0, 0);
}

KMEM_API unsigned long gen_pool_first_fit_align(unsigned long *map, unsigned long size, unsigned long start,
	unsigned int nr, void *data, struct gen_pool *pool, unsigned long start_addr)
{
	const struct genpool_data_align *want = data;
	unsigned long align = (unsigned long)want->align, granule = 1UL << pool->min_alloc_order;

	if (want->align <= 0 || !is_pow2(align)) {
		report("genpool %s: alignment %d is no power of two", pool->name, want->align);
		return size;
	}
	return bits_find_clear(map, size, start, nr, (MAX(align, granule) >> pool->min_alloc_order) - 1,
			       (start_addr & (align - 1)) >> pool->min_alloc_order);
}

KMEM_API unsigned long gen_pool_first_fit_order_align(unsigned long *map, unsigned long size, unsigned long start,
	unsigned int nr, void *data, struct gen_pool *pool, unsigned long start_addr)
{
	(void)data;
	(void)pool;
	(void)start_addr;
	return bits_find_clear(map, size, start, nr, roundup_pow2(nr) - 1, 0);
}

/* The run of free bits that is better than any other by `better`; the lowest of equals. */
static unsigned long pick_run(const unsigned long *map, unsigned long size, unsigned long start, unsigned int nr,
			      bool smallest)
{
	unsigned long at = start, best = size, best_len = 0;

	while ((at = bits_find_clear(map, size, at, nr, 0, 0)) < size) {
		unsigned long end = bits_next_set(map, size, at + nr), len = end - at;

		if (best == size || (smallest ? len < best_len : len > best_len)) {
			best = at;
			best_len = len;
			if (smallest && len == nr)
				break;
		}
		at = end + 1;
	}
	return best;
}

KMEM_API unsigned long gen_pool_best_fit(unsigned long *map, unsigned long size, unsigned long start,
	unsigned int nr, void *data, struct gen_pool *pool, unsigned long start_addr)
{
	(void)data;
	(void)pool;
	(void)start_addr;
	return pick_run(map, size, start, nr, true);
}

KMEM_API unsigned long gen_pool_worst_fit(unsigned long *map, unsigned long size, unsigned long start,
	unsigned int nr, void *data, struct gen_pool *pool, unsigned long start_addr)
{
	(void)data;
	(void)pool;
	(void)start_addr;
	return pick_run(map, size, start, nr, false);
}

KMEM_API unsigned long gen_pool_fixed_alloc(unsigned long *map, unsigned long size, unsigned long start,
	unsigned int nr, void *data, struct gen_pool *pool, unsigned long start_addr)
{
	const struct genpool_data_fixed *want = data;
	unsigned long at = want->offset >> pool->min_alloc_order;

	(void)start_addr;
	if (want->offset & ((1UL << pool->min_alloc_order) - 1)) {
		report("genpool %s: offset %lu is not a multiple of its granule of %lu bytes", pool->name, want->offset,
		       1UL << pool->min_alloc_order);
		return size;
	}
	/* After a collision the search goes on behind the place that is asked for: then there is none. */
	return bits_find_clear(map, size, start + at, nr, 0, 0) == at ? at : size;
}
