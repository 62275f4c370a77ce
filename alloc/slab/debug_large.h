/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * debug_large.h - objects of whole pages, debugged as a cache "kmalloc-large" would
 * be: a red zone from the size asked for to the end of the last page (Z), poison
 * (P), and who allocated (U). There is no room on the left, and no state once the
 * pages are gone.
 */
#ifndef SLAB_DEBUG_LARGE_H
#define SLAB_DEBUG_LARGE_H

#include "page/page.h"

/* Flags of KMEM_SLAB_DEBUG for "kmalloc-large"; call once, after the options are set. */
void debug_large_setup(void);

/* Bytes to take for an object of `size`: with Z more, so that a red zone fits behind it. */
size_t debug_large_size(size_t size);

/* Dress a new object (not NULL) for the size asked for; `zeroed`: its content matters. */
void debug_large_alloc(void *p, size_t size, bool zeroed, const void *call_site);

/* Check an object of whole pages that is about to be freed. Return: false when it was reported, and stays. */
bool debug_large_free(struct page *page, const void *call_site);

static inline bool debug_large_on(const struct page *page)
{
	return page->flags & KMEM_PG_DEBUG;
}

/* Change the size asked for within the pages. Return: false when it does not fit. */
bool debug_large_resize(struct page *page, size_t size);

#endif
