/* SPDX-License-Identifier: BSD-2-Clause */
/* An object given back to another cache: left where it is. */
#include "misuse.h"

int main(void)
{
	struct kmem_cache *s = cache("victim", 64), *other = cache("other", 64);

	kmem_cache_free(other, kmem_cache_alloc(s, GFP_KERNEL));
	return 0;
}
