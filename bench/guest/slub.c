/* SPDX-License-Identifier: BSD-2-Clause */
/* slub.c - the kernel's allocator in the loops of loops.h; loading it prints and fails, so that nothing stays. */
#include <linux/irqflags.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/timex.h>

static unsigned long irq_flags;

#define NAME             "slub"
#define PRINT(...)       pr_info(__VA_ARGS__)
#define TICKS()          get_cycles()
#define HOLD()           local_irq_save(irq_flags)
#define RELEASE()        local_irq_restore(irq_flags)
#define ALLOC(s)         kmem_cache_alloc(s, GFP_ATOMIC)
#define FREE(s, object)  kmem_cache_free(s, object)

#include "loops.h"

static int __init slub_init(void)
{
	struct kmem_cache *s = kmem_cache_create("bench-64", 64, 0, SLAB_NO_MERGE, NULL);

	if (s) {
		run_loops(s);
		kmem_cache_destroy(s);
	}
	return -EAGAIN;
}

module_init(slub_init);
MODULE_DESCRIPTION("Instructions per allocation and free");
MODULE_LICENSE("Dual BSD/GPL");
