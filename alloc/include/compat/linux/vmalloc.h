/* SPDX-License-Identifier: BSD-2-Clause */
/* linux/vmalloc.h for kernel code in userspace: areas of libkmem. */
#ifndef KMEM_COMPAT_LINUX_VMALLOC_H
#define KMEM_COMPAT_LINUX_VMALLOC_H

#include <linux/overflow.h>
#include <kmem/vmalloc.h>

#endif
