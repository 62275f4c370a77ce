/* SPDX-License-Identifier: BSD-2-Clause */
/* A pointer into an object that could be one by its low bits: found at the flush, and left alone. */
#include "misuse.h"

int main(void)
{
	struct kmem_cache *s = cache("victim", 96);
	char *object = kmem_cache_alloc(s, GFP_KERNEL);

	kfree(again(object + 32));
	kmem_cache_shrink(s);
	return 0;
}
