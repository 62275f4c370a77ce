/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check.h - what must be true of a page that is freed, and debugging of pages:
 * poison and access protection while free.
 */
#ifndef PAGE_CHECK_H
#define PAGE_CHECK_H

#include "page/page.h"

/*
 * Report a bad page in the kernel's words:
 *   BUG: Bad page state in process NAME  pfn:00401
 *   page: refcount:0 order:3 type:free flags:0x0 addr:0x7f...
 *   page dumped because: WHY
 * and abort, or, with KMEM_OPTIONS=misuse=repair, return: the caller then leaks
 * the page on purpose, as the kernel does.
 */
void page_bad(const struct page *page, const char *why);

/* What is done to free pages. */
enum page_debug {
	PAGE_DEBUG_POISON = 1 << 0,  /* filled with 0xaa, checked when allocated */
	PAGE_DEBUG_PROTECT = 1 << 1, /* not accessible */
};

#define PAGE_POISON 0xaa

extern KMEM_HIDDEN unsigned int page_debug;

/* Around a block's time in the free lists. With PROTECT both make a system call. */
void page_debug_free(const struct page *page, uint32_t nr_pages);
void page_debug_alloc(const struct page *page, uint32_t nr_pages);

#endif
