/* SPDX-License-Identifier: BSD-2-Clause */
/* A mempool resized after its end. */
#include <kmem/mempool.h>

#include "misuse.h"

int main(void)
{
	mempool_t *pool = mempool_create_kmalloc_pool(1, 64), *same = again(pool);

	mempool_destroy(pool);
	return !mempool_resize(same, 3);
}
