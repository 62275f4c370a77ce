/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * alloc.h - page allocation for the layers above. The public calls of kmem/page.h
 * are these plus an id, a reference count and argument checks.
 */
#ifndef PAGE_ALLOC_H
#define PAGE_ALLOC_H

#include <kmem/options.h>

#include "page/page.h"
#include "page/purge.h"
#include "page/reclaim.h"

/*
 * Set up the arena, zones and per-CPU lists as the options say; after
 * numa_init() and percpu_init(). Return: 0 or -ENOMEM.
 */
int page_init(const struct kmem_options *options, unsigned int nr_cpus);

/*
 * Allocate 2^order pages as `type` (PAGES, SLAB or LARGE), meant for the running
 * CPU's node or for node nid (NUMA_NO_NODE: the same). Cleared with __GFP_ZERO.
 * Return: head page with order, nr_pages, node and type set; or NULL.
 */
struct page *page_alloc(gfp_t gfp, unsigned int order, enum kmem_page_type type);
struct page *page_alloc_node(gfp_t gfp, unsigned int order, enum kmem_page_type type, int nid);

/*
 * Allocate nr_pages (1 .. 1024) in a row, page aligned; a power of two is aligned
 * to its size. Free with page_free_exact().
 */
struct page *page_alloc_exact(gfp_t gfp, uint32_t nr_pages, enum kmem_page_type type, int nid);

/* Free a block of page_alloc(). The id map is the caller's business. Waits for nobody. */
void page_free(struct page *page, unsigned int order);

/* Give back the pages of a block behind the first nr_pages; the head keeps nr_pages. */
void page_trim(struct page *page, uint32_t nr_pages);

/*
 * Grow a block in use to nr_pages (up to 1024), whose contents stay as they are, what
 * is new is anything. Return: false, nothing done, when the pages behind are not free.
 */
bool page_extend(struct page *page, uint32_t nr_pages);

/* Free a block that page_trim() has cut, or any other: nr_pages pages from its head on. */
void page_free_exact(struct page *page);

/* Free pages [from, to) of a block as the fewest aligned blocks: its head has been taken care of. */
void page_free_range(struct page *head, uint32_t from, uint32_t to);

/* Check every zone and list: bug when they disagree. For tests. */
void page_validate(void);

void page_lock_for_fork(void);
void page_unlock_after_fork(bool child);

#endif
