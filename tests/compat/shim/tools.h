/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tools.h - included in front of kernel sources that use the kernel's own
 * userspace headers (tools/include): those define gfp_t and three flags as an
 * enumeration in linux/types.h. They get other names, then libkmem's come.
 */
#ifndef TESTS_COMPAT_TOOLS_H
#define TESTS_COMPAT_TOOLS_H

#define gfp_t         tools_gfp_t
#define GFP_KERNEL    TOOLS_GFP_KERNEL
#define GFP_ATOMIC    TOOLS_GFP_ATOMIC
#define __GFP_HIGHMEM TOOLS_GFP_HIGHMEM
#define __GFP_HIGH    TOOLS_GFP_HIGH
#include <linux/types.h>
#undef gfp_t
#undef GFP_KERNEL
#undef GFP_ATOMIC
#undef __GFP_HIGHMEM
#undef __GFP_HIGH

#include <linux/gfp.h>

#endif
