/* SPDX-License-Identifier: BSD-2-Clause */
/* linux/kmemleak.h for the kernel sources under test: libkmem's kmemleak needs no help from the program. */
#ifndef TESTS_COMPAT_KMEMLEAK_H
#define TESTS_COMPAT_KMEMLEAK_H

#define kmemleak_update_trace(p) ((void)(p))

#endif
