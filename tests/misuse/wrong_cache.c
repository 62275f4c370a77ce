/* SPDX-License-Identifier: BSD-2-Clause */
/* An object freed into another cache: found at the flush, and left alone. */
#include "misuse.h"

int main(void)
{
	struct kmem_cache *right = cache("right", 64), *wrong = cache("wrong", 64);
	void *object = kmem_cache_alloc(right, GFP_KERNEL);

	kmem_cache_free(wrong, object);
	kmem_cache_shrink(wrong);
	return 0;
}
