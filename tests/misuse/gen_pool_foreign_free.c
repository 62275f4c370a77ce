/* SPDX-License-Identifier: BSD-2-Clause */
/* An address that is in no chunk given to a genpool that was told to go on. */
#include <kmem/genalloc.h>

#include "misuse.h"

int main(void)
{
	struct gen_pool *pool = gen_pool_create(4, -1);
	int local;

	if (gen_pool_add(pool, 0x10000, 0x1000, -1))
		return 1;
	gen_pool_set_misuse(pool, GEN_POOL_REPORT);
	gen_pool_free(pool, (unsigned long)&local, sizeof(local));
	return (int)gen_pool_destroy(pool);
}
