/* SPDX-License-Identifier: BSD-2-Clause */
/* A mempool destroyed while somebody has two elements of its reserve: they stay valid. */
#include <kmem/mempool.h>

#include "misuse.h"

int main(void)
{
	mempool_t *pool = mempool_create_kmalloc_pool(4, 64);
	void *a = mempool_alloc_preallocated(pool), *b = mempool_alloc_preallocated(pool);

	mempool_destroy(pool);
	kfree(a);
	kfree(b);
	return 0;
}
