/* SPDX-License-Identifier: BSD-2-Clause */
/* A mempool resized to nothing: refused. */
#include <kmem/mempool.h>

#include "misuse.h"

int main(void)
{
	mempool_t *pool = mempool_create_kmalloc_pool(1, 64);

	return !mempool_resize(pool, 0);
}
