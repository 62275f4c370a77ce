/* SPDX-License-Identifier: BSD-2-Clause */
/* linux/sched/mm.h for kernel code in userspace: what of it is about allocation, scopes and might_alloc(). */
#ifndef KMEM_COMPAT_LINUX_SCHED_MM_H
#define KMEM_COMPAT_LINUX_SCHED_MM_H

#include <linux/gfp.h>
#include <kmem/strict.h>

/* In strict mode, reports flags that may sleep where the program must not. */
static inline void might_alloc(gfp_t gfp)
{
	kmem_might_alloc(gfp);
}

#endif
