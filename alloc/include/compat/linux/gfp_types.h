/* SPDX-License-Identifier: BSD-2-Clause */
/* linux/gfp_types.h for kernel code in userspace: allocation flags, with the kernel's values. */
#ifndef KMEM_COMPAT_LINUX_GFP_TYPES_H
#define KMEM_COMPAT_LINUX_GFP_TYPES_H

#include <kmem/gfp.h>

#endif
