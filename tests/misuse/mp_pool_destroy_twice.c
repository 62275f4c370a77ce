/* SPDX-License-Identifier: BSD-2-Clause */
/* A region pool destroyed twice. */
#include <kmem/mp_pool.h>

#include "misuse.h"

int main(void)
{
	struct mp_pool *pool = mp_create_pool(1024), *same = again(pool);

	mp_destroy_pool(pool);
	mp_destroy_pool(same);
	return 0;
}
