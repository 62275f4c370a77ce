/* SPDX-License-Identifier: BSD-2-Clause */
/* linux/percpu.h for the kernel's tree tests: theirs, where a per-CPU variable is one variable. */
#ifndef TESTS_COMPAT_RADIX_PERCPU_H
#define TESTS_COMPAT_RADIX_PERCPU_H

#include <shared/linux/percpu.h>

#endif
