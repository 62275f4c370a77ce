/* SPDX-License-Identifier: BSD-2-Clause */
/* linux/kernel.h for the kernel sources under test: the kernel's own for tools, printk and RCU on top. */
#ifndef TESTS_COMPAT_KERNEL_H
#define TESTS_COMPAT_KERNEL_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <linux/bug.h>

/* The kernel's, unlike those of tools/include, take two integer types. */
#define max(a, b) ({ __typeof__(a) _a = (a); __typeof__(b) _b = (b); _a > _b ? _a : _b; })
#define min(a, b) ({ __typeof__(a) _a = (a); __typeof__(b) _b = (b); _a < _b ? _a : _b; })

#include_next <linux/kernel.h>
#undef synchronize_rcu /* of tools/include: there is a true one */
#include <urcu.h>
#include <linux/align.h>
#include <linux/bitops.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/log2.h>
#include <linux/overflow.h>

#define U64_MAX UINT64_MAX
#define upper_32_bits(n) ((u32)((n) >> 32))

#ifndef pr_fmt
#define pr_fmt(fmt) fmt
#endif
#define KBUILD_MODNAME   "module"
#define printk(...)      printf(__VA_ARGS__)
#define pr_info(fmt, ...) printf(pr_fmt(fmt), ##__VA_ARGS__)
#define pr_err(fmt, ...)  printf(pr_fmt(fmt), ##__VA_ARGS__)

#ifndef swap
#define swap(a, b)                               \
	do {                                     \
		__typeof__(a) swapped = (a);     \
		(a) = (b);                       \
		(b) = swapped;                   \
	} while (0)
#endif

#define cond_resched() do { } while (0)

#endif
