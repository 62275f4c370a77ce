/* SPDX-License-Identifier: BSD-2-Clause */
/* An element given to a mempool twice, while its reserve is short: it would be handed out twice. */
#include <kmem/mempool.h>

#include "misuse.h"

int main(void)
{
	mempool_t *pool = mempool_create_kmalloc_pool(3, 64);
	void *a = mempool_alloc_preallocated(pool), *b = mempool_alloc_preallocated(pool);

	mempool_free(a, pool);
	mempool_free(again(a), pool);
	mempool_free(b, pool);
	mempool_destroy(pool);
	return 0;
}
