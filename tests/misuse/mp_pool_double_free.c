/* SPDX-License-Identifier: BSD-2-Clause */
/* A large block of a region pool freed twice, and the pool used on. */
#include <kmem/mp_pool.h>

#include "misuse.h"

int main(void)
{
	struct mp_pool *pool = mp_create_pool(1024);
	void *block = mp_alloc(pool, 10000);

	mp_free(pool, block);
	if (mp_free(pool, again(block)) || !mp_alloc(pool, 10000))
		return 1;
	mp_destroy_pool(pool);
	return 0;
}
