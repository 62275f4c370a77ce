// SPDX-License-Identifier: BSD-2-Clause
/* The oracle's calls, as calls of the kernel's genpool. */
#include KERNEL_GENALLOC
#include "genalloc.h"

static const genpool_algo_t algos[NR_ALGOS] = {
	[FIRST_FIT] = kernel_pool_first_fit,
	[FIRST_FIT_ALIGN] = kernel_pool_first_fit_align,
	[FIRST_FIT_ORDER_ALIGN] = kernel_pool_first_fit_order_align,
	[BEST_FIT] = kernel_pool_best_fit,
	[FIXED] = kernel_pool_fixed_alloc,
};

void *oracle_create(int order)
{
	return kernel_pool_create(order, -1);
}

int oracle_add(void *pool, unsigned long addr, uint64_t phys, size_t size, void *owner)
{
	return kernel_pool_add_owner(pool, addr, phys, size, -1, owner);
}

unsigned long oracle_alloc(void *pool, size_t size, enum algo algo, void *data, void **owner)
{
	return kernel_pool_alloc_algo_owner(pool, size, algos[algo], data, owner);
}

void oracle_free(void *pool, unsigned long addr, size_t size, void **owner)
{
	kernel_pool_free_owner(pool, addr, size, owner);
}

size_t oracle_avail(void *pool)
{
	return kernel_pool_avail(pool);
}

size_t oracle_size(void *pool)
{
	return kernel_pool_size(pool);
}

bool oracle_has_addr(void *pool, unsigned long addr, size_t size)
{
	return kernel_pool_has_addr(pool, addr, size);
}

uint64_t oracle_phys(void *pool, unsigned long addr)
{
	return kernel_pool_virt_to_phys(pool, addr);
}

void oracle_destroy(void *pool)
{
	kernel_pool_destroy(pool);
}
