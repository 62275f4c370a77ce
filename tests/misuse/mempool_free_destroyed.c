/* SPDX-License-Identifier: BSD-2-Clause */
/* An element given to a mempool that is gone. */
#include <kmem/mempool.h>

#include "misuse.h"

int main(void)
{
	mempool_t pool;
	void *element;

	if (mempool_init_kmalloc_pool(&pool, 1, 64))
		return 1;
	element = mempool_alloc(&pool, GFP_KERNEL);
	mempool_exit(&pool);
	mempool_exit(&pool); /* as in the kernel this does nothing */
	mempool_free(element, &pool);
	return 0;
}
