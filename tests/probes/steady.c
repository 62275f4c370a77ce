/* SPDX-License-Identifier: BSD-2-Clause */
/* steady.c - one object of cache "steady" and one page allocated and freed every millisecond, for tracers. */
#include <kmem/page.h>
#include <kmem/slab.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	struct kmem_cache *s = kmem_cache_create("steady", 100, 0, 0, NULL);

	if (!s)
		return 1;
	puts("READY");
	fflush(stdout);
	for (int i = 0; i < 30000; i++) {
		void *object = kmem_cache_alloc(s, GFP_KERNEL);
		void *bytes = kmalloc(1000, GFP_ATOMIC);
		struct page *page = alloc_pages(GFP_KERNEL, 2);

		kmem_cache_free(s, object);
		kfree(bytes);
		__free_pages(page, 2);
		usleep(1000);
	}
	return 0;
}
