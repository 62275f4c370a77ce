/* SPDX-License-Identifier: BSD-2-Clause */
/* SLAB_PANIC: a cache that cannot be made ends the process. */
#include "misuse.h"

int main(void)
{
	if (!kmem_cache_create("victim", 0, 0, SLAB_PANIC, NULL))
		return 9;
	return 0;
}
