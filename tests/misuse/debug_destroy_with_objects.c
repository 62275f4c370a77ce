/* SPDX-License-Identifier: BSD-2-Clause */
/* A debugged cache destroyed with a live object: who allocated it is told. */
#include "misuse.h"

int main(void)
{
	struct kmem_cache *s = cache("leaky", 64);

	if (!kmem_cache_alloc(s, GFP_KERNEL) || kmem_cache_destroy(s) != 1)
		return 9;
	return 0;
}
