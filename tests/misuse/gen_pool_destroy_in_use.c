/* SPDX-License-Identifier: BSD-2-Clause */
/* A genpool destroyed while memory of it is handed out. */
#include <kmem/genalloc.h>

#include "misuse.h"

int main(void)
{
	struct gen_pool *pool = gen_pool_create(4, -1);

	if (gen_pool_add(pool, 0x10000, 0x1000, -1) || !gen_pool_alloc(pool, 100))
		return 1;
	gen_pool_destroy(pool);
	return 0;
}
