// SPDX-License-Identifier: BSD-2-Clause
/* Kernel code that uses linux/page_frag_cache.h. */
#include <linux/page_frag_cache.h>

int main(void)
{
	struct page_frag_cache cache = { 0 };
	char *a = page_frag_alloc(&cache, 100, GFP_KERNEL), *b = page_frag_alloc(&cache, 200, GFP_ATOMIC);

	if (!a || !b || a == b)
		return 1;
	a[99] = b[199] = 1;
	page_frag_free(a);
	page_frag_cache_drain(&cache);
	page_frag_free(b);
	return 0;
}
