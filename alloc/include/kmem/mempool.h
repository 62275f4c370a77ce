/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mempool.h - allocation that cannot fail: a reserve of min_nr elements in front
 * of any allocator (include/linux/mempool.h of Linux 6.12; the bulk calls as in
 * 6.19).
 *
 * mempool_alloc() tries, in this order: the allocator below with what costs it
 * no effort (no __GFP_DIRECT_RECLAIM, no __GFP_IO); the reserve; the allocator
 * with all that the caller allows; and then sleeps until an element comes back,
 * trying again every 5 s. Whoever may sleep, and frees what it got sooner or
 * later, never sees NULL. Threads are served in the order in which they came.
 *
 * Thread safe, but for creation and destruction of one pool. Allocators of the
 * program are called without a lock held.
 */
#ifndef KMEM_MEMPOOL_H
#define KMEM_MEMPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <kmem/attr.h>
#include <kmem/gfp.h>

KMEM_BEGIN

struct kmem_cache;
struct kmem_mempool;

/* An allocator below: one element or NULL; it may sleep only with __GFP_DIRECT_RECLAIM. And its free. */
typedef void *(mempool_alloc_t)(gfp_t gfp_mask, void *pool_data);
typedef void (mempool_free_t)(void *element, void *pool_data);

/* A pool. Its members are the library's business; all zero is a pool that is not initialised. */
typedef struct mempool {
	struct kmem_mempool *live; /* counters and lock: kmem/observe_pool.h */
	void **elements;           /* the reserve */
	void *pool_data;
	mempool_alloc_t *alloc;
	mempool_free_t *free;
} mempool_t;

/*
 * Make a pool and fill its reserve. mempool_init*() uses memory of the caller's.
 * The node variants take the array of elements from node `node_id`, with gfp_mask.
 * min_nr: 0 keeps one element. Context: may block. Return: NULL, or -ENOMEM, when
 * memory is out; with one line on stderr, and -EINVAL, when min_nr is negative.
 */
KMEM_API mempool_t *mempool_create(int min_nr, mempool_alloc_t *alloc_fn, mempool_free_t *free_fn,
				   void *pool_data) KMEM_CHECK;
KMEM_API mempool_t *mempool_create_node(int min_nr, mempool_alloc_t *alloc_fn, mempool_free_t *free_fn,
					void *pool_data, gfp_t gfp_mask, int node_id) KMEM_CHECK;
KMEM_API int mempool_init(mempool_t *pool, int min_nr, mempool_alloc_t *alloc_fn, mempool_free_t *free_fn,
			  void *pool_data) KMEM_CHECK;
KMEM_API int mempool_init_node(mempool_t *pool, int min_nr, mempool_alloc_t *alloc_fn, mempool_free_t *free_fn,
			       void *pool_data, gfp_t gfp_mask, int node_id) KMEM_CHECK;

/*
 * Free the reserve, and what mempool_create() made. Elements handed out stay
 * valid, but nobody is left to give them to: missing ones of the reserve are
 * reported. mempool_exit() of a pool that is all zero, and
 * mempool_destroy(NULL), do nothing. A pool destroyed before is reported and the
 * process aborts; so it does when threads wait in it, or resize it. Use of a pool
 * after its end is reported, too, as long as its memory is not used for something
 * else.
 */
KMEM_API void mempool_exit(mempool_t *pool);
KMEM_API void mempool_destroy(mempool_t *pool);

/*
 * One element. Context: sleeps only with __GFP_DIRECT_RECLAIM. Return: NULL only
 * without it. __GFP_ZERO is reported once and ignored: elements in reserve are
 * not cleared.
 */
KMEM_API void *mempool_alloc(mempool_t *pool, gfp_t gfp_mask) KMEM_MALLOC;

/* From the reserve only: never sleeps. From the allocator below only: may return NULL whatever gfp_mask is. */
KMEM_API void *mempool_alloc_preallocated(mempool_t *pool) KMEM_MALLOC;
KMEM_API void *mempool_alloc_noreserve(mempool_t *pool, gfp_t gfp_mask) KMEM_MALLOC;

/*
 * Give back an element: to the reserve if that is short, else to the allocator below.
 * NULL is ignored. An element that is among the newest 64 of the reserve is reported
 * and left alone; others that were freed before are the business of the allocator.
 */
KMEM_API void mempool_free(void *element, mempool_t *pool);

/*
 * Fill the NULL entries of elems[0 .. count); `allocated` others are there.
 * count: at most min_nr, for only then is it certain to end. May sleep. Return: 0.
 */
KMEM_API int mempool_alloc_bulk(mempool_t *pool, void **elems, unsigned int count, unsigned int allocated);

/*
 * Give elements, from elems[0] on, to the reserve as far as it is short, and set
 * their entries to NULL. Return: how many; the others are still the caller's.
 */
KMEM_API unsigned int mempool_free_bulk(mempool_t *pool, void **elems, unsigned int count);

/*
 * Change the size of the reserve. What is too much goes to the allocator below;
 * what is missing is allocated, and if that fails comes from later frees. Several
 * threads may do so at once: one of their sizes remains.
 * Context: may block. Return: 0; -ENOMEM, nothing changed; -EINVAL, with one line
 * on stderr, when new_min_nr is not positive.
 */
KMEM_API int mempool_resize(mempool_t *pool, int new_min_nr);

/* Whether it was initialised; whether the reserve is full. */
static inline bool mempool_initialized(const mempool_t *pool)
{
	return pool->elements != NULL;
}

KMEM_API bool mempool_is_saturated(const mempool_t *pool);

/* ---- allocators below ---- */

/* pool_data: a struct kmem_cache without constructor; a size in bytes; likewise; an order of pages. */
KMEM_API void *mempool_alloc_slab(gfp_t gfp_mask, void *pool_data) KMEM_CHECK;
KMEM_API void mempool_free_slab(void *element, void *pool_data);
KMEM_API void *mempool_kmalloc(gfp_t gfp_mask, void *pool_data) KMEM_CHECK;
KMEM_API void mempool_kfree(void *element, void *pool_data);
KMEM_API void *mempool_kvmalloc(gfp_t gfp_mask, void *pool_data) KMEM_CHECK;
KMEM_API void mempool_kvfree(void *element, void *pool_data);
/* An element is a struct page. */
KMEM_API void *mempool_alloc_pages(gfp_t gfp_mask, void *pool_data) KMEM_CHECK;
KMEM_API void mempool_free_pages(void *element, void *pool_data);

/* Pools over them. */
KMEM_API mempool_t *mempool_create_slab_pool(int min_nr, struct kmem_cache *kc) KMEM_CHECK;
KMEM_API int mempool_init_slab_pool(mempool_t *pool, int min_nr, struct kmem_cache *kc) KMEM_CHECK;
KMEM_API mempool_t *mempool_create_kmalloc_pool(int min_nr, size_t size) KMEM_CHECK;
KMEM_API int mempool_init_kmalloc_pool(mempool_t *pool, int min_nr, size_t size) KMEM_CHECK;
KMEM_API mempool_t *mempool_create_kvmalloc_pool(int min_nr, size_t size) KMEM_CHECK;
KMEM_API int mempool_init_kvmalloc_pool(mempool_t *pool, int min_nr, size_t size) KMEM_CHECK;
KMEM_API mempool_t *mempool_create_page_pool(int min_nr, int order) KMEM_CHECK;
KMEM_API int mempool_init_page_pool(mempool_t *pool, int min_nr, int order) KMEM_CHECK;

/* ---- what the kernel lacks ---- */

/* The name that tools show (47 bytes, the rest is cut off): "slab-<cache>", "kmalloc-<bytes>", ... if none is given. */
KMEM_API void mempool_set_name(mempool_t *pool, const char *name);

struct mempool_stat {
	int min_nr, curr_nr;     /* size of the reserve; elements in it */
	int low_water;           /* fewest ever in it */
	unsigned int waiting;    /* threads asleep in mempool_alloc() */
	uint64_t reserve_hits;   /* elements taken from the reserve */
	uint64_t refills;        /* elements given back to it */
	uint64_t waits;          /* allocations that had to sleep */
	uint64_t wait_ns;        /* sum of their sleeps */
	uint64_t longest_wait_ns;
	uint64_t failures;       /* allocations that returned NULL */
	uint64_t resizes;
};
KMEM_API void mempool_stat(const mempool_t *pool, struct mempool_stat *stat);

KMEM_END

#endif
