/* SPDX-License-Identifier: BSD-2-Clause */
/* An allocation from a region pool that was destroyed. */
#include <kmem/mp_pool.h>

#include "misuse.h"

int main(void)
{
	struct mp_pool *pool = mp_create_pool(1024), *same = again(pool);

	mp_destroy_pool(pool);
	return !mp_alloc(same, 10);
}
