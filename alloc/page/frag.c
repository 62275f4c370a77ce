/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frag.c - page fragments: small pieces cut from a block of 32 KiB that is freed
 * with its last piece, as mm/page_frag_cache.c does for network buffers.
 *
 * The block gets more references than it can have pieces, once; the cache keeps
 * count of what it has given away without atomics ("bias"), and settles when the
 * block is used up.
 */
#include <kmem/page.h>

#include "base/base.h"
#include "page/page.h"

#define BIAS ((int)PAGE_FRAG_CACHE_MAX_SIZE)

/* A new block of 32 KiB, or of a page when there is none. */
static bool refill(struct page_frag_cache *nc, gfp_t gfp)
{
	/* The kernel takes reclaim away here; to grow is no more work for 32 KiB than for 4. */
	gfp_t light = gfp | __GFP_COMP | __GFP_NOWARN | __GFP_NORETRY | __GFP_NOMEMALLOC;
	struct page *page = alloc_pages(light, PAGE_FRAG_CACHE_MAX_ORDER);

	if (!page)
		page = alloc_pages(gfp, 0);
	if (!page)
		return false;
	nc->va = page_address(page);
	nc->size = (unsigned int)PAGE_SIZE << compound_order(page);
	nc->offset = nc->size;
	page_ref_add(page, BIAS);
	nc->pagecnt_bias = BIAS + 1;
	return true;
}

/* All pieces of the block are back: it starts again, without another allocation. */
static bool reuse(struct page_frag_cache *nc)
{
	struct page *page = virt_to_page(nc->va);

	if (!page_ref_sub_and_test(page, nc->pagecnt_bias)) {
		nc->va = NULL;
		return false;
	}
	page_ref_add(page, BIAS + 1);
	nc->pagecnt_bias = BIAS + 1;
	nc->offset = nc->size;
	return true;
}

KMEM_API void *page_frag_alloc_align(struct page_frag_cache *nc, unsigned int fragsz, gfp_t gfp, unsigned int align)
{
	unsigned int mask = ~(align - 1);

	if (!fragsz || fragsz > PAGE_FRAG_CACHE_MAX_SIZE || !is_pow2(align) || align > PAGE_SIZE)
		return NULL;
	if (!nc->va && !refill(nc, gfp))
		return NULL;
	/* From the end downwards, as the kernel does: the offset is then also what is left. */
	if (nc->offset < fragsz) {
		if (!reuse(nc) && !refill(nc, gfp))
			return NULL;
		if (nc->size < fragsz)
			return NULL;
	}
	nc->offset = (nc->offset - fragsz) & mask;
	nc->pagecnt_bias--;
	return (char *)nc->va + nc->offset;
}

KMEM_API void *page_frag_alloc(struct page_frag_cache *nc, unsigned int fragsz, gfp_t gfp)
{
	return page_frag_alloc_align(nc, fragsz, gfp, 1);
}

KMEM_API void page_frag_free(void *addr)
{
	if (addr)
		put_page(virt_to_page(addr));
}

KMEM_API void page_frag_cache_drain(struct page_frag_cache *nc)
{
	struct page *page = nc->va ? virt_to_page(nc->va) : NULL;

	nc->va = NULL;
	if (!page)
		return;
	/* All but one reference at once; the last one frees. */
	if (nc->pagecnt_bias > 1)
		page_ref_add(page, 1 - nc->pagecnt_bias);
	put_page(page);
}
