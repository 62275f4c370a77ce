/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory of nobody given to a full mempool: the allocator below finds it. */
#include <kmem/mempool.h>

#include "misuse.h"

int main(void)
{
	mempool_t *pool = mempool_create_kmalloc_pool(1, 64);
	int local;

	mempool_free(again(&local), pool);
	return 0;
}
