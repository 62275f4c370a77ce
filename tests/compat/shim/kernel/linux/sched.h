/* SPDX-License-Identifier: BSD-2-Clause */
/* linux/sched.h: the kernel sources under test include it, and take nothing from it that linux/kernel.h has not. */
#ifndef TESTS_COMPAT_SCHED_H
#define TESTS_COMPAT_SCHED_H

#include <linux/kernel.h>

#endif
