/* SPDX-License-Identifier: BSD-2-Clause */
/* The watched path: the same objects and the same counters as the fast one. */
#include "support.h"

#include <kmem/fastpath.h>
#include <kmem/fault.h>

#include "base/trace.h"
#include "slab/watch.h"

static struct kmem_cache *cache(void)
{
	struct kmem_cache *s = kmem_cache_create("watched", 96, 0, 0, NULL);

	cr_assert(s);
	return s;
}

Test(watch, alloc_and_free_are_those_of_the_cache)
{
	struct kmem_cache *s = cache();
	const struct slab_request request = { GFP_KERNEL | __GFP_ZERO, -1, 96, __builtin_return_address(0) };
	struct kmem_cache_stat stat;
	uint8_t *object = watch_alloc(s, &request);
	unsigned int i;

	cr_assert(object);
	for (i = 0; i < 96; i++)
		cr_assert_eq(object[i], 0);
	kmem_cache_stat(s, &stat);
	cr_expect_eq(stat.active, 1);
	watch_free(s, object, NULL);
	kmem_cache_stat(s, &stat);
	cr_expect_eq(stat.active, 0);
	cr_expect_eq(stat.allocs, 1);
	cr_expect_eq(stat.frees, 1);
	cr_expect_eq(kmem_cache_destroy(s), 0);
}

Test(watch, inline_calls_are_diverted_while_it_is_on)
{
	struct kmem_cache *s = cache();
	void *object;

	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	trace_watch(true);
	/* There is an object in the slot; pop and push leave it alone. */
	cr_expect(!kmem_slot_pop_dormant(s, &object));
	cr_expect(!kmem_slot_push_dormant(s, s));
	trace_watch(true);
	trace_watch(false);
	cr_expect(!kmem_slot_pop_dormant(s, &object));
	trace_watch(false);
	cr_assert(kmem_slot_pop_dormant(s, &object));
	cr_assert(kmem_slot_push_dormant(s, object));
	cr_expect_eq(kmem_cache_destroy(s), 0);
}

static bool zero(const void *p, size_t bytes)
{
	return all_bytes(p, bytes, 0);
}

static void fill(uint8_t *object)
{
	memset(object, 0x77, 96);
}

/* Free a dirty object and get it again. */
static uint8_t *recycle(struct kmem_cache *s)
{
	uint8_t *first = kmem_cache_alloc(s, GFP_KERNEL), *again;

	fill(first);
	kmem_cache_free(s, first);
	again = kmem_cache_alloc(s, GFP_KERNEL);
	cr_assert_eq(again, first);
	return again;
}

Test(watch, init_on_alloc_clears)
{
	struct kmem_cache *s = cache();
	struct kmem_cache *plain[] = {
		kmem_cache_create("ctor", 96, 0, 0, (void (*)(void *))fill),
		kmem_cache_create("typesafe", 96, 0, SLAB_TYPESAFE_BY_RCU, NULL),
	};
	void *p[64];
	int i;

	pin_to(0);
	kmem_set_init_on_alloc(true);
	cr_expect(zero(recycle(s), 96));
	for (i = 0; i < 2; i++)
		cr_expect(all_bytes(recycle(plain[i]), 96, 0x77), "%s", plain[i]->name);
	cr_expect_eq(kmem_cache_alloc_bulk(s, GFP_KERNEL, 64, p), 64);
	for (i = 0; i < 64; i++)
		fill(p[i]);
	kmem_cache_free_bulk(s, 64, p);
	cr_expect_eq(kmem_cache_alloc_bulk(s, GFP_KERNEL, 64, p), 64);
	for (i = 0; i < 64; i++)
		cr_expect(zero(p[i], 96));
	kmem_set_init_on_alloc(false);
	cr_expect(all_bytes(recycle(s), 96, 0x77));
}

Test(watch, init_on_free_clears)
{
	struct kmem_cache *s = cache();
	struct kmem_cache *ctor = kmem_cache_create("ctor", 96, 0, 0, (void (*)(void *))fill);
	uint8_t *kept = kmem_cache_alloc(s, GFP_KERNEL), *built = kmem_cache_alloc(ctor, GFP_KERNEL);

	kmem_set_init_on_free(true);
	fill(kept);
	kmem_cache_free(s, kept);
	kmem_cache_free(ctor, built);
	cr_expect(zero(kept, 96), "the moment it is freed");
	cr_expect(all_bytes(built, 96, 0x77), "constructed state stays");
}

Test(watch, init_on_alloc_clears_kmalloc_and_pages)
{
	size_t size;
	unsigned int order;

	kmem_set_init_on_alloc(true);
	for (size = 1; size <= (size_t)1 << 20; size = size * 3 / 2 + 1) {
		uint8_t *p = kmalloc(size, GFP_KERNEL);

		cr_expect(zero(p, size), "%zu", size);
		memset(p, 0x77, size);
		kfree(p);
		p = kmalloc(size, GFP_KERNEL);
		cr_expect(zero(p, size), "%zu", size);
		kfree(p);
	}
	for (order = 0; order <= MAX_PAGE_ORDER; order++) {
		uint8_t *p = (uint8_t *)__get_free_pages(GFP_KERNEL, order);

		memset(p, 0x77, PAGE_SIZE << order);
		free_pages((unsigned long)p, order);
		p = (uint8_t *)__get_free_pages(GFP_KERNEL, order);
		cr_expect(zero(p, PAGE_SIZE << order), "order %u", order);
		free_pages((unsigned long)p, order);
	}
}

Test(watch, init_on_free_clears_kmalloc_and_pages)
{
	uint8_t *small = kmalloc(200, GFP_KERNEL), *large = kmalloc(20000, GFP_KERNEL);
	uint8_t *pages = (uint8_t *)__get_free_pages(GFP_KERNEL, 1);

	memset(small, 0x77, 200);
	memset(large, 0x77, 20000);
	memset(pages, 0x77, 8192);
	kmem_set_init_on_free(true);
	kfree(small);
	kfree(large);
	free_pages((unsigned long)pages, 1);
	cr_expect(zero(small, 200) && zero(large, 20000) && zero(pages, 8192));
}

Test(watch, injected_failures_hit_every_kind_of_call)
{
	struct kmem_cache *s = cache(), *marked = kmem_cache_create("marked", 64, 0, SLAB_FAILSLAB, NULL);
	struct fault_attr a;
	struct kmem_cache_stat stat;
	void *object[4];

	kmem_fault_get(KMEM_FAILSLAB, &a);
	a.probability = 100;
	a.times = -1;
	a.verbose = 0;
	kmem_fault_set(KMEM_FAILSLAB, &a);
	cr_expect_null(kmem_cache_alloc(s, GFP_ATOMIC));
	cr_expect_null(kmem_cache_alloc_inline(s, GFP_ATOMIC));
	cr_expect_null(kmalloc(100, GFP_NOWAIT));
	cr_expect_eq(kmem_cache_alloc_bulk(s, GFP_ATOMIC, 4, object), 0);
	a.ignore_gfp_wait = false;
	a.cache_filter = true;
	kmem_fault_set(KMEM_FAILSLAB, &a);
	object[0] = kmem_cache_alloc(s, GFP_KERNEL);
	cr_expect_not_null(object[0]);
	cr_expect_null(kmem_cache_alloc(marked, GFP_KERNEL));
	object[1] = kmem_cache_alloc(marked, GFP_KERNEL | __GFP_NOFAIL);
	cr_expect_not_null(object[1]);
	kmem_cache_free(s, object[0]);
	kmem_cache_free(marked, object[1]);
	a.probability = 0;
	kmem_fault_set(KMEM_FAILSLAB, &a);
	kmem_cache_stat(s, &stat);
	cr_expect_eq(stat.active, 0);
	cr_expect_eq(kmem_cache_destroy(s), 0);
	cr_expect_eq(kmem_cache_destroy(marked), 0);
}

Test(watch, injected_failures_of_pages)
{
	struct fault_attr a;
	void *p;

	kmem_fault_get(KMEM_FAIL_PAGE_ALLOC, &a);
	a.probability = 100;
	a.times = 1;
	a.verbose = 0;
	a.ignore_gfp_wait = false;
	kmem_fault_set(KMEM_FAIL_PAGE_ALLOC, &a);
	cr_expect_null(kmalloc(100000, GFP_KERNEL));
	p = kmalloc(100000, GFP_KERNEL);
	cr_expect_not_null(p, "once");
	kfree(p);
}

Test(watch, fail_nth_of_the_thread)
{
	void *p, *q;

	/* A slab is there already: its pages would count, too. */
	kfree(kmalloc(100, GFP_KERNEL));
	kmem_fail_nth_set(2);
	p = kmalloc(100, GFP_NOWAIT);
	q = kmalloc(100, GFP_NOWAIT);
	cr_expect_not_null(p);
	cr_expect_null(q);
	kfree(p);
}
