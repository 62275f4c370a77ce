/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * alloc.c - page allocation: per-CPU lists, then the zone, then a larger arena.
 *
 * page_alloc() and page_free*() serve the slab layer and the public calls alike.
 * They fire one event per block: for every block allocated, the events of its
 * frees add up to the same number of pages.
 */
#include "page/alloc.h"

#include "base/fault.h"
#include "base/observe.h"
#include "base/report.h"
#include "base/trace.h"
#include "base/wipe.h"
#include "page/arena.h"
#include "page/buddy.h"
#include "page/pcp.h"
#include "page/purge.h"

int page_init(size_t arena_limit, unsigned int nr_cpus)
{
	int rc = arena_init(arena_limit);

	if (rc)
		return rc;
	buddy_init();
	return pcp_init(nr_cpus);
}

static struct page *take_from_zone(unsigned int order, enum migratetype type)
{
	struct page *page;

	buddy_lock();
	page = buddy_take(order, type);
	buddy_unlock();
	return page;
}

/* What parked pages, and a larger arena, can still give. */
static struct page *take_slow(gfp_t gfp, unsigned int order, enum migratetype type)
{
	struct page *page = NULL;

	if (!(gfp & __GFP_DIRECT_RECLAIM))
		return NULL;
	do {
		if (!buddy_grow(type))
			page = take_from_zone(order, type);
		if (!page && pcp_drain_all())
			page = take_from_zone(order, type);
	} while (!page && (gfp & __GFP_NOFAIL));
	return page;
}

static struct page *take(gfp_t gfp, unsigned int order)
{
	enum migratetype type = gfp_migratetype(gfp);
	struct page *page = NULL;

	if (order <= PCP_MAX_ORDER)
		page = pcp_take(order, type);
	if (!page)
		page = take_from_zone(order, type);
	if (!page)
		page = take_slow(gfp, order, type);
	if (page)
		page->migratetype = (uint8_t)type;
	return page;
}

static void account_alloc(uint64_t pages)
{
	__atomic_fetch_add(&zones[0].alloc_pages, pages, __ATOMIC_RELAXED);
}

static void account_free(uint64_t pages)
{
	__atomic_fetch_add(&zones[0].freed_pages, pages, __ATOMIC_RELAXED);
}

static struct page *alloc_block(gfp_t gfp, unsigned int order, enum kmem_page_type type)
{
	struct page *page;

	if (unlikely(order > MAX_PAGE_ORDER)) {
		static bool warned KMEM_STATE;

		if (!warned && !(gfp & __GFP_NOWARN))
			report("page allocation of order %u refused: the largest is %d", order, MAX_PAGE_ORDER);
		warned = true;
		return NULL;
	}
	page = take(gfp, order);
	if (!page)
		return NULL;
	if ((gfp & __GFP_ZERO) && !(page->flags & KMEM_PG_ZEROED))
		memset(page_to_addr(page), 0, PAGE_SIZE << order);
	page->order = (uint8_t)order;
	page->nr_pages = 1u << order;
	page->refcount = 1;
	page->flags = gfp & __GFP_COMP ? KMEM_PG_COMP : 0;
	page_set_type(page, type);
	account_alloc(page->nr_pages);
	return page;
}

static bool fails(gfp_t gfp, unsigned int order, enum kmem_page_type type, const void *call_site)
{
	return (type == KMEM_PAGE_PAGES && fault_object(gfp, call_site)) || fault_pages(gfp, order, call_site);
}

struct page *page_alloc(gfp_t gfp, unsigned int order, enum kmem_page_type type)
{
	bool watched = trace_on(TRACE_MM_PAGE_ALLOC);
	struct page *page = NULL;

	if (!watched || !fails(gfp, order, type, __builtin_return_address(0)))
		page = alloc_block(watched && type != KMEM_PAGE_SLAB ? wipe_gfp(gfp) : gfp, order, type);
	if (watched)
		trace_mm_page_alloc(page ? page_index(page) : -1UL, order, gfp, (int)gfp_migratetype(gfp));
	return page;
}

static void traced_free(const struct page *page, unsigned int order)
{
	if (!trace_on(TRACE_MM_PAGE_FREE))
		return;
	trace_mm_page_free(page_index(page), order);
	if (wipe_on_free())
		memset(page_to_addr(page), 0, PAGE_SIZE << order);
}

/* Back to the lists. The migratetype under which it was taken is its pcp list. */
static void put_block(struct page *page, unsigned int order)
{
	page->flags = 0;
	if (order <= PCP_MAX_ORDER && pcp_put(page, order, (enum migratetype)page->migratetype))
		return;
	buddy_lock();
	buddy_put(page, order);
	buddy_unlock();
}

void page_free(struct page *page, unsigned int order)
{
	traced_free(page, order);
	account_free(UINT64_C(1) << order);
	put_block(page, order);
	if (order > PCP_MAX_ORDER)
		purge_maybe();
}

/* Pages [from, to) of a block as the fewest aligned blocks. */
static void put_range(struct page *head, uint32_t from, uint32_t to)
{
	buddy_lock();
	while (from < to) {
		unsigned int order = (unsigned int)__builtin_ctz(from | BLOCK_PAGES);
		struct page *page = head + from;

		while (1u << order > to - from)
			order--;
		traced_free(page, order);
		page_set_type(page, KMEM_PAGE_TAIL);
		page->flags = 0;
		buddy_put(page, order);
		from += 1u << order;
	}
	buddy_unlock();
}

void page_trim(struct page *page, uint32_t nr_pages)
{
	if (nr_pages >= page->nr_pages)
		return;
	put_range(page, nr_pages, page->nr_pages);
	account_free(page->nr_pages - nr_pages);
	page->nr_pages = nr_pages;
	page->flags |= KMEM_PG_EXACT;
}

void page_free_exact(struct page *page)
{
	uint32_t nr_pages = page->nr_pages;

	if (!(page->flags & KMEM_PG_EXACT)) {
		page_free(page, page->order);
		return;
	}
	account_free(nr_pages);
	put_range(page, 0, nr_pages);
	purge_maybe();
}

void page_lock_for_fork(void)
{
	pcp_lock_for_fork();
	lock_acquire_nested(&zones[0].lock);
	arena_lock_for_fork();
}

void page_unlock_after_fork(bool child)
{
	arena_unlock_after_fork(child);
	if (child)
		lock_reset(&zones[0].lock);
	else
		lock_release_nested(&zones[0].lock);
	pcp_unlock_after_fork(child);
}

/* ---- the public names ---- */

static struct page *alloc_user_pages(gfp_t gfp, unsigned int order)
{
	struct page *page = page_alloc(gfp, order, KMEM_PAGE_PAGES);

	if (page)
		*addr_to_id(page_to_addr(page)) = KMEM_ID_PAGES;
	return page;
}

KMEM_API struct page *alloc_pages(gfp_t gfp, unsigned int order)
{
	return alloc_user_pages(gfp, order);
}

KMEM_API struct page *alloc_pages_node(int nid, gfp_t gfp, unsigned int order)
{
	if (nid > 0 && (gfp & __GFP_THISNODE))
		return NULL;
	return alloc_user_pages(gfp, order);
}

KMEM_API void __free_pages(struct page *page, unsigned int order)
{
	if (!page)
		return;
	if (page->type != KMEM_PAGE_PAGES)
		report_bug("BUG: Bad page: __free_pages(%p) of a page that is not allocated", page_to_addr(page));
	if (page->order != order)
		report_bug("BUG: Bad page: __free_pages(%p, %u) but it was allocated with order %u",
			   page_to_addr(page), order, page->order);
	put_page(page);
}

KMEM_API unsigned long __get_free_pages(gfp_t gfp, unsigned int order)
{
	struct page *page = alloc_user_pages(gfp & ~__GFP_HIGHMEM, order);

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
	if (!arena_contains((void *)addr))
		report_bug("BUG: free_pages(%p): not memory of the page allocator", (void *)addr);
	__free_pages(addr_to_page((void *)addr), order);
}

KMEM_API int get_order(size_t size)
{
	return size <= PAGE_SIZE ? 0 : (int)fls64((size - 1) >> PAGE_SHIFT);
}

KMEM_API void *alloc_pages_exact(size_t size, gfp_t gfp)
{
	struct page *page;

	if (!size || size > BLOCK_BYTES)
		return NULL;
	page = alloc_user_pages(gfp & ~__GFP_COMP, (unsigned int)get_order(size));
	if (!page)
		return NULL;
	page_trim(page, (uint32_t)(ALIGN_UP(size, PAGE_SIZE) >> PAGE_SHIFT));
	return page_to_addr(page);
}

KMEM_API void free_pages_exact(void *virt, size_t size)
{
	struct page *page;

	if (!virt)
		return;
	if (!arena_contains(virt) || addr_to_page(virt)->type != KMEM_PAGE_PAGES)
		report_bug("BUG: free_pages_exact(%p): not memory of alloc_pages_exact()", virt);
	page = addr_to_page(virt);
	if (page->nr_pages != ALIGN_UP(size, PAGE_SIZE) >> PAGE_SHIFT)
		report_bug("BUG: free_pages_exact(%p, %zu) but it has %u pages", virt, size, page->nr_pages);
	put_page(page);
}

KMEM_API unsigned long alloc_pages_bulk(gfp_t gfp, unsigned long nr_pages, struct page **page_array)
{
	unsigned long i;

	for (i = 0; i < nr_pages; i++) {
		if (page_array[i])
			continue;
		page_array[i] = alloc_user_pages(gfp, 0);
		if (!page_array[i])
			break;
	}
	return i;
}

KMEM_API void split_page(struct page *page, unsigned int order)
{
	uint32_t i;

	BUG_ON(page->type != KMEM_PAGE_PAGES || page->order != order);
	BUG_ON(page->flags & KMEM_PG_COMP);
	for (i = 0; i < 1u << order; i++) {
		struct page *one = page + i;

		one->order = 0;
		one->nr_pages = 1;
		one->refcount = 1;
		one->flags = 0;
		one->migratetype = page->migratetype;
		*addr_to_id(page_to_addr(one)) = KMEM_ID_PAGES;
		page_set_type(one, KMEM_PAGE_PAGES);
	}
}

KMEM_API void get_page(struct page *page)
{
	__atomic_fetch_add(&page->refcount, 1, __ATOMIC_RELAXED);
}

KMEM_API void put_page(struct page *page)
{
	int left = __atomic_sub_fetch(&page->refcount, 1, __ATOMIC_ACQ_REL);

	if (left < 0)
		report_bug("BUG: Bad page: reference count of %p fell below 0", page_to_addr(page));
	if (!left) {
		*addr_to_id(page_to_addr(page)) = KMEM_ID_NONE;
		page_free_exact(page);
	}
}

KMEM_API int page_count(const struct page *page)
{
	return READ_ONCE(page->refcount);
}

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

KMEM_API size_t kmem_page_purge(unsigned int min_order)
{
	pcp_drain_all();
	return purge_blocks(MIN(min_order, (unsigned int)MAX_PAGE_ORDER), 0);
}

KMEM_API size_t drain_all_pages(void)
{
	return pcp_drain_all();
}
