/* SPDX-License-Identifier: BSD-2-Clause */
/* An object freed twice in a debugged cache: found at once. */
#include "misuse.h"

int main(void)
{
	struct kmem_cache *s = cache("victim", 64);
	void *object = kmem_cache_alloc(s, GFP_KERNEL);

	kmem_cache_free(s, object);
	kmem_cache_free(s, again(object));
	return 0;
}
