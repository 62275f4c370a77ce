/* SPDX-License-Identifier: BSD-2-Clause */
/* The pointer from one free object to the next was overwritten. */
#include "misuse.h"

int main(void)
{
	struct kmem_cache *s = kmem_cache_create("victim", 64, 0, SLAB_CONSISTENCY_CHECKS | SLAB_NO_USER_FLAGS, NULL);
	char *p = kmem_cache_alloc(s, GFP_KERNEL);

	kmem_cache_free(s, p);
	((char *)again(p))[32] ^= 1; /* in the middle of the object */
	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	return 0;
}
