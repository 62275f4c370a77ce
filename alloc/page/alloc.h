/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * alloc.h - page allocation for the layers above. The public calls of kmem/page.h
 * are these plus an id, a reference count and argument checks.
 */
#ifndef PAGE_ALLOC_H
#define PAGE_ALLOC_H

#include "page/page.h"

/* Set up the arena (limit in bytes, 0 = as large as possible), the zone and the per-CPU lists. 0 or -ENOMEM. */
int page_init(size_t arena_limit, unsigned int nr_cpus);

/*
 * Allocate 2^order pages as `type` (PAGES, SLAB or LARGE). Cleared with
 * __GFP_ZERO. Return: head page with order, nr_pages and type set; or NULL.
 */
struct page *page_alloc(gfp_t gfp, unsigned int order, enum kmem_page_type type);

/* The same for node nid; -1: the running CPU's. */
struct page *page_alloc_node(gfp_t gfp, unsigned int order, enum kmem_page_type type, int nid);

/* Free a block of page_alloc(). The id map is the caller's business. */
void page_free(struct page *page, unsigned int order);

/* Give back the pages of a block behind the first nr_pages; the head keeps nr_pages. */
void page_trim(struct page *page, uint32_t nr_pages);

/* Free a block that page_trim() has cut, or any other: nr_pages pages from its head on. */
void page_free_exact(struct page *page);

void page_lock_for_fork(void);
void page_unlock_after_fork(bool child);

#endif
