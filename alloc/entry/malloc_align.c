/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * malloc_align.c - the C library's functions that take an alignment
 * (libkmem-malloc.so): memalign() and its family. Edge cases follow glibc.
 */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

#include <kmem/attr.h>

#include "base/fault.h"
#include "base/trace.h"
#include "entry/heap.h"
#include "page/alloc.h"
#include "page/large.h"
#include "slab/sampler.h"
#include "slab/debug_large.h"
#include "slab/kmalloc.h"
#include "slab/watch.h"

/* With an address range of its own. */
static void *aligned_mapping(size_t align, size_t bytes)
{
	struct page *page = large_map_aligned(MAX(bytes, (size_t)1), align, -1);

	return page ? page_to_addr(page) : NULL;
}

/* Whole pages: blocks of the buddy are aligned to their size. */
static void *aligned_pages(size_t align, size_t size)
{
	size_t bytes = debug_large_size(size);
	unsigned int order;
	struct page *page;

	if (size > PTRDIFF_MAX)
		return NULL;
	if (size > KMALLOC_MAX_SIZE || align > BLOCK_BYTES)
		return aligned_mapping(align, bytes);
	order = (unsigned int)MAX(get_order(bytes), get_order(align));
	page = page_alloc(HEAP_GFP, order, KMEM_PAGE_LARGE);
	if (!page)
		return NULL;
	page->size = size;
	page_trim(page, (uint32_t)MAX(ALIGN_UP(bytes, PAGE_SIZE) >> PAGE_SHIFT, (size_t)1));
	WRITE_ONCE(*addr_to_id(page_to_addr(page)), KMEM_ID_LARGE);
	return page_to_addr(page);
}

static void *aligned_object(struct kmem_cache *s, size_t size, const void *call_site)
{
	const struct slab_request request = { HEAP_GFP, -1, size, call_site };

	return trace_on(TRACE_KMALLOC) ? watch_alloc(s, &request) : slub_alloc_request(s, &request);
}

void *heap_memalign(size_t align, size_t size, const void *call_site)
{
	struct kmem_cache *s;
	void *p;

	if (align <= GRAIN || (align <= ALIGNMENT && size > GRAIN))
		return heap_alloc(size, HEAP_GFP, call_site);
	s = heap_aligned_class(align, size);
	if (s)
		p = aligned_object(s, size, call_site);
	else
		p = trace_on(TRACE_KMALLOC) && fault_object(HEAP_GFP, call_site) ? NULL : aligned_pages(align, size);
	if (!s && p && trace_on(TRACE_KMALLOC))
		debug_large_alloc(p, size, false, call_site);
	if (!s && p && sample_on())
		sampler_large(p, size, call_site);
	if (trace_on(TRACE_KMALLOC))
		heap_watched(p, size, s ? s->size : ALIGN_UP(size, PAGE_SIZE), HEAP_GFP, call_site);
	if (!p)
		errno = ENOMEM;
	return p;
}

KMEM_API void *memalign(size_t align, size_t size)
{
	if (align > SIZE_MAX / 2 + 1) {
		errno = EINVAL;
		return NULL;
	}
	/* As glibc: any alignment is rounded up to a power of two. */
	return heap_memalign(roundup_pow2(align), size, __builtin_return_address(0));
}

KMEM_API void *aligned_alloc(size_t align, size_t size)
{
	if (!is_pow2(align)) {
		errno = EINVAL;
		return NULL;
	}
	return heap_memalign(align, size, __builtin_return_address(0));
}

KMEM_API int posix_memalign(void **out, size_t align, size_t size)
{
	int saved = errno;
	void *p;

	if (!is_pow2(align) || align % sizeof(void *))
		return EINVAL;
	p = heap_memalign(align, size, __builtin_return_address(0));
	errno = saved;
	if (!p)
		return ENOMEM;
	*out = p;
	return 0;
}

KMEM_API void *valloc(size_t size)
{
	return heap_memalign(PAGE_SIZE, size, __builtin_return_address(0));
}

KMEM_API void *pvalloc(size_t size)
{
	if (size > PTRDIFF_MAX) {
		errno = ENOMEM;
		return NULL;
	}
	return heap_memalign(PAGE_SIZE, MAX(ALIGN_UP(size, PAGE_SIZE), PAGE_SIZE), __builtin_return_address(0));
}
