/* SPDX-License-Identifier: BSD-2-Clause */
/* Events become records exactly when the batch probe is attached, with what the caller said. */
#include "support.h"

#include <kmem/page.h>
#include <kmem/slab.h>

#include "base/batch.h"
#include "base/depot.h"
#include "base/event.h"
#include "base/observe.h"
#include "entry/init.h"

/* The records of this thread since the start, which stays within one buffer. */
static unsigned int records(const struct kmem_batch_record **first)
{
	unsigned int cpu, count = 0;

	for (cpu = 0; cpu < batch_root.nr_cpus; cpu++) {
		uint64_t cursor = *(uint64_t *)(uintptr_t)(batch_root.cursors + ((uint64_t)cpu << KMEM_PERCPU_SHIFT));
		const struct kmem_batch *b = (const void *)(uintptr_t)(cursor & ~((uint64_t)KMEM_BATCH_BYTES - 1));

		if (!cursor)
			continue;
		count += (unsigned int)((cursor - (uintptr_t)b->record) / sizeof(b->record[0]));
		*first = b->record;
	}
	return count;
}

static void attach(uint32_t mode)
{
	unsigned int i;

	kmem_init();
	batch_root.mode = mode;
	for (i = 0; i <= TRACE_KMALLOC; i++)
		trace_semaphore[i].count++;
	trace_semaphore[TRACE_BATCH].count++;
}

static void detach(void)
{
	unsigned int i;

	for (i = 0; i <= TRACE_KMALLOC; i++)
		trace_semaphore[i].count--;
	trace_semaphore[TRACE_BATCH].count--;
}

Test(event, an_allocation_and_its_free_are_two_records)
{
	struct kmem_cache *s = kmem_cache_create("told", 40, 0, 0, NULL);
	const struct kmem_batch_record *r = NULL;
	void *object;

	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	attach(0);
	object = kmem_cache_alloc(s, GFP_ATOMIC | __GFP_ZERO);
	kmem_cache_free(s, object);
	detach();
	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	cr_assert_eq(records(&r), 2);
	cr_expect_eq(r[0].op, KMEM_BATCH_CACHE_ALLOC);
	cr_expect_eq(r[0].ptr, (uintptr_t)object);
	cr_expect_eq(r[0].size, 40);
	cr_expect_eq(r[0].cache, s->id);
	cr_expect_eq(r[0].flags, KMEM_BATCH_ATOMIC | KMEM_BATCH_ZERO);
	cr_expect_neq(r[0].site, 0);
	cr_expect_eq(r[1].op, KMEM_BATCH_CACHE_FREE);
	cr_expect_eq(r[1].ptr, (uintptr_t)object);
	cr_expect_eq(r[1].cache, s->id);
	cr_expect_gt(r[1].tsc, r[0].tsc);
}

Test(event, inline_calls_are_recorded_too)
{
	struct kmem_cache *s = kmem_cache_create("inline", 64, 0, 0, NULL);
	const struct kmem_batch_record *r = NULL;

	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	attach(0);
	kmem_cache_free_inline(s, kmem_cache_alloc_inline(s, GFP_KERNEL));
	detach();
	cr_expect_eq(records(&r), 2);
}

Test(event, kmalloc_and_pages)
{
	const struct kmem_batch_record *r = NULL;
	struct page *page;
	void *p;

	kfree(kmalloc(100, GFP_KERNEL | __GFP_ACCOUNT));
	free_pages((unsigned long)page_address(alloc_pages(GFP_KERNEL, 1)), 1);
	attach(KMEM_BATCH_NO_TIME);
	p = kmalloc(100, GFP_KERNEL | __GFP_ACCOUNT);
	kfree(p);
	page = alloc_pages(GFP_KERNEL, 1);
	__free_pages(page, 1);
	detach();
	cr_assert_eq(records(&r), 4);
	cr_expect_eq(r[0].op, KMEM_BATCH_KMALLOC);
	cr_expect_eq(r[0].size, 100);
	cr_expect_eq(r[0].flags, KMEM_BATCH_ACCOUNT);
	cr_expect_eq(r[0].tsc, 0);
	cr_expect_eq(r[1].op, KMEM_BATCH_KFREE);
	cr_expect_eq(r[1].ptr, (uintptr_t)p);
	cr_expect_eq(r[2].op, KMEM_BATCH_PAGE_ALLOC);
	cr_expect_eq(r[2].ptr, (uintptr_t)page_address(page));
	cr_expect_eq(r[2].size, 8192);
	cr_expect_eq(r[2].cache, KMEM_ID_NONE);
	cr_expect_eq(r[3].op, KMEM_BATCH_PAGE_FREE);
}

Test(event, a_failure_is_a_record_without_pointer)
{
	const struct kmem_batch_record *r = NULL;

	attach(0);
	cr_expect_null(kmalloc(KMALLOC_MAX_SIZE + 1, GFP_KERNEL | __GFP_NOWARN));
	detach();
	cr_assert_geq(records(&r), 1);
	cr_expect_eq(r[0].op, KMEM_BATCH_KMALLOC);
	cr_expect_eq(r[0].ptr, 0);
	cr_expect_eq(r[0].cache, KMEM_ID_NONE);
}

Test(event, sites_may_be_stacks)
{
	const struct kmem_batch_record *r = NULL;
	const struct kmem_depot_record *stack;

	kfree(kmalloc(100, GFP_KERNEL));
	attach(KMEM_BATCH_STACKS);
	kfree(kmalloc(100, GFP_KERNEL));
	detach();
	cr_assert_eq(records(&r), 2);
	cr_expect_eq(r[0].flags, KMEM_BATCH_STACK);
	stack = depot_stack((uint32_t)r[0].site);
	cr_assert_not_null(stack);
	cr_expect_geq(stack->nr, 1);
	cr_expect_eq(r[1].flags, 0, "frees have them only when asked for");
	cr_expect_neq(r[1].site, 0);
}

Test(event, sites_of_frees_may_be_stacks)
{
	struct kmem_cache *s = kmem_cache_create("stacks", 40, 0, 0, NULL);
	const struct kmem_batch_record *r = NULL;
	unsigned int i;

	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	kfree(kmalloc(100, GFP_KERNEL));
	attach(KMEM_BATCH_STACKS | KMEM_BATCH_FREE_STACKS);
	kfree(kmalloc(100, GFP_KERNEL));
	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	detach();
	cr_assert_eq(records(&r), 4);
	for (i = 0; i < 4; i++) {
		cr_expect_eq(r[i].flags, KMEM_BATCH_STACK);
		cr_expect_not_null(depot_stack((uint32_t)r[i].site));
	}
	cr_expect_neq(r[0].site, r[1].site);
}

Test(event, a_watched_process_is_recorded_as_well)
{
	struct kmem_cache *s = kmem_cache_create("both", 40, 0, SLAB_POISON, NULL);
	const struct kmem_batch_record *r = NULL;

	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	attach(0);
	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	detach();
	cr_assert_eq(records(&r), 2);
	cr_expect_eq(r[0].cache, s->id);
}
