/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pages.c - the public page calls of kmem/page.h: ids, reference counts, compound
 * pages, and checks of what is freed.
 *
 * The owner of a block of several pages that is not compound drops its reference
 * with __free_pages(), which knows the order, while somebody else may hold one on
 * the first page. Then the owner frees the other pages at once and the holder's
 * put_page() frees the first. One atomic operation decides who does what: it drops
 * the reference and sets PAGE_OWNER_GONE.
 */
#include <kmem/page.h>

#include "base/report.h"
#include "base/strict.h"
#include "base/trace.h"
#include "page/alloc.h"
#include "page/check.h"
#include "page/pcp.h"

/* Tails of a compound page lead to its head. */
static void set_tails(struct page *page, unsigned int order)
{
	uint32_t i, head = page_index(page);

	for (i = 1; i < 1u << order; i++) {
		page_at(head + i)->head = head;
		page_set_type(page_at(head + i), KMEM_PAGE_TAIL);
	}
}

/* Inlined, so that the caller is that of the public function. */
static force_inline struct page *alloc_user_pages(gfp_t gfp, unsigned int order, int nid)
{
	struct page *page;

	strict_check(gfp, __builtin_return_address(0));
	page = page_alloc_node(gfp, order, KMEM_PAGE_PAGES, nid);
	if (!page)
		return NULL;
	*addr_to_id(page_to_addr(page)) = KMEM_ID_PAGES;
	if (gfp & __GFP_COMP)
		set_tails(page, order);
	return page;
}

KMEM_API struct page *alloc_pages(gfp_t gfp, unsigned int order)
{
	return alloc_user_pages(gfp, order, -1);
}

/* A node that does not exist is served from the others, unless they are ruled out. */
static force_inline struct page *alloc_on_node(int nid, gfp_t gfp, unsigned int order)
{
	if (nid < (int)zone_config.nr_nodes)
		return alloc_user_pages(gfp, order, nid);
	return gfp & __GFP_THISNODE ? NULL : alloc_user_pages(gfp, order, -1);
}

KMEM_API struct page *alloc_pages_node(int nid, gfp_t gfp, unsigned int order)
{
	return alloc_on_node(nid, gfp, order);
}

static bool is_compound(const struct page *page)
{
	return page->flags & KMEM_PG_COMP;
}

/* The last reference is gone: nobody else looks at the descriptor. */
static void free_whole(struct page *page)
{
	*addr_to_id(page_to_addr(page)) = KMEM_ID_NONE;
	page_free_exact(page);
}

/* What makes a page that is to be freed with this order a bad one; NULL when nothing does. */
static const char *why_bad(const struct page *page, unsigned int order)
{
	int count = READ_ONCE(page->refcount);

	switch (READ_ONCE(page->type)) {
	case KMEM_PAGE_PAGES:
		break;
	case KMEM_PAGE_FREE:
	case KMEM_PAGE_PCP:
		return "free of a page that is free already";
	case KMEM_PAGE_TAIL:
		return "free of a tail page, or of one that is free already";
	default:
		return "free of a page that alloc_pages() has not handed out";
	}
	if (count & PAGE_OWNER_GONE)
		return "free of a page that its owner has freed already";
	if (count <= 0)
		return "nonzero _refcount";
	if (page->flags & KMEM_PG_EXACT)
		return "page of alloc_pages_exact(): use free_pages_exact()";
	return page->order == order ? NULL : "wrong order";
}

/* The owner's reference to a block that is not compound. */
static void owner_put(struct page *page, unsigned int order)
{
	uint32_t nr_pages = 1u << order;

	if (__atomic_add_fetch(&page->refcount, PAGE_OWNER_GONE - 1, __ATOMIC_ACQ_REL) == PAGE_OWNER_GONE)
		free_whole(page);
	else
		page_free_range(page, 1, nr_pages);
}

/* A reference to a head, or to a page of its own. */
static force_inline void put_head(struct page *page)
{
	int left = __atomic_sub_fetch(&page->refcount, 1, __ATOMIC_ACQ_REL);

	if (likely(!left))
		free_whole(page);
	else if (left == PAGE_OWNER_GONE) {
		/* Its owner has freed the rest of the block. */
		*addr_to_id(page_to_addr(page)) = KMEM_ID_NONE;
		page_free(page, 0);
	} else if (left < 0 || (left & ~PAGE_OWNER_GONE) > PAGE_OWNER_GONE / 2) {
		page_bad(page, "nonzero _refcount");
	}
}

KMEM_API void __free_pages(struct page *page, unsigned int order)
{
	const char *why;

	if (!page)
		return;
	why = why_bad(page, order);
	if (unlikely(why))
		page_bad(page, why);
	else if (!order || is_compound(page))
		put_head(page);
	else
		owner_put(page, order);
}

KMEM_API unsigned long __get_free_pages(gfp_t gfp, unsigned int order)
{
	struct page *page = alloc_user_pages(gfp & ~__GFP_HIGHMEM, order, -1);

	return page ? (unsigned long)page_to_addr(page) : 0;
}

KMEM_API unsigned long get_zeroed_page(gfp_t gfp)
{
	return __get_free_pages(gfp | __GFP_ZERO, 0);
}

KMEM_API void free_pages(unsigned long addr, unsigned int order)
{
	if (!addr)
		return;
	if (!arena_contains((void *)addr)) {
		report("BUG: free_pages(%p): not memory of the page allocator", (void *)addr);
		report_misuse_end(true);
		return;
	}
	__free_pages(addr_to_page((void *)addr), order);
}

KMEM_API int get_order(size_t size)
{
	return size <= PAGE_SIZE ? 0 : (int)fls64((size - 1) >> PAGE_SHIFT);
}

/* ---- exact, bulk, split ---- */

KMEM_API void *alloc_pages_exact_nid(int nid, size_t size, gfp_t gfp)
{
	struct page *page;

	if (!size || size > BLOCK_BYTES)
		return NULL;
	page = alloc_on_node(nid, gfp & ~__GFP_COMP, (unsigned int)get_order(size));
	if (!page)
		return NULL;
	page_trim(page, (uint32_t)(ALIGN_UP(size, PAGE_SIZE) >> PAGE_SHIFT));
	return page_to_addr(page);
}

KMEM_API void *alloc_pages_exact(size_t size, gfp_t gfp)
{
	return alloc_pages_exact_nid(-1, size, gfp);
}

KMEM_API void free_pages_exact(void *virt, size_t size)
{
	struct page *page;

	if (!virt)
		return;
	if (!arena_contains(virt) || addr_to_page(virt)->type != KMEM_PAGE_PAGES) {
		report("BUG: free_pages_exact(%p): not memory of alloc_pages_exact()", virt);
		report_misuse_end(true);
		return;
	}
	page = addr_to_page(virt);
	if (page->nr_pages != ALIGN_UP(size, PAGE_SIZE) >> PAGE_SHIFT) {
		report("BUG: free_pages_exact(%p, %zu) but it has %u pages", virt, size, page->nr_pages);
		report_misuse_end(true);
		return;
	}
	put_page(page);
}

KMEM_API unsigned long alloc_pages_bulk_node(gfp_t gfp, int nid, unsigned long nr_pages, struct page **page_array)
{
	unsigned long i;

	for (i = 0; i < nr_pages; i++) {
		if (page_array[i])
			continue;
		page_array[i] = alloc_on_node(nid, gfp, 0);
		if (!page_array[i])
			break;
	}
	return i;
}

KMEM_API unsigned long alloc_pages_bulk(gfp_t gfp, unsigned long nr_pages, struct page **page_array)
{
	return alloc_pages_bulk_node(gfp, -1, nr_pages, page_array);
}

KMEM_API void free_pages_bulk(unsigned long nr_pages, struct page **page_array)
{
	unsigned long i;

	for (i = 0; i < nr_pages; i++) {
		if (page_array[i]) {
			if (trace_on(TRACE_MM_PAGE_FREE_BATCHED))
				trace_mm_page_free_batched(page_index(page_array[i]));
			__free_page(page_array[i]);
		}
		page_array[i] = NULL;
	}
}

KMEM_API void split_page(struct page *page, unsigned int order)
{
	uint32_t i;

	BUG_ON(page->type != KMEM_PAGE_PAGES || page->order != order);
	BUG_ON(is_compound(page));
	for (i = 0; i < 1u << order; i++) {
		struct page *one = page_behind(page, i);

		WRITE_ONCE(one->order, 0);
		WRITE_ONCE(one->nr_pages, 1);
		one->refcount = 1;
		one->flags = 0;
		one->node = page->node;
		WRITE_ONCE(one->migratetype, page->migratetype);
		*addr_to_id(page_to_addr(one)) = KMEM_ID_PAGES;
		page_set_type(one, KMEM_PAGE_PAGES);
	}
}

/* ---- references ---- */

KMEM_API struct page *compound_head(const struct page *page)
{
	if (READ_ONCE(page->type) == KMEM_PAGE_TAIL && page->head) {
		struct page *head = page_at(page->head);

		/* A stale link leads to a head that is too short, or none. */
		if (head->type == KMEM_PAGE_PAGES && is_compound(head) && page_index(page) - page->head < head->nr_pages)
			return head;
	}
	return (struct page *)(uintptr_t)page;
}

KMEM_API unsigned int compound_order(const struct page *page)
{
	return is_compound(page) ? page->order : 0;
}

KMEM_API unsigned long compound_nr(const struct page *page)
{
	return 1UL << compound_order(page);
}

KMEM_API void get_page(struct page *page)
{
	page_ref_add(compound_head(page), 1);
}

KMEM_API void put_page(struct page *page)
{
	put_head(compound_head(page));
}

KMEM_API int page_count(const struct page *page)
{
	return page_ref_count(compound_head(page));
}

KMEM_API int page_ref_count(const struct page *page)
{
	return READ_ONCE(page->refcount) & ~PAGE_OWNER_GONE;
}

KMEM_API void page_ref_add(struct page *page, int n)
{
	__atomic_fetch_add(&page->refcount, n, __ATOMIC_RELAXED);
}

KMEM_API int page_ref_sub_and_test(struct page *page, int n)
{
	return !(__atomic_sub_fetch(&page->refcount, n, __ATOMIC_ACQ_REL) & ~PAGE_OWNER_GONE);
}

KMEM_API int page_ref_add_unless_zero(struct page *page, int n)
{
	int count = READ_ONCE(page->refcount);

	do {
		if (!(count & ~PAGE_OWNER_GONE))
			return 0;
	} while (!__atomic_compare_exchange_n(&page->refcount, &count, count + n, true, __ATOMIC_ACQUIRE,
					      __ATOMIC_RELAXED));
	return 1;
}

/* ---- addresses ---- */

KMEM_API struct page *virt_to_page(const void *addr)
{
	return arena_contains(addr) ? addr_to_page(addr) : NULL;
}

KMEM_API void *page_address(const struct page *page)
{
	return page_to_addr(page);
}

KMEM_API unsigned long page_to_pfn(const struct page *page)
{
	return page_index(page);
}

KMEM_API struct page *pfn_to_page(unsigned long pfn)
{
	return pfn < READ_ONCE(arena.bytes) >> PAGE_SHIFT ? page_at(pfn) : NULL;
}

KMEM_API int page_to_nid(const struct page *page)
{
	return (int)zone_of(page)->node;
}

KMEM_API size_t drain_all_pages(void)
{
	return pcp_drain_all();
}
