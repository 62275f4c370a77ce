/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page.h - the page allocator: blocks of 2^order pages of 4 KiB, orders 0-10.
 *
 * Semantics follow mm/page_alloc.c of Linux 6.12; docs/KERNEL-DIFFERENCES.md
 * lists what differs. All calls are thread safe. None calls malloc().
 */
#ifndef KMEM_PAGE_H
#define KMEM_PAGE_H

#include <stddef.h>
#include <kmem/attr.h>
#include <kmem/gfp.h>

KMEM_BEGIN

#define PAGE_SHIFT     12
#define PAGE_SIZE      (1UL << PAGE_SHIFT)
#define PAGE_MASK      (~(PAGE_SIZE - 1))
#define PAGE_ALIGN(n)  (((size_t)(n) + PAGE_SIZE - 1) & PAGE_MASK)
#define MAX_PAGE_ORDER 10
#define NR_PAGE_ORDERS (MAX_PAGE_ORDER + 1)

struct page;

/*
 * Allocate 2^order pages, naturally aligned.
 * Context: may block when gfp has __GFP_DIRECT_RECLAIM. Return: the first
 * page's descriptor; NULL when out of memory or when order > MAX_PAGE_ORDER
 * (reported once, as the kernel warns). The block has a reference count of 1.
 */
KMEM_API struct page *alloc_pages(gfp_t gfp, unsigned int order) KMEM_CHECK;
KMEM_API struct page *alloc_pages_node(int nid, gfp_t gfp, unsigned int order) KMEM_CHECK;
#define alloc_page(gfp) alloc_pages(gfp, 0)

/*
 * Free a block: `order` as allocated, else reported as a bad page. NULL is ignored.
 * While somebody holds another reference on it, a compound page lives on; of
 * another block the first page does, and the rest is freed at once. Any context.
 */
KMEM_API void __free_pages(struct page *page, unsigned int order);
#define __free_page(page) __free_pages((page), 0)

/* As above, by address: 0 on failure, not NULL. free_pages(0, order) is ignored. */
KMEM_API unsigned long __get_free_pages(gfp_t gfp, unsigned int order) KMEM_CHECK;
KMEM_API unsigned long get_zeroed_page(gfp_t gfp) KMEM_CHECK;
KMEM_API void free_pages(unsigned long addr, unsigned int order);
#define __get_free_page(gfp) __get_free_pages(gfp, 0)
#define free_page(addr) free_pages((addr), 0)

/*
 * Allocate `size` bytes rounded up to whole pages; pages beyond that are given
 * back at once. Return: page-aligned address or NULL (also for more than 4 MiB).
 * Free with free_pages_exact() and the same size.
 */
KMEM_API void *alloc_pages_exact(size_t size, gfp_t gfp) KMEM_MALLOC KMEM_SIZE(1);
KMEM_API void *alloc_pages_exact_nid(int nid, size_t size, gfp_t gfp) KMEM_MALLOC KMEM_SIZE(2);
KMEM_API void free_pages_exact(void *virt, size_t size);

/*
 * Fill the NULL entries of page_array[0 .. nr_pages) with order-0 pages.
 * Return: how many entries are populated; may be fewer than asked for.
 */
KMEM_API unsigned long alloc_pages_bulk(gfp_t gfp, unsigned long nr_pages, struct page **page_array) KMEM_CHECK;
KMEM_API unsigned long alloc_pages_bulk_node(gfp_t gfp, int nid, unsigned long nr_pages, struct page **page_array)
	KMEM_CHECK;

/* Free the entries of page_array[0 .. nr_pages) that are not NULL, and make them so. */
KMEM_API void free_pages_bulk(unsigned long nr_pages, struct page **page_array);

/* Turn a non-compound block of 2^order pages into 2^order blocks of order 0, one reference each. */
KMEM_API void split_page(struct page *page, unsigned int order);

/*
 * Reference count of a block; given a tail of a compound page, of that. put_page()
 * frees with the last reference.
 */
KMEM_API void get_page(struct page *page);
KMEM_API void put_page(struct page *page);
KMEM_API int page_count(const struct page *page);

/*
 * The count itself, without looking for a head. sub_and_test: whether none is left;
 * the caller then owns the page. add_unless_zero: 0 when the page was free, for
 * who finds a page without holding a reference.
 */
KMEM_API int page_ref_count(const struct page *page);
KMEM_API void page_ref_add(struct page *page, int n);
KMEM_API int page_ref_sub_and_test(struct page *page, int n);
KMEM_API int page_ref_add_unless_zero(struct page *page, int n);

/* A compound page (__GFP_COMP) from any of its pages; its order and pages: 0 and 1 for others. */
KMEM_API struct page *compound_head(const struct page *page) KMEM_CHECK;
KMEM_API unsigned int compound_order(const struct page *page) KMEM_CHECK;
KMEM_API unsigned long compound_nr(const struct page *page) KMEM_CHECK;

/*
 * Page fragments: pieces of up to 32 KiB cut from a block that is freed when all
 * of its pieces are. The cache starts as zeroes and is its owner's: no lock. NULL:
 * out of memory, or the size is 0 or too large. page_frag_free() from anywhere.
 * page_frag_cache_drain() drops the block in use, pieces stay valid.
 */
#define PAGE_FRAG_CACHE_MAX_ORDER 3
#define PAGE_FRAG_CACHE_MAX_SIZE  ((unsigned int)PAGE_SIZE << PAGE_FRAG_CACHE_MAX_ORDER)

struct page_frag_cache {
	void *va;            /* of the block, NULL without one */
	unsigned int offset; /* pieces are cut from below here */
	unsigned int size;
	int pagecnt_bias;    /* references of the block that are ours */
};

KMEM_API void *page_frag_alloc(struct page_frag_cache *nc, unsigned int fragsz, gfp_t gfp) KMEM_CHECK;
KMEM_API void *page_frag_alloc_align(struct page_frag_cache *nc, unsigned int fragsz, gfp_t gfp, unsigned int align)
	KMEM_CHECK;
KMEM_API void page_frag_free(void *addr);
KMEM_API void page_frag_cache_drain(struct page_frag_cache *nc);

/* Descriptor of the page that holds addr, NULL when addr is not arena memory; and back. */
KMEM_API struct page *virt_to_page(const void *addr) KMEM_CHECK;
KMEM_API void *page_address(const struct page *page) KMEM_CHECK;
KMEM_API unsigned long page_to_pfn(const struct page *page) KMEM_CHECK;
KMEM_API struct page *pfn_to_page(unsigned long pfn) KMEM_CHECK;
KMEM_API int page_to_nid(const struct page *page) KMEM_CHECK;

/* Smallest order whose block holds `size` bytes; 0 for 0 bytes. */
KMEM_API int get_order(size_t size) __attribute__((const));

/*
 * Give free memory back to the system: free blocks of at least `min_order`,
 * per-CPU lists first. Return: bytes given back by this call.
 */
KMEM_API size_t kmem_page_purge(unsigned int min_order);

/* Return every page parked in per-CPU lists to the buddy. Return: pages moved. */
KMEM_API size_t drain_all_pages(void);

KMEM_END

#endif
