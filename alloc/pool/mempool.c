/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mempool.c - pools with a reserve: allocation, free, resizing; see kmem/mempool.h.
 * They begin and end in lifetime.c; the reserve and its queue are in reserve.c.
 *
 * The common case of allocation and free touches nothing of the pool but three
 * words that do not change: the reserve is looked at only when the allocator
 * below fails, or when it is short.
 */
#include <kmem/mempool.h>

#include <errno.h>

#include <kmem/slab.h>

#include "base/fault.h"
#include "base/os.h"
#include "base/report.h"
#include "base/strict.h"
#include "base/trace.h"
#include "pool/lifetime.h"
#include "pool/reserve.h"
#include "slab/kmalloc.h"

/* ---- allocation ---- */

/* One call: which entries of elems[] are wanted, and how many of them are still missing. */
struct request {
	mempool_t *pool;
	void **elems;
	unsigned int count;
	int missing;
	gfp_t gfp;             /* all that the caller allows */
	const void *call_site;
};

static void got(const struct request *r, void *element, int reserve)
{
	if (trace_on(TRACE_MEMPOOL_ALLOC))
		trace_mempool_alloc(r->call_site, element, r->pool, r->pool->live->name, r->gfp, reserve);
}

/* The first round: what the allocator has at hand. The reserve is there for the rest. */
static gfp_t light(gfp_t gfp)
{
	return gfp & ~(__GFP_DIRECT_RECLAIM | __GFP_IO);
}

static gfp_t adjust(gfp_t gfp)
{
	return (gfp & ~__GFP_ZERO) | __GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN;
}

/* Fill entries from the allocator below, until it fails. */
static bool take_below(struct request *r, gfp_t gfp)
{
	unsigned int i;

	if (trace_on(TRACE_MEMPOOL_ALLOC) && fault_mempool(r->call_site))
		return false;
	for (i = 0; i < r->count && r->missing; i++) {
		if (r->elems[i])
			continue;
		r->elems[i] = r->pool->alloc(gfp, r->pool->pool_data);
		if (!r->elems[i])
			return false;
		r->missing--;
		got(r, r->elems[i], 0);
	}
	return true;
}

/* Fill the rest from the reserve, which has enough. Locked. */
static void take_reserve(struct request *r)
{
	struct kmem_mempool *m = r->pool->live;
	unsigned int i;

	for (i = 0; i < r->count && r->missing; i++) {
		if (r->elems[i])
			continue;
		r->elems[i] = reserve_pop(m);
		r->missing--;
		m->reserve_hits++;
		got(r, r->elems[i], 1);
	}
}

/*
 * Pairs with the fence in free_bulk_from(): who sees the element sees that the
 * reserve is short. x86 keeps stores in order, and loads: the compiler must, too.
 */
static void publish(void)
{
	__atomic_signal_fence(__ATOMIC_RELEASE);
}

static bool try_reserve(struct request *r)
{
	struct kmem_mempool *m = r->pool->live;
	bool has;

	reserve_lock(m);
	has = reserve_has(m, r->missing, r->gfp & __GFP_DIRECT_RECLAIM);
	if (has)
		take_reserve(r);
	reserve_unlock(m);
	publish();
	return has;
}

/* Awake, in the queue: take what was promised, or stay. Return: true when all is there and the queue was left. */
static bool take_promised(struct request *r, struct reserve_waiter *w, uint64_t start_ns)
{
	struct kmem_mempool *m = r->pool->live;
	uint64_t slept = os_now_ns() - start_ns;
	bool done;

	reserve_lock(m);
	if (w->granted)
		take_reserve(r);
	done = !r->missing;
	if (done) {
		reserve_leave(m, w);
		m->wait_ns += slept;
		m->longest_wait_ns = MAX(m->longest_wait_ns, slept);
	}
	w->need = r->missing;
	/* Fewer may be needed now, or none, of what was promised. */
	reserve_grant(m);
	reserve_unlock(m);
	publish();
	return done;
}

/* Once more from the reserve, or into the queue: under one lock, so that no free goes unnoticed in between. */
static bool try_reserve_or_join(struct request *r, struct reserve_waiter *w)
{
	struct kmem_mempool *m = r->pool->live;
	unsigned int waiting;
	bool has;

	reserve_lock(m);
	has = reserve_has(m, r->missing, true);
	if (has) {
		take_reserve(r);
	} else {
		reserve_join(m, w, r->missing);
		m->waits++;
	}
	waiting = m->nr_waiting;
	reserve_unlock(m);
	publish();
	if (!has && trace_on(TRACE_MEMPOOL_WAIT))
		trace_mempool_wait(r->call_site, r->pool, m->name, r->gfp, waiting);
	return has;
}

static void wait_for_elements(struct request *r)
{
	uint64_t start_ns = os_now_ns();
	struct reserve_waiter w;

	if (try_reserve_or_join(r, &w))
		return;
	do {
		reserve_sleep(&w);
		take_below(r, r->gfp);
	} while (!take_promised(r, &w, start_ns));
}

/* After the first round has failed. Return: whether everything is there. */
static bool take_slow(struct request *r)
{
	if (!mempool_is_live(r->pool, "mempool_alloc"))
		return false;
	if (try_reserve(r))
		return true;
	if (light(r->gfp) != r->gfp && take_below(r, r->gfp))
		return true;
	if (r->gfp & __GFP_DIRECT_RECLAIM) {
		wait_for_elements(r);
		return true;
	}
	if (try_reserve(r))
		return true;
	__atomic_fetch_add(&r->pool->live->failures, 1, __ATOMIC_RELAXED);
	return false;
}

static cold void complain_zero(const mempool_t *pool)
{
	static bool said KMEM_STATE;

	if (!__atomic_exchange_n(&said, true, __ATOMIC_RELAXED))
		report("mempool_alloc(%s): __GFP_ZERO is ignored: elements in reserve are not cleared; "
		       "clear them yourself", pool->live->name);
}

static noinline void *alloc_slow(mempool_t *pool, gfp_t gfp, const void *call_site)
{
	void *element = NULL;
	struct request r = { pool, &element, 1, 1, gfp, call_site };

	return take_slow(&r) ? element : NULL;
}

/* With events, and failures that somebody wants. */
static noinline void *alloc_watched(mempool_t *pool, gfp_t gfp, const void *call_site)
{
	void *element = NULL;
	struct request r = { pool, &element, 1, 1, gfp, call_site };

	return take_below(&r, light(gfp)) || take_slow(&r) ? element : NULL;
}

KMEM_API void *mempool_alloc(mempool_t *pool, gfp_t gfp_mask)
{
	gfp_t gfp = adjust(gfp_mask);
	void *element;

	if (unlikely(gfp_mask & __GFP_ZERO))
		complain_zero(pool);
	/* The allocator below only hears of the first round. */
	strict_check(gfp_mask, __builtin_return_address(0));
	if (trace_on(TRACE_MEMPOOL_ALLOC))
		return alloc_watched(pool, gfp, __builtin_return_address(0));
	element = pool->alloc(light(gfp), pool->pool_data);
	return likely(element) ? element : alloc_slow(pool, gfp, __builtin_return_address(0));
}

KMEM_API void *mempool_alloc_preallocated(mempool_t *pool)
{
	void *element = NULL;
	struct request r = { pool, &element, 1, 1, GFP_NOWAIT, __builtin_return_address(0) };

	return try_reserve(&r) ? element : NULL;
}

KMEM_API void *mempool_alloc_noreserve(mempool_t *pool, gfp_t gfp_mask)
{
	struct request r = { .pool = pool, .gfp = gfp_mask, .call_site = __builtin_return_address(0) };
	void *element = pool->alloc(gfp_mask, pool->pool_data);

	if (element)
		got(&r, element, 0);
	return element;
}

static cold void complain_count(const mempool_t *pool, unsigned int count)
{
	static bool said KMEM_STATE;

	if (!__atomic_exchange_n(&said, true, __ATOMIC_RELAXED))
		report("mempool_alloc_bulk(%s): count %u is beyond min_nr %d: it may wait for ever",
		       pool->live->name, count, pool->live->min_nr);
}

KMEM_API int mempool_alloc_bulk(mempool_t *pool, void **elems, unsigned int count, unsigned int allocated)
{
	struct request r = { pool, elems, count, (int)(count - allocated), adjust(GFP_KERNEL),
			     __builtin_return_address(0) };

	if (unlikely((int)count > READ_ONCE(pool->live->min_nr)))
		complain_count(pool, count);
	strict_check(r.gfp, r.call_site);
	if (!take_below(&r, light(r.gfp)))
		take_slow(&r);
	return 0;
}

/* ---- free ---- */

static unsigned int refill(struct kmem_mempool *m, mempool_t *pool, void **elems, unsigned int count,
			   const void *call_site)
{
	unsigned int given = 0;

	reserve_lock(m);
	/* A pool without a reserve keeps one element for those who wait. */
	while (m->curr_nr < MAX(m->min_nr, 1) && given < count) {
		if (unlikely(reserve_holds(m, elems[given]))) {
			report("BUG mempool %s: mempool_free(%p): it is in the reserve already; it was left alone", m->name,
			       elems[given]);
			report_misuse_end(false);
			elems[given++] = NULL;
			continue;
		}
		/* Under the lock, so that the next owner's event comes behind. */
		if (trace_on(TRACE_MEMPOOL_FREE))
			trace_mempool_free(call_site, elems[given], pool, m->name, 1);
		reserve_push(m, elems[given]);
		elems[given++] = NULL;
		m->refills++;
	}
	if (given)
		reserve_grant(m);
	reserve_unlock(m);
	return given;
}

static unsigned int free_bulk_from(mempool_t *pool, void **elems, unsigned int count, const void *call_site)
{
	struct kmem_mempool *m = pool->live;

	/*
	 * Pairs with publish(): the pointer may have come here from another thread
	 * without any barrier; curr_nr must not be older than the pointer.
	 */
	__atomic_signal_fence(__ATOMIC_ACQUIRE);
	if (likely(READ_ONCE(m->curr_nr) >= MAX(READ_ONCE(m->min_nr), 1)))
		return 0;
	return refill(m, pool, elems, count, call_site);
}

KMEM_API unsigned int mempool_free_bulk(mempool_t *pool, void **elems, unsigned int count)
{
	return free_bulk_from(pool, elems, count, __builtin_return_address(0));
}

KMEM_API void mempool_free(void *element, mempool_t *pool)
{
	if (unlikely(!element) || free_bulk_from(pool, &element, 1, __builtin_return_address(0)))
		return;
	if (trace_on(TRACE_MEMPOOL_FREE))
		trace_mempool_free(__builtin_return_address(0), element, pool, pool->live->name, 0);
	pool->free(element, pool->pool_data);
}

/* ---- resizing ---- */

static void shrink(mempool_t *pool)
{
	struct kmem_mempool *m = pool->live;

	for (;;) {
		void *element = NULL;

		reserve_lock(m);
		if (m->curr_nr > MAX(m->min_nr, 1) && m->curr_nr > m->promised)
			element = reserve_pop(m);
		reserve_unlock(m);
		if (!element)
			return;
		pool->free(element, pool->pool_data);
	}
}

/*
 * Raise min_nr, with a larger array if there is one. Return: the array that is
 * not needed, NULL none. The reserve may hold more than min_nr while another
 * thread makes it smaller, but never more than capacity.
 */
static void **raise_min_nr(mempool_t *pool, void **larger, int new_min_nr)
{
	struct kmem_mempool *m = pool->live;
	void **unused = larger;

	reserve_lock(m);
	if (larger && (uint64_t)new_min_nr > m->capacity) {
		unused = pool->elements;
		memcpy(larger, unused, sizeof(void *) * (size_t)m->curr_nr);
		pool->elements = larger;
		m->elements = (uintptr_t)larger;
		m->capacity = (uint64_t)new_min_nr;
	}
	WRITE_ONCE(m->min_nr, MAX(m->min_nr, new_min_nr));
	reserve_unlock(m);
	return unused;
}

/* Allocate what is missing; what cannot be had comes from later frees. */
static void grow(mempool_t *pool)
{
	struct kmem_mempool *m = pool->live;

	while (READ_ONCE(m->curr_nr) < READ_ONCE(m->min_nr)) {
		void *element = pool->alloc(GFP_KERNEL, pool->pool_data);
		bool room;

		if (!element)
			return;
		reserve_lock(m);
		room = m->curr_nr < m->min_nr;
		if (room) {
			reserve_push(m, element);
			reserve_grant(m);
		}
		reserve_unlock(m);
		if (!room)
			pool->free(element, pool->pool_data);
	}
}

static int raise_to(mempool_t *pool, int new_min_nr, const void *call_site)
{
	void **larger = NULL;

	/* The capacity never falls, so an array that is large enough now is so under the lock. */
	if ((uint64_t)new_min_nr > READ_ONCE(pool->live->capacity)) {
		larger = kmalloc_at(sizeof(void *) * (size_t)new_min_nr, GFP_KERNEL | __GFP_ZERO, -1, call_site);
		if (!larger)
			return -ENOMEM;
	}
	larger = raise_min_nr(pool, larger, new_min_nr);
	if (larger)
		kfree_from(larger, call_site);
	grow(pool);
	return 0;
}

static void lower_to(mempool_t *pool, int new_min_nr)
{
	struct kmem_mempool *m = pool->live;

	reserve_lock(m);
	WRITE_ONCE(m->min_nr, MIN(m->min_nr, new_min_nr));
	/* Threads that want more than the reserve will ever hold must not hold up the others. */
	reserve_grant(m);
	reserve_unlock(m);
	shrink(pool);
}

KMEM_API int mempool_resize(mempool_t *pool, int new_min_nr)
{
	struct kmem_mempool *m = pool->live;
	int old = READ_ONCE(m->min_nr), rc = 0;

	if (!mempool_is_live(pool, "mempool_resize"))
		return -EINVAL;
	if (new_min_nr <= 0) {
		report("mempool_resize(%s, %d): the size must be positive", m->name, new_min_nr);
		return -EINVAL;
	}
	__atomic_fetch_add(&m->resizing, 1, __ATOMIC_RELAXED);
	if (new_min_nr <= old)
		lower_to(pool, new_min_nr);
	else
		rc = raise_to(pool, new_min_nr, __builtin_return_address(0));
	__atomic_fetch_sub(&m->resizing, 1, __ATOMIC_RELAXED);
	if (rc)
		return rc;
	__atomic_fetch_add(&m->resizes, 1, __ATOMIC_RELAXED);
	if (trace_on(TRACE_MEMPOOL_RESIZE))
		trace_mempool_resize(__builtin_return_address(0), pool, m->name, old, new_min_nr);
	return 0;
}

/* ---- questions ---- */

KMEM_API bool mempool_is_saturated(const mempool_t *pool)
{
	return READ_ONCE(pool->live->curr_nr) >= READ_ONCE(pool->live->min_nr);
}

KMEM_API void mempool_set_name(mempool_t *pool, const char *name)
{
	reserve_lock(pool->live);
	report_format(pool->live->name, sizeof(pool->live->name), "%s", name);
	reserve_unlock(pool->live);
}

KMEM_API void mempool_stat(const mempool_t *pool, struct mempool_stat *stat)
{
	struct kmem_mempool *m = pool->live;

	reserve_lock(m);
	*stat = (struct mempool_stat){
		.min_nr = m->min_nr,
		.curr_nr = m->curr_nr,
		.low_water = m->low_water,
		.waiting = m->nr_waiting,
		.reserve_hits = m->reserve_hits,
		.refills = m->refills,
		.waits = m->waits,
		.wait_ns = m->wait_ns,
		.longest_wait_ns = m->longest_wait_ns,
		.failures = READ_ONCE(m->failures),
		.resizes = READ_ONCE(m->resizes),
	};
	reserve_unlock(m);
}
