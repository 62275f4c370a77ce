/* SPDX-License-Identifier: BSD-2-Clause */
/* A cache destroyed with two live objects: both listed, and their number returned. */
#include "misuse.h"

int main(void)
{
	struct kmem_cache *s = cache("leaky", 64);
	void *a = kmem_cache_alloc(s, GFP_KERNEL), *b = kmem_cache_alloc(s, GFP_KERNEL);

	if (!a || !b || kmem_cache_destroy(s) != 2)
		return 9;
	return 0;
}
