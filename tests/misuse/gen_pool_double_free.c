/* SPDX-License-Identifier: BSD-2-Clause */
/* A piece of a genpool freed twice. */
#include <kmem/genalloc.h>

#include "misuse.h"

int main(void)
{
	struct gen_pool *pool = gen_pool_create(4, -1);
	unsigned long addr;

	if (gen_pool_add(pool, 0x10000, 0x1000, -1))
		return 1;
	addr = gen_pool_alloc(pool, 100);
	gen_pool_free(pool, addr, 100);
	gen_pool_free(pool, addr, 100);
	return 0;
}
