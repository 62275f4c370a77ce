/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocations that may sleep, in a section that must not: reported in strict mode, once for each place. */
#include "misuse.h"

#include <kmem/strict.h>
#include <kmem/vmalloc.h>

int main(void)
{
	struct kmem_cache *s = cache("victim", 64);
	int i;

	/* Memory for those that may not ask the system for any. */
	kfree(kmalloc(64, GFP_KERNEL));
	kmem_set_strict(true);
	kmem_nonblock_enter();
	for (i = 0; i < 3; i++) {
		kfree(kmalloc(64, GFP_ATOMIC));
		kfree(kmalloc(64, GFP_KERNEL));
		kfree(kmalloc(20000, GFP_KERNEL));
		kmem_cache_free(s, kmem_cache_alloc(s, GFP_NOFS));
		vfree(vmalloc(100));
		free_page(__get_free_page(GFP_KERNEL));
		free_pages_exact(alloc_pages_exact(100, GFP_KERNEL), 100);
	}
	kmem_nonblock_leave();
	kmem_cache_destroy(s);
	return 0;
}
