/* SPDX-License-Identifier: BSD-2-Clause */
/* A mempool destroyed in the middle of being resized: here by the allocator below, elsewhere by another thread. */
#include <kmem/mempool.h>

#include "misuse.h"

static mempool_t *pool;

static void *allocate(gfp_t gfp, void *data)
{
	mempool_t *mine = pool;

	pool = NULL;
	mempool_destroy(mine);
	return mempool_kmalloc(gfp, data);
}

int main(void)
{
	mempool_t *made = mempool_create(1, allocate, mempool_kfree, (void *)64);

	pool = made;
	return mempool_resize(made, 3);
}
