/* SPDX-License-Identifier: BSD-2-Clause */
/* A pointer into an object: found at the flush, and left alone. */
#include "misuse.h"

int main(void)
{
	struct kmem_cache *s = cache("victim", 64);
	char *object = kmem_cache_alloc(s, GFP_KERNEL);

	kfree(again(object + 8));
	kmem_cache_shrink(s);
	return 0;
}
