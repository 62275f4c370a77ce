/* SPDX-License-Identifier: BSD-2-Clause */
/* linux/mm.h for kernel code in userspace: what of it is about allocated pages. */
#ifndef KMEM_COMPAT_LINUX_MM_H
#define KMEM_COMPAT_LINUX_MM_H

#include <linux/gfp.h>
#include <linux/overflow.h>
#include <kmem/page.h>
#include <kmem/slab.h>
#include <kmem/vmalloc.h>

#define offset_in_page(p) ((unsigned long)(p) & (PAGE_SIZE - 1))
#define PAGE_ALIGNED(p)   (!offset_in_page(p))
#define PAGE_ALIGN_DOWN(p) ((unsigned long)(p) & PAGE_MASK)

static inline void clear_page(void *page)
{
	memset(page, 0, PAGE_SIZE);
}

static inline void copy_page(void *to, const void *from)
{
	memcpy(to, from, PAGE_SIZE);
}

#endif
