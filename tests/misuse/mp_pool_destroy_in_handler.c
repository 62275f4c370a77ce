/* SPDX-License-Identifier: BSD-2-Clause */
/* A cleanup handler that destroys its pool: ignored. */
#include <kmem/mp_pool.h>

#include "misuse.h"

static void destroy(void *pool)
{
	mp_destroy_pool(pool);
}

int main(void)
{
	struct mp_pool *pool = mp_create_pool(1024);

	if (mp_cleanup_add(pool, destroy, pool))
		return 1;
	mp_destroy_pool(pool);
	return 0;
}
