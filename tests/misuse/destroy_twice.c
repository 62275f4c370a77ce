/* SPDX-License-Identifier: BSD-2-Clause */
/* A cache destroyed twice. */
#include "misuse.h"

int main(void)
{
	struct kmem_cache *s = cache("victim", 64);

	kmem_cache_destroy(s);
	kmem_cache_destroy(again(s));
	return 0;
}
