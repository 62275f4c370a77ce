/* SPDX-License-Identifier: BSD-2-Clause */
/* kfree_rcu.c - objects that are freed after a grace period; see kmem/rcu.h. */
#include "slab/kfree_rcu.h"

#include "slab/kmalloc.h"
#include "slab/rcu.h"

static struct rcu_queue objects KMEM_STATE;

static void release(void *object)
{
	kvfree(object);
}

void kfree_rcu_init(void)
{
	objects.release = release;
	rcu_queue_add(&objects);
}

KMEM_API void kvfree_call_rcu(void *head, void *ptr)
{
	if (!kmem_rcu_present()) {
		kvfree(ptr);
		return;
	}
	if (rcu_defer(&objects, ptr, head, false))
		return;
	rcu_synchronize();
	kvfree(ptr);
}

KMEM_API void kvfree_rcu_barrier(void)
{
	rcu_barrier();
}
