/* SPDX-License-Identifier: BSD-2-Clause */
/* linux/gfp.h for kernel code in userspace: allocation flags and pages of libkmem. */
#ifndef KMEM_COMPAT_LINUX_GFP_H
#define KMEM_COMPAT_LINUX_GFP_H

#include <linux/gfp_types.h>
#include <kmem/page.h>

#endif
