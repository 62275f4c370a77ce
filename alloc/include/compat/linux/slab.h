/* SPDX-License-Identifier: BSD-2-Clause */
/* linux/slab.h for kernel code in userspace: caches, kmalloc, kvmalloc and kfree_rcu of libkmem. */
#ifndef KMEM_COMPAT_LINUX_SLAB_H
#define KMEM_COMPAT_LINUX_SLAB_H

#include <linux/cleanup.h>
#include <linux/gfp.h>
#include <linux/overflow.h>
#include <kmem/rcu.h>
#include <kmem/slab.h>

#ifndef __cplusplus
/* void *p __free(kfree) = kmalloc(...): freed when p goes out of scope. */
DEFINE_FREE(kfree, void *, if (!IS_ERR_VALUE_OR_NULL(_T)) kfree(_T))
DEFINE_FREE(kfree_sensitive, void *, if (!IS_ERR_VALUE_OR_NULL(_T)) kfree_sensitive(_T))
DEFINE_FREE(kvfree, void *, if (!IS_ERR_VALUE_OR_NULL(_T)) kvfree(_T))
#endif

#endif
