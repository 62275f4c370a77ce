/* SPDX-License-Identifier: BSD-2-Clause */
/* linux/genalloc.h for kernel code in userspace: genpools of libkmem. */
#ifndef KMEM_COMPAT_LINUX_GENALLOC_H
#define KMEM_COMPAT_LINUX_GENALLOC_H

#include <kmem/genalloc.h>

#endif
