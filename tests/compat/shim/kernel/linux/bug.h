/* SPDX-License-Identifier: BSD-2-Clause */
/* linux/bug.h for the kernel sources under test: BUG_ON() of tools/include, whose linux/bug.h defines one name twice. */
#ifndef TESTS_COMPAT_BUG_H
#define TESTS_COMPAT_BUG_H

#include <asm/bug.h>
#include <linux/build_bug.h>

#endif
