/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rcu.h - freeing after a grace period: kfree_rcu() and relatives, and what
 * SLAB_TYPESAFE_BY_RCU caches wait for.
 *
 * The library has no RCU of its own and needs none to link. It uses, in this order:
 *   1. what kmem_rcu_register() was given;
 *   2. liburcu (flavour memb, what <urcu.h> gives), if the program has loaded it;
 *   3. nothing: then there are no readers, and objects are freed at once.
 *
 * Objects wait in per-CPU batches. A thread of the library's own, started on first
 * use, waits for one grace period for all of them, at the latest 5 seconds after
 * the first or when a batch is full, and frees them. The events kfree and
 * kmem_cache_free fire then, once per object. Threads that call need not be
 * registered with RCU. After fork() the child goes on with what was pending.
 */
#ifndef KMEM_RCU_H
#define KMEM_RCU_H

#include <stdbool.h>
#include <stddef.h>
#include <kmem/attr.h>

KMEM_BEGIN

/* An RCU implementation. */
struct kmem_rcu_ops {
	void (*synchronize)(void); /* returns when all readers of now are done; called from any thread */
};

/* Use `ops` (not copied) from now on; NULL: see above. To be called before objects wait. */
KMEM_API void kmem_rcu_register(const struct kmem_rcu_ops *ops);

/* Whether there is an RCU to wait for. */
KMEM_API bool kmem_rcu_present(void);

/*
 * Free ptr after a grace period. ptr: from kmalloc(), kvmalloc() or a cache.
 * head: two words inside the object that may be overwritten now, used when there
 * is no memory for a batch; NULL: then this waits for a grace period instead, so
 * the caller must be able to. Context: any with a head.
 */
KMEM_API void kvfree_call_rcu(void *head, void *ptr);

/* kfree_rcu(ptr, field): `field` is the object's struct rcu_head, below offset 4096. NULL is ignored. */
#define kvfree_rcu(ptr, field)                                                            \
	do {                                                                              \
		__typeof__(ptr) kmem_ptr_ = (ptr);                                        \
		_Static_assert(offsetof(__typeof__(*(ptr)), field) < 4096,                \
			       "the rcu_head is within the first 4096 bytes");            \
		_Static_assert(sizeof((ptr)->field) >= 2 * sizeof(void *), "two words");  \
		if (kmem_ptr_)                                                            \
			kvfree_call_rcu(&kmem_ptr_->field, (void *)kmem_ptr_);            \
	} while (0)
#define kfree_rcu(ptr, field) kvfree_rcu(ptr, field)

/* Without a field in the object. May sleep. */
#define kvfree_rcu_mightsleep(ptr)                                                        \
	do {                                                                              \
		__typeof__(ptr) kmem_ptr_ = (ptr);                                        \
		if (kmem_ptr_)                                                            \
			kvfree_call_rcu(NULL, (void *)kmem_ptr_);                         \
	} while (0)
#define kfree_rcu_mightsleep(ptr) kvfree_rcu_mightsleep(ptr)

/* Wait until everything passed to kfree_rcu() before this call is freed. Not from a reader. */
KMEM_API void kvfree_rcu_barrier(void);

KMEM_END

#endif
