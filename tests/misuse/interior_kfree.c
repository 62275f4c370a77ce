/* SPDX-License-Identifier: BSD-2-Clause */
/* A pointer into an object, an unaligned one included: seen at once, and left alone. */
#include <kmem/fastpath.h>

#include "misuse.h"

int main(void)
{
	struct kmem_cache *s = cache("victim", 64);
	char *object = kmem_cache_alloc(s, GFP_KERNEL);

	kfree(again(object + 8));
	kfree(again(object + 1));
	kmem_cache_free(s, again(object + 32));
	kmem_cache_free_inline(s, again(object + 3));
	return 0;
}
