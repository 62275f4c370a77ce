/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vmalloc.h - memory that is contiguous in addresses only (include/linux/vmalloc.h).
 *
 * An area is whole pages. Up to 4 MiB it is a block of the page allocator whose
 * unused tail is given back, if there is such a block; otherwise, and beyond
 * 4 MiB, it gets an address range of its own in the arena. Areas are page
 * aligned. Every call fires the event kmalloc or kfree.
 *
 * Memory of kvmalloc() (kmem/slab.h) may be an area, too: kvfree() takes either.
 */
#ifndef KMEM_VMALLOC_H
#define KMEM_VMALLOC_H

#include <kmem/page.h>
#include <kmem/slab.h>

KMEM_BEGIN

/*
 * Allocate an area of `size` bytes. Context: may block; __vmalloc() without
 * __GFP_DIRECT_RECLAIM takes only memory that is already there. Return: the
 * memory; NULL for 0 bytes or when out of memory. vzalloc() and vmalloc_user()
 * clear it. vmalloc_32() takes GFP_DMA32, vmalloc_huge() is __vmalloc().
 */
KMEM_API void *vmalloc(size_t size) KMEM_MALLOC KMEM_SIZE(1);
KMEM_API void *vzalloc(size_t size) KMEM_MALLOC KMEM_SIZE(1);
KMEM_API void *vmalloc_user(size_t size) KMEM_MALLOC KMEM_SIZE(1);
KMEM_API void *vmalloc_node(size_t size, int nid) KMEM_MALLOC KMEM_SIZE(1);
KMEM_API void *vzalloc_node(size_t size, int nid) KMEM_MALLOC KMEM_SIZE(1);
KMEM_API void *vmalloc_32(size_t size) KMEM_MALLOC KMEM_SIZE(1);
KMEM_API void *vmalloc_huge(size_t size, gfp_t gfp) KMEM_MALLOC KMEM_SIZE(1);
KMEM_API void *__vmalloc(size_t size, gfp_t gfp) KMEM_MALLOC KMEM_SIZE(1);

/* n * size bytes; NULL when that overflows. vcalloc() clears them. */
KMEM_API void *vmalloc_array(size_t n, size_t size) KMEM_MALLOC KMEM_SIZE(1, 2);
KMEM_API void *vcalloc(size_t n, size_t size) KMEM_MALLOC KMEM_SIZE(1, 2);
KMEM_API void *__vmalloc_array(size_t n, size_t size, gfp_t gfp) KMEM_MALLOC KMEM_SIZE(1, 2);

/*
 * Resize. vrealloc(NULL, n) allocates, vrealloc(p, 0) frees and returns NULL, a
 * size that fits the area's pages returns p. With __GFP_ZERO bytes beyond the
 * new size are cleared when it shrinks, and beyond the old pages when it grows.
 * Return: NULL on failure, p stays valid.
 */
KMEM_API void *vrealloc(const void *p, size_t size, gfp_t gfp) KMEM_CHECK KMEM_SIZE(2);

/*
 * Free an area. NULL is ignored. What is no area is reported and left alone.
 * The kernel's vfree() may sleep, vfree_atomic() does not: here they are one.
 */
KMEM_API void vfree(const void *p);
KMEM_API void vfree_atomic(const void *p);

/* Whether an address lies in an area, at its start or inside. */
KMEM_API bool is_vmalloc_addr(const void *p);

/* The page behind an address of an area, NULL for any other address; its number in the arena, 0 likewise. */
KMEM_API struct page *vmalloc_to_page(const void *p) KMEM_CHECK;
KMEM_API unsigned long vmalloc_to_pfn(const void *p) KMEM_CHECK;

KMEM_END

#endif
