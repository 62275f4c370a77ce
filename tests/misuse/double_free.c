/* SPDX-License-Identifier: BSD-2-Clause */
/* An object freed twice in a row: seen at once, whichever call it is, and the second free is dropped. */
#include <kmem/fastpath.h>

#include "misuse.h"

int main(void)
{
	struct kmem_cache *s = cache("victim", 64);
	void *object = kmem_cache_alloc(s, GFP_KERNEL);

	stay_on_one_cpu();
	kmem_cache_free(s, object);
	kmem_cache_free(s, again(object));
	kmem_cache_free_inline(s, again(object));
	kfree(again(object));
	return kmem_cache_alloc(s, GFP_KERNEL) != object;
}
