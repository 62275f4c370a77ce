/* SPDX-License-Identifier: BSD-2-Clause */
/* linux/mempool.h for kernel code in userspace: mempools of libkmem. */
#ifndef KMEM_COMPAT_LINUX_MEMPOOL_H
#define KMEM_COMPAT_LINUX_MEMPOOL_H

#include <kmem/mempool.h>
#include <linux/slab.h>

#endif
