/* SPDX-License-Identifier: BSD-2-Clause */
/* An object freed twice with another free between: found when the per-CPU slot is flushed, and the second one dropped. */
#include "misuse.h"

int main(void)
{
	struct kmem_cache *s = cache("victim", 64);
	void *object = kmem_cache_alloc(s, GFP_KERNEL), *other = kmem_cache_alloc(s, GFP_KERNEL);

	kmem_cache_free(s, object);
	kmem_cache_free(s, other);
	kmem_cache_free(s, again(object));
	kmem_cache_shrink(s);
	return 0;
}
