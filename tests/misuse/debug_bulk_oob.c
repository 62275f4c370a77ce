/* SPDX-License-Identifier: BSD-2-Clause */
/* One of several objects that are freed together was written beyond. */
#include "misuse.h"

int main(void)
{
	struct kmem_cache *s = cache("victim", 200);
	void *p[10];

	if (kmem_cache_alloc_bulk(s, GFP_KERNEL, 10, p) != 10)
		return 9;
	((char *)again(p[4]))[200] = 'x';
	kmem_cache_free_bulk(s, 10, p);
	return 0;
}
