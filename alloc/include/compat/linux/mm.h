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

/* Bytes of a block allocated with __GFP_COMP, and its first page from any address in it. */
#define page_size(page)      (PAGE_SIZE << compound_order(page))
#define virt_to_head_page(p) compound_head(virt_to_page(p))

static inline void clear_page(void *page)
{
	memset(page, 0, PAGE_SIZE);
}

static inline void copy_page(void *to, const void *from)
{
	memcpy(to, from, PAGE_SIZE);
}

#endif
