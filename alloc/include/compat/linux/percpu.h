/* SPDX-License-Identifier: BSD-2-Clause */
/* linux/percpu.h for kernel code in userspace: per-CPU memory of libkmem. */
#ifndef KMEM_COMPAT_LINUX_PERCPU_H
#define KMEM_COMPAT_LINUX_PERCPU_H

#include <kmem/percpu.h>

#endif
