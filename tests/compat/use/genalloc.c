// SPDX-License-Identifier: BSD-2-Clause
/* Kernel code that uses linux/genalloc.h, as drivers deal out on-chip memory. */
#include <linux/genalloc.h>
#include <string.h>

static char sram[8192] __attribute__((aligned(64)));

static void count(struct gen_pool *pool, struct gen_pool_chunk *chunk, void *data)
{
	if (addr_in_gen_pool(pool, chunk->start_addr, 1))
		*(size_t *)data += chunk->end_addr - chunk->start_addr + 1;
}

int main(void)
{
	struct gen_pool *pool = gen_pool_create(5, -1);
	struct genpool_data_fixed fixed = { .offset = 4096 };
	unsigned long addr;
	dma_addr_t dma;
	size_t size = 0;
	char *p;

	if (!pool || gen_pool_add_virt(pool, (unsigned long)sram, 0x40000000, sizeof(sram), -1))
		return 1;
	gen_pool_set_algo(pool, gen_pool_best_fit, NULL);
	p = gen_pool_dma_zalloc(pool, 100, &dma);
	if (p != sram || dma != 0x40000000 || gen_pool_virt_to_phys(pool, (unsigned long)p + 5) != 0x40000005)
		return 2;
	memset(p, 1, 100);
	addr = gen_pool_alloc_algo(pool, 64, gen_pool_fixed_alloc, &fixed);
	if (addr != (unsigned long)sram + 4096 || !gen_pool_has_addr(pool, addr, 64))
		return 3;
	gen_pool_for_each_chunk(pool, count, &size);
	if (size != gen_pool_size(pool))
		return 4;
	gen_pool_free(pool, addr, 64);
	gen_pool_free(pool, (unsigned long)p, 100);
	gen_pool_destroy(pool);
	return 0;
}
