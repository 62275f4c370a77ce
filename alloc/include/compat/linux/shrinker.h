/* SPDX-License-Identifier: BSD-2-Clause */
/* linux/shrinker.h for kernel code in userspace: shrinkers of libkmem. */
#ifndef KMEM_COMPAT_LINUX_SHRINKER_H
#define KMEM_COMPAT_LINUX_SHRINKER_H

#include <kmem/shrinker.h>

#endif
