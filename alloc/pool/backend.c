/* SPDX-License-Identifier: BSD-2-Clause */
/* backend.c - the allocators that a mempool may stand on: a cache, kmalloc(), kvmalloc(), pages. */
#include "pool/backend.h"

#include <kmem/slab.h>

#include "base/report.h"
#include "page/page.h"
#include "slab/kmalloc.h"

KMEM_API void *mempool_alloc_slab(gfp_t gfp_mask, void *pool_data)
{
	return kmem_cache_alloc(pool_data, gfp_mask);
}

KMEM_API void mempool_free_slab(void *element, void *pool_data)
{
	kmem_cache_free(pool_data, element);
}

KMEM_API void *mempool_kmalloc(gfp_t gfp_mask, void *pool_data)
{
	return kmalloc((size_t)(uintptr_t)pool_data, gfp_mask);
}

KMEM_API void mempool_kfree(void *element, void *pool_data)
{
	(void)pool_data;
	kfree(element);
}

KMEM_API void *mempool_kvmalloc(gfp_t gfp_mask, void *pool_data)
{
	return kvmalloc((size_t)(uintptr_t)pool_data, gfp_mask);
}

KMEM_API void mempool_kvfree(void *element, void *pool_data)
{
	(void)pool_data;
	kvfree(element);
}

KMEM_API void *mempool_alloc_pages(gfp_t gfp_mask, void *pool_data)
{
	return alloc_pages(gfp_mask, (unsigned int)(uintptr_t)pool_data);
}

KMEM_API void mempool_free_pages(void *element, void *pool_data)
{
	__free_pages(element, (unsigned int)(uintptr_t)pool_data);
}

static void describe_slab(struct kmem_mempool *m, const struct kmem_cache *s)
{
	m->kind = KMEM_MEMPOOL_SLAB;
	m->element_bytes = s->object_size;
	m->poison_bytes = s->flags & SLAB_POISON && !s->ctor ? s->object_size : 0;
	report_format(m->name, sizeof(m->name), "slab-%s", s->name);
}

static void describe_kmalloc(struct kmem_mempool *m, size_t size)
{
	m->kind = KMEM_MEMPOOL_KMALLOC;
	m->element_bytes = size;
	if (size && size <= KMALLOC_MAX_CACHE_SIZE && kmalloc_cache(size, GFP_KERNEL)->flags & SLAB_POISON)
		m->poison_bytes = size;
	report_format(m->name, sizeof(m->name), "kmalloc-%zu", size);
}

void backend_describe(struct kmem_mempool *m, mempool_alloc_t *alloc_fn, void *pool_data)
{
	size_t number = (size_t)(uintptr_t)pool_data;

	if (alloc_fn == mempool_alloc_slab) {
		describe_slab(m, pool_data);
	} else if (alloc_fn == mempool_kmalloc) {
		describe_kmalloc(m, number);
	} else if (alloc_fn == mempool_kvmalloc) {
		m->kind = KMEM_MEMPOOL_KVMALLOC;
		m->element_bytes = number;
		report_format(m->name, sizeof(m->name), "kvmalloc-%zu", number);
	} else if (alloc_fn == mempool_alloc_pages) {
		m->kind = KMEM_MEMPOOL_PAGES;
		m->element_bytes = PAGE_SIZE << number;
		report_format(m->name, sizeof(m->name), "pages-order-%zu", number);
	} else {
		report_format(m->name, sizeof(m->name), "mempool-%u", (unsigned int)(m - table_mempool(0)));
	}
}
