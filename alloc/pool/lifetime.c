/* SPDX-License-Identifier: BSD-2-Clause */
/* lifetime.c - mempools begin and end; see lifetime.h and kmem/mempool.h. */
#include "pool/lifetime.h"

#include <errno.h>

#include <kmem/slab.h>

#include "base/os.h"
#include "base/report.h"
#include "pool/backend.h"
#include "pool/reserve.h"
#include "slab/kmalloc.h"

/*
 * What a pool that was destroyed points to. Frees find its reserve full and call
 * dead_free(); allocations get nothing from dead_alloc(), and slow paths find out.
 */
static struct kmem_mempool dead KMEM_STATE_SET = { .curr_nr = INT32_MAX, .promised = INT32_MAX };

static void *dead_alloc(gfp_t gfp, void *pool)
{
	(void)gfp;
	(void)pool;
	return NULL;
}

static void dead_free(void *element, void *pool)
{
	report("BUG: mempool_free(%p, %p): not a live mempool; the element was left alone", element, pool);
	report_misuse_end(true);
}

static void bury(mempool_t *pool)
{
	pool->live = &dead;
	pool->elements = NULL;
	pool->pool_data = pool;
	pool->alloc = dead_alloc;
	pool->free = dead_free;
}

bool mempool_is_live(const mempool_t *pool, const char *function)
{
	const struct kmem_mempool *m = pool->live;

	if (likely(table_has_mempool(m) && m->state == KMEM_POOL_LIVE && m->pool == (uintptr_t)pool))
		return true;
	report("BUG: %s(%p): not a live mempool", function, (const void *)pool);
	report_misuse_end(true);
	return false;
}

/* ---- creation ---- */

static int fill(mempool_t *pool, gfp_t gfp)
{
	struct kmem_mempool *m = pool->live;

	while (m->curr_nr < MAX(m->min_nr, 1)) {
		void *element = pool->alloc(gfp, pool->pool_data);

		if (!element)
			return -ENOMEM;
		reserve_lock(m);
		reserve_push(m, element);
		reserve_unlock(m);
	}
	return 0;
}

static void drop_reserve(mempool_t *pool)
{
	struct kmem_mempool *m = pool->live;

	while (m->curr_nr) {
		void *element;

		reserve_lock(m);
		element = reserve_pop(m);
		reserve_unlock(m);
		pool->free(element, pool->pool_data);
	}
}

static int init_from(mempool_t *pool, int min_nr, gfp_t gfp, int node, const void *call_site)
{
	struct kmem_mempool *m;
	int rc;

	pool->live = NULL;
	pool->elements = NULL;
	if (min_nr < 0) {
		report("mempool: min_nr is %d; it cannot be negative", min_nr);
		return -EINVAL;
	}
	m = table_take_mempool();
	if (!m)
		return -ENOMEM;
	/* NULL beyond curr_nr, so that a leak scan finds nothing there. */
	pool->elements = kmalloc_at(sizeof(void *) * (size_t)MAX(min_nr, 1), gfp | __GFP_ZERO, node, call_site);
	if (!pool->elements) {
		table_put_mempool(m);
		return -ENOMEM;
	}
	m->pool = (uintptr_t)pool;
	m->elements = (uintptr_t)pool->elements;
	m->min_nr = min_nr;
	m->capacity = (uint64_t)MAX(min_nr, 1);
	m->created_ns = os_now_ns();
	m->call_site = (uintptr_t)call_site;
	backend_describe(m, pool->alloc, pool->pool_data);
	__atomic_store_n(&m->state, KMEM_POOL_LIVE, __ATOMIC_RELEASE);
	pool->live = m;
	rc = fill(pool, gfp);
	if (rc)
		mempool_exit(pool);
	else
		m->low_water = m->curr_nr;
	return rc;
}

static int init_with(mempool_t *pool, int min_nr, const mempool_t *functions, gfp_t gfp, int node,
		     const void *call_site)
{
	pool->alloc = functions->alloc;
	pool->free = functions->free;
	pool->pool_data = functions->pool_data;
	return init_from(pool, min_nr, gfp, node, call_site);
}

static mempool_t *create_with(int min_nr, const mempool_t *functions, gfp_t gfp, int node, const void *call_site)
{
	mempool_t *pool = kmalloc_at(sizeof(*pool), gfp | __GFP_ZERO, node, call_site);

	if (pool && init_with(pool, min_nr, functions, gfp, node, call_site)) {
		kfree_from(pool, call_site);
		return NULL;
	}
	return pool;
}

#define FUNCTIONS(alloc_fn, free_fn, data) \
	(&(const mempool_t){ .alloc = (alloc_fn), .free = (free_fn), .pool_data = (data) })
#define SLAB_FUNCTIONS(kc)      FUNCTIONS(mempool_alloc_slab, mempool_free_slab, (kc))
#define KMALLOC_FUNCTIONS(size) FUNCTIONS(mempool_kmalloc, mempool_kfree, (void *)(uintptr_t)(size))
#define KVMALLOC_FUNCTIONS(size) FUNCTIONS(mempool_kvmalloc, mempool_kvfree, (void *)(uintptr_t)(size))
#define PAGE_FUNCTIONS(order)   FUNCTIONS(mempool_alloc_pages, mempool_free_pages, (void *)(intptr_t)(order))
#define CALL_SITE               __builtin_return_address(0)

KMEM_API mempool_t *mempool_create(int min_nr, mempool_alloc_t *alloc_fn, mempool_free_t *free_fn, void *pool_data)
{
	return create_with(min_nr, FUNCTIONS(alloc_fn, free_fn, pool_data), GFP_KERNEL, -1, CALL_SITE);
}

KMEM_API mempool_t *mempool_create_node(int min_nr, mempool_alloc_t *alloc_fn, mempool_free_t *free_fn,
					void *pool_data, gfp_t gfp_mask, int node_id)
{
	return create_with(min_nr, FUNCTIONS(alloc_fn, free_fn, pool_data), gfp_mask, node_id, CALL_SITE);
}

KMEM_API int mempool_init(mempool_t *pool, int min_nr, mempool_alloc_t *alloc_fn, mempool_free_t *free_fn,
			  void *pool_data)
{
	return init_with(pool, min_nr, FUNCTIONS(alloc_fn, free_fn, pool_data), GFP_KERNEL, -1, CALL_SITE);
}

KMEM_API int mempool_init_node(mempool_t *pool, int min_nr, mempool_alloc_t *alloc_fn, mempool_free_t *free_fn,
			       void *pool_data, gfp_t gfp_mask, int node_id)
{
	return init_with(pool, min_nr, FUNCTIONS(alloc_fn, free_fn, pool_data), gfp_mask, node_id, CALL_SITE);
}

KMEM_API mempool_t *mempool_create_slab_pool(int min_nr, struct kmem_cache *kc)
{
	return create_with(min_nr, SLAB_FUNCTIONS(kc), GFP_KERNEL, -1, CALL_SITE);
}

KMEM_API int mempool_init_slab_pool(mempool_t *pool, int min_nr, struct kmem_cache *kc)
{
	return init_with(pool, min_nr, SLAB_FUNCTIONS(kc), GFP_KERNEL, -1, CALL_SITE);
}

KMEM_API mempool_t *mempool_create_kmalloc_pool(int min_nr, size_t size)
{
	return create_with(min_nr, KMALLOC_FUNCTIONS(size), GFP_KERNEL, -1, CALL_SITE);
}

KMEM_API int mempool_init_kmalloc_pool(mempool_t *pool, int min_nr, size_t size)
{
	return init_with(pool, min_nr, KMALLOC_FUNCTIONS(size), GFP_KERNEL, -1, CALL_SITE);
}

KMEM_API mempool_t *mempool_create_kvmalloc_pool(int min_nr, size_t size)
{
	return create_with(min_nr, KVMALLOC_FUNCTIONS(size), GFP_KERNEL, -1, CALL_SITE);
}

KMEM_API int mempool_init_kvmalloc_pool(mempool_t *pool, int min_nr, size_t size)
{
	return init_with(pool, min_nr, KVMALLOC_FUNCTIONS(size), GFP_KERNEL, -1, CALL_SITE);
}

KMEM_API mempool_t *mempool_create_page_pool(int min_nr, int order)
{
	return create_with(min_nr, PAGE_FUNCTIONS(order), GFP_KERNEL, -1, CALL_SITE);
}

KMEM_API int mempool_init_page_pool(mempool_t *pool, int min_nr, int order)
{
	return init_with(pool, min_nr, PAGE_FUNCTIONS(order), GFP_KERNEL, -1, CALL_SITE);
}

/* ---- destruction ---- */

/*
 * Threads that wait would sleep for ever. What is missing of the reserve, somebody
 * still has. Return: whether the pool may go.
 */
static bool may_exit(const mempool_t *pool)
{
	const struct kmem_mempool *m = pool->live;

	if (!mempool_is_live(pool, "mempool_exit"))
		return false;
	if (m->resizing) {
		report("BUG mempool %s: destroyed while it is being resized; it is kept", m->name);
		report_misuse_end(true);
		return false;
	}
	if (m->nr_waiting) {
		report("BUG mempool %s: destroyed while %u threads wait in it", m->name, m->nr_waiting);
		report_misuse_end(true);
		return false;
	}
	if (m->reserve_hits > m->refills && m->curr_nr < m->min_nr) {
		report("BUG mempool %s: destroyed with %d of %d elements of its reserve missing; "
		       "free all elements first", m->name, m->min_nr - m->curr_nr, m->min_nr);
		report_misuse_end(false);
	}
	return true;
}

KMEM_API void mempool_exit(mempool_t *pool)
{
	struct kmem_mempool *m = pool->live;

	if (!m || m == &dead || !may_exit(pool))
		return;
	drop_reserve(pool);
	kfree(pool->elements);
	bury(pool);
	table_put_mempool(m);
}

KMEM_API void mempool_destroy(mempool_t *pool)
{
	if (!pool || !mempool_is_live(pool, "mempool_destroy"))
		return;
	mempool_exit(pool);
	if (pool->live == &dead)
		kfree(pool);
}
