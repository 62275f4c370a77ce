/* SPDX-License-Identifier: BSD-2-Clause */
/* __GFP_ZERO with a constructor: reported once, and the constructed state kept. */
#include "misuse.h"

static void build(void *object)
{
	*(char *)object = 1;
}

int main(void)
{
	struct kmem_cache *s = kmem_cache_create("built", 64, 0, 0, build);
	int i;

	for (i = 0; i < 3; i++)
		if (*(char *)kmem_cache_zalloc(s, GFP_KERNEL) != 1)
			return 9;
	return 0;
}
