/* SPDX-License-Identifier: BSD-2-Clause */
/* The allocators below a mempool: what comes out of them, and how the pool over them is described. */
#include "support.h"

#include <kmem/page.h>

#include "pool/backend.h"

#define NUMBER(n) ((void *)(uintptr_t)(n))

Test(backend, gives_and_takes_back)
{
	struct kmem_cache *s = kmem_cache_create("below", 48, 0, 0, NULL);
	struct page *page;
	void *p;

	p = mempool_alloc_slab(GFP_KERNEL, s);
	cr_expect_eq(ksize(p), 48);
	ASSERT_BALANCED(s, 1);
	mempool_free_slab(p, s);
	ASSERT_BALANCED(s, 0);

	p = mempool_kmalloc(GFP_KERNEL, NUMBER(100));
	cr_expect_eq(ksize(p), 128);
	mempool_kfree(p, NUMBER(100));

	p = mempool_kvmalloc(GFP_KERNEL, NUMBER(5u << 20));
	cr_assert_not_null(p, "beyond what kmalloc() can");
	mempool_kvfree(p, NUMBER(5u << 20));

	page = mempool_alloc_pages(GFP_KERNEL, NUMBER(3));
	cr_expect_eq(page_count(page), 1);
	mempool_free_pages(page, NUMBER(3));
}

static void *own(gfp_t gfp, void *data)
{
	(void)gfp;
	return data;
}

Test(backend, is_described)
{
	struct kmem_mempool *m = table_take_mempool();
	struct kmem_cache *s = kmem_cache_create("described", 48, 0, SLAB_POISON, NULL);

	backend_describe(m, mempool_alloc_slab, s);
	cr_expect_eq(m->kind, KMEM_MEMPOOL_SLAB);
	cr_expect_eq(m->element_bytes, 48);
	cr_expect_eq(m->poison_bytes, 48, "as the cache poisons");
	cr_expect_str_eq(m->name, "slab-described");
	m->poison_bytes = 0;
	backend_describe(m, mempool_kmalloc, NUMBER(100));
	cr_expect_eq(m->kind, KMEM_MEMPOOL_KMALLOC);
	cr_expect_eq(m->element_bytes, 100);
	cr_expect_eq(m->poison_bytes, 0);
	cr_expect_str_eq(m->name, "kmalloc-100");
	backend_describe(m, mempool_kvmalloc, NUMBER(5u << 20));
	cr_expect_eq(m->kind, KMEM_MEMPOOL_KVMALLOC);
	cr_expect_str_eq(m->name, "kvmalloc-5242880");
	backend_describe(m, mempool_alloc_pages, NUMBER(2));
	cr_expect_eq(m->kind, KMEM_MEMPOOL_PAGES);
	cr_expect_eq(m->element_bytes, 4 * PAGE_SIZE);
	cr_expect_str_eq(m->name, "pages-order-2");
	m->kind = KMEM_MEMPOOL_CUSTOM;
	backend_describe(m, own, NULL);
	cr_expect_eq(m->kind, KMEM_MEMPOOL_CUSTOM);
	cr_expect_str_eq(m->name, "mempool-0");
}
