/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slub.c - the slow paths of object allocation, and bulk calls.
 *
 * Lock order: registry, node, then the page layer's. A refill or flush moves
 * sheaves' worths of objects in one hold of the node lock, the critical section
 * on the slot included, so that no object is ever in transit while the lock is
 * free: fork() and readers that take or check the lock see every one of them.
 *
 * Without per-CPU slots (no rseq, or the regions are full) the node has one
 * shared slot, used under its lock by the same steps.
 */
#include "slab/slub.h"

#include "base/numa.h"
#include "base/report.h"
#include "slab/debug.h"
#include "slab/guard.h"
#include "slab/sampler.h"
#include "slab/refuse.h"

/* Objects moved between slot and slabs at once. */
#define BATCH 64u

static uint32_t refill_slot(const struct kmem_cache *s, struct kmem_cache_node *n, void **object, uint32_t count)
{
	if (!count)
		return 0;
	if (n->shared)
		return slot_locked_refill(shared_slot(n), object, count);
	return slot_refill(s, object, count);
}

static uint32_t flush_slot(const struct kmem_cache *s, struct kmem_cache_node *n, void **object, uint32_t max)
{
	if (n->shared)
		return slot_locked_flush(shared_slot(n), object, max);
	return slot_flush(s, object, max);
}

static uint32_t put_into_slot(const struct kmem_cache *s, struct kmem_cache_node *n, void **object, uint32_t count)
{
	if (n->shared)
		return slot_locked_free(shared_slot(n), object, count);
	return slot_free_many(s, object, count);
}

static void barn_put_or_free(const struct kmem_cache *s, struct kmem_cache_node *n, struct kmem_sheaf *sheaf)
{
	if (!barn_put(s, n, sheaf))
		sheaf_free(sheaf);
}

/* A sheaf that another CPU has filled is in its cache: ask for all of it at once. */
static void prefetch_next(const struct kmem_cache_node *n)
{
	const struct kmem_sheaf *next = n->nr_full ? barn_sheaf(n, n->nr_full - 1) : NULL;
	const char *at = (const char *)next, *end = next ? (const char *)&next->object[60] : NULL;

	for (; at < end; at += CACHE_LINE)
		__builtin_prefetch(at);
}

/* Return: whether the slot took all of it. What it did not stays in the barn. */
static bool refill_sheaf(const struct kmem_cache *s, struct kmem_cache_node *n, struct kmem_sheaf *sheaf)
{
	void **objects = sheaf_objects(sheaf);
	uint32_t moved = refill_slot(s, n, objects, sheaf->count);

	sheaf->count -= moved;
	if (unlikely(sheaf->count))
		memmove(objects, objects + moved, sheaf->count * sizeof(*objects));
	/* A sheaf with objects left goes back to where it came from, so there is room. */
	barn_put_or_free(s, n, sheaf);
	return !sheaf->count;
}

/* One object for the caller, the rest of full sheaves into the slot. */
static void *refill_from_barn(const struct kmem_cache *s, struct kmem_cache_node *n, struct kmem_slot *slot)
{
	struct kmem_sheaf *sheaf = barn_get_full(n);
	uint32_t more = slots_burst(s, slot);
	void *object;

	if (!sheaf)
		return NULL;
	object = sheaf_objects(sheaf)[--sheaf->count];
	while (refill_sheaf(s, n, sheaf) && --more) {
		sheaf = barn_get_full(n);
		if (!sheaf)
			break;
	}
	prefetch_next(n);
	return object;
}

/* One object for the caller, about a sheaf's worth for the slot. Slabs that empty again go to *empty. */
static void *refill_from_slabs(const struct kmem_cache *s, struct kmem_cache_node *n, struct page **empty)
{
	uint32_t want = s->slot_capacity ? MIN(s->sheaf_capacity, BATCH) + 1 : 1;
	void *batch[BATCH + 1], *object;
	uint32_t taken, moved;

	if (s->slot_capacity)
		barn_missed(s, n);
	taken = node_take(s, n, batch, want);
	if (!taken)
		return NULL;
	n->closed = 0;
	counters_of(s, n)->barn_get_fail++;
	/* The caller gets the first, the slot hands out the others in order of address. */
	object = batch[0];
	taken--;
	for (moved = 0; moved < taken / 2; moved++) {
		void *swap = batch[1 + moved];

		batch[1 + moved] = batch[taken - moved];
		batch[taken - moved] = swap;
	}
	moved = refill_slot(s, n, batch + 1, taken);
	node_put(s, batch + 1 + moved, taken - moved, empty);
	return object;
}

/* With the node locked: an object by any means but a new slab. */
static void *alloc_locked(struct kmem_cache *s, struct kmem_cache_node *n, struct page **empty)
{
	struct kmem_slot *slot;
	bool from_slabs;
	void *object;

	if (n->shared && slot_locked_alloc(shared_slot(n), &object, 1))
		return object;
	slot = slots_enable(s, n);
	barn_age(s, n, empty);
	object = refill_from_barn(s, n, slot);
	from_slabs = !object;
	if (from_slabs) {
		slots_widen(s, slot);
		object = refill_from_slabs(s, n, empty);
	}
	slots_refilled(s, slot);
	sampler_watch_slot(s, slot);
	if (object) {
		if (trace_on(TRACE_SLOT_REFILL))
			trace_slot_refill(s, s->name, (int)(n - node_of(s, 0)), from_slabs);
		counters_of(s, n)->alloc++;
		counters_of(s, n)->refill++;
	}
	return object;
}

/*
 * With the cache locked, when the node has no free object: one from another
 * node with slabs to spare, rather than a new slab. The kernel's get_any_partial().
 */
static void *alloc_elsewhere(const struct kmem_cache *s, gfp_t gfp)
{
	unsigned int nid;
	void *object;

	if (s->nr_nodes == 1 || (gfp & __GFP_THISNODE) ||
	    __builtin_ia32_rdtsc() % 1024 > s->remote_node_defrag_ratio || !s->remote_node_defrag_ratio)
		return NULL;
	for (nid = 0; nid < s->nr_nodes; nid++) {
		struct kmem_cache_node *n = node_of(s, nid);

		if (n->nr_partial > s->min_partial && node_take(s, n, &object, 1)) {
			counters_of(s, n)->alloc++;
			return object;
		}
	}
	return NULL;
}

/* A new slab for node nid, or where there is memory. NULL when there is none. */
static struct kmem_cache_node *add_slab(struct kmem_cache *s, gfp_t gfp, unsigned int nid)
{
	struct kmem_cache_node *home = node_of(s, 0), *n = node_of(s, nid);
	bool fell_back;
	struct page *slab = slab_new(s, gfp, (int)nid, &fell_back);

	node_lock(home);
	if (slab) {
		n = node_of_slab(s, slab);
		node_add_slab(s, slab);
		n->stat.order_fallback += fell_back;
	} else {
		counters_of(s, n)->alloc_fail++;
	}
	node_unlock(home);
	return slab ? n : NULL;
}

/* What node the request is for; -1 when there is no such node and no other will do. */
static int request_node(const struct kmem_cache *s, const struct slab_request *request)
{
	if (request->nid < 0)
		return (int)numa_this_node();
	if (request->nid < s->nr_nodes)
		return request->nid;
	return request->gfp & __GFP_THISNODE ? -1 : (int)numa_this_node();
}

/* With the cache locked. The slot gets objects of the running CPU's node only. */
static void *alloc_from_node(struct kmem_cache *s, struct kmem_cache_node *n, struct page **empty)
{
	void *object = NULL;

	if (likely(n == node_of(s, numa_this_node())))
		return alloc_locked(s, n, empty);
	counters_of(s, n)->alloc += node_take(s, n, &object, 1);
	return object;
}

static void *alloc_slow(struct kmem_cache *s, const struct slab_request *request)
{
	gfp_t gfp = request->gfp;
	struct kmem_cache_node *home = node_of(s, 0), *n;
	struct page *empty = NULL;
	void *object = NULL;
	int nid;

	if (unlikely(debug_cache(s)))
		return debug_alloc(s, request);
	if (sampler_due(s)) {
		object = sampler_alloc(s, request);
		if (object)
			return object;
	}
	if (guard_due(s)) {
		object = guard_alloc(s, request);
		if (object)
			return object;
	}
	nid = request_node(s, request);
	if (nid < 0)
		return NULL;
	n = node_of(s, (unsigned int)nid);
	do {
		node_lock(home);
		slots_free_deferred(s, &empty);
		object = alloc_from_node(s, n, &empty);
		if (!object)
			object = alloc_elsewhere(s, gfp);
		node_unlock(home);
	} while (!object && (n = add_slab(s, gfp, (unsigned int)nid)));
	node_release(s, empty);
	if (unlikely(READ_ONCE(s->slots_wanted) == 1) && (gfp & __GFP_DIRECT_RECLAIM))
		slots_enlarge(s);
	return object && (gfp & __GFP_ZERO) ? slub_zero(s, object) : object;
}

/* A tail call of the public functions: the return address is the program's. */
noinline void *slub_alloc_slow(struct kmem_cache *s, gfp_t gfp)
{
	const struct slab_request request = { gfp, -1, s->object_size, __builtin_return_address(0) };

	return alloc_slow(s, &request);
}

void *slub_alloc_request(struct kmem_cache *s, const struct slab_request *request)
{
	void *object;

	/* The slot holds objects of the running CPU's node only. */
	if (unlikely(s->nr_nodes > 1 && request->nid >= 0 && (unsigned int)request->nid != numa_this_node()))
		return alloc_slow(s, request);
	if (unlikely(sampler_pending) || !slub_pop(s, &object))
		return alloc_slow(s, request);
	return request->gfp & __GFP_ZERO ? slub_zero(s, object) : object;
}

noinline bool slub_due(struct kmem_cache *s, void *object, struct kmem_slot *slot)
{
	if (!sampler_rearm(s, slot))
		return true;
	slub_free(s, object);
	sampler_pending = true;
	return false;
}

noinline void *slub_zero(const struct kmem_cache *s, void *object)
{
	static bool warned KMEM_STATE;

	if (likely(!s->ctor))
		return memset(object, 0, s->object_size);
	if (!__atomic_exchange_n(&warned, true, __ATOMIC_RELAXED))
		report("%s: __GFP_ZERO is ignored: the cache has a constructor", s->name);
	return object;
}

/* With the node locked: a sheaf's worth of objects out of the slot into the barn. False: there is no room. */
static bool flush_sheaf(const struct kmem_cache *s, struct kmem_cache_node *n)
{
	struct kmem_sheaf *sheaf;

	if (!barn_has_room(s, n) || !s->slot_capacity)
		return false;
	sheaf = barn_get_empty(n);
	if (!sheaf)
		sheaf = sheaf_alloc(s->sheaf_capacity);
	if (!sheaf)
		return false;
	sheaf->count = flush_slot(s, n, sheaf_objects(sheaf), sheaf->capacity);
	barn_put_or_free(s, n, sheaf);
	return true;
}

/* With the node locked: make room in the slot for more objects. */
static void make_room(struct kmem_cache *s, struct kmem_cache_node *n, struct kmem_slot *slot, struct page **empty)
{
	uint32_t sheaves = slots_burst(s, slot), moved;
	void *batch[BATCH];

	if (slots_grow(s, slot))
		return;
	counters_of(s, n)->flush++;
	barn_age(s, n, empty);
	if (flush_sheaf(s, n)) {
		while (--sheaves && flush_sheaf(s, n))
			;
		if (trace_on(TRACE_SLOT_FLUSH))
			trace_slot_flush(s, s->name, (int)(n - node_of(s, 0)), 0);
		return;
	}
	counters_of(s, n)->barn_put_fail++;
	moved = flush_slot(s, n, batch, MIN(s->sheaf_capacity, BATCH));
	barn_lacks_room(n, moved);
	node_put(s, batch, moved, empty);
	if (moved && trace_on(TRACE_SLOT_FLUSH))
		trace_slot_flush(s, s->name, (int)(n - node_of(s, 0)), 1);
}

/* With the node locked: count objects into the slot, or as a last resort into their slabs. */
static void free_locked(struct kmem_cache *s, struct kmem_cache_node *n, void **object, size_t count,
			struct page **empty)
{
	struct kmem_slot *slot = slots_enable(s, n);

	sampler_watch_slot(s, slot);
	while (count) {
		uint32_t now = (uint32_t)MIN(count, BATCH);
		uint32_t moved = put_into_slot(s, n, object, now);

		if (!moved) {
			make_room(s, n, slot, empty);
			moved = put_into_slot(s, n, object, now);
		}
		if (!moved) {
			/* No slot, or another thread filled it meanwhile. */
			node_put(s, object, now, empty);
			counters_of(s, n)->free += now;
			moved = now;
		}
		object += moved;
		count -= moved;
	}
}

/* Several nodes: whether the object belongs to the running CPU's. What is no object is left to the locked path. */
static bool is_local(const struct kmem_cache *s, const void *object)
{
	const struct page *slab = slab_of(object);

	return !slab || slab_node(s, slab) == numa_this_node();
}

/* With several nodes every free comes here: slots and barns take objects of their own node only. */
static void free_numa(struct kmem_cache *s, void **object, size_t count)
{
	struct kmem_cache_node *home = node_of(s, 0);
	struct page *empty = NULL;

	for (; count; count--, object++) {
		bool local = is_local(s, *object);

		if (local && s->slot_offset && slot_free_many(s, object, 1))
			continue;
		node_lock(home);
		if (local) {
			free_locked(s, node_of(s, numa_this_node()), object, 1, &empty);
		} else {
			struct kmem_cache_node *n = node_of_slab(s, slab_of(*object));

			counters_of(s, n)->free++;
			counters_of(s, n)->remote_free++;
			node_put(s, object, 1, &empty);
		}
		node_unlock(home);
	}
	node_release(s, empty);
}

static void free_slow(struct kmem_cache *s, void **object, size_t count)
{
	struct kmem_cache_node *n = node_of(s, 0);
	struct page *empty = NULL;

	if (unlikely(debug_cache(s))) {
		while (count--)
			debug_free(s, *object++, __builtin_return_address(0));
		return;
	}
	if (unlikely(s->nr_nodes > 1)) {
		free_numa(s, object, count);
		return;
	}
	node_lock(n);
	slots_free_deferred(s, &empty);
	free_locked(s, n, object, count, &empty);
	node_unlock(n);
	node_release(s, empty);
}

noinline void slub_free_slow(struct kmem_cache *s, void *object)
{
	if (unlikely(refuse_free(s, object)))
		return;
	free_slow(s, &object, 1);
}

bool slub_alloc_bulk(struct kmem_cache *s, gfp_t gfp, size_t size, void **object)
{
	size_t done = 0;

	while (done < size) {
		uint32_t now = slot_alloc_many(s, object + done, (uint32_t)MIN(size - done, UINT16_MAX));

		if (!now) {
			object[done] = slub_alloc_slow(s, gfp & ~__GFP_ZERO);
			if (!object[done]) {
				slub_free_bulk(s, done, object);
				return false;
			}
			now = 1;
		}
		done += now;
	}
	if (unlikely(gfp & __GFP_ZERO))
		for (done = 0; done < size; done++)
			slub_zero(s, object[done]);
	return true;
}

void slub_free_bulk(struct kmem_cache *s, size_t size, void **object)
{
	if (unlikely(s->nr_nodes > 1)) {
		free_slow(s, object, size);
		return;
	}
	while (size) {
		uint32_t now = slot_free_many(s, object, (uint32_t)MIN(size, UINT16_MAX));

		if (!now) {
			now = (uint32_t)MIN(size, (size_t)MAX(s->sheaf_capacity, 1u));
			free_slow(s, object, now);
		}
		object += now;
		size -= now;
	}
}

/* ---- contexts that must not wait ---- */

static bool try_lock(struct kmem_cache_node *home)
{
	if (!lock_try_nested(&home->lock))
		return false;
	seq_begin(&home->seq);
	return true;
}

static void try_unlock(struct kmem_cache_node *home)
{
	seq_end(&home->seq);
	lock_release_nested(&home->lock);
}

void *slub_alloc_try(struct kmem_cache *s)
{
	struct kmem_cache_node *home = node_of(s, 0), *n;
	struct kmem_slot *slot;
	void *object;

	if (debug_cache(s))
		return NULL;
	/* A sample would need the lock: it is lost, and the slot counts again when it meets the slow path. */
	if (slub_pop_counted(s, &object, &slot))
		sample_lost();
	if (object)
		return object;
	if (!try_lock(home))
		return NULL;
	n = node_of(s, numa_this_node());
	object = barn_take_object(n);
	if (!object && !node_take(s, n, &object, 1))
		object = NULL;
	counters_of(s, n)->alloc += object != NULL;
	try_unlock(home);
	return object;
}

static void defer_free(struct kmem_cache *s, void *object)
{
	uint64_t first = READ_ONCE(s->deferred);

	do {
		*(void **)object = (void *)(uintptr_t)first;
	} while (!__atomic_compare_exchange_n(&s->deferred, &first, (uintptr_t)object, true, __ATOMIC_RELEASE,
					      __ATOMIC_RELAXED));
}

void slub_free_try(struct kmem_cache *s, void *object)
{
	struct kmem_cache_node *home = node_of(s, 0);

	/* With several nodes the slot's capacity is 0, and the object goes to its slab. */
	if (slub_push(s, object) || refuse_free(s, object))
		return;
	if (debug_cache(s) || !try_lock(home)) {
		defer_free(s, object);
		return;
	}
	counters_of(s, home)->free++;
	node_put(s, &object, 1, NULL);
	try_unlock(home);
}

/* ---- objects that callers hold in reserve ---- */

static uint32_t reserve_from_barn(const struct kmem_cache *s, struct kmem_cache_node *n, void **object, uint32_t want)
{
	struct kmem_sheaf *sheaf = want ? barn_get_full(n) : NULL;
	uint32_t moved;

	if (!sheaf)
		return 0;
	moved = MIN(sheaf->count, want);
	sheaf->count -= moved;
	memcpy(object, &sheaf_objects(sheaf)[sheaf->count], moved * sizeof(*object));
	barn_put_or_free(s, n, sheaf);
	return moved;
}

uint32_t slub_reserve(struct kmem_cache *s, gfp_t gfp, void **object, uint32_t want, bool *fast)
{
	unsigned int nid = numa_this_node();
	struct kmem_cache_node *home = node_of(s, 0), *n = node_of(s, nid);
	uint32_t have = 0, before, moved;

	*fast = true;
	do {
		before = have;
		node_lock(home);
		while ((moved = reserve_from_barn(s, n, object + have, want - have)))
			have += moved;
		*fast &= have == want;
		have += node_take(s, n, object + have, want - have);
		__atomic_fetch_add(&s->prefill, have - before, __ATOMIC_RELAXED);
		node_unlock(home);
	} while (have < want && (n = add_slab(s, gfp, nid)));
	return have;
}

bool slub_unreserve(struct kmem_cache *s, void **object, uint32_t count)
{
	struct kmem_cache_node *home = node_of(s, 0), *n = node_of(s, numa_this_node());
	struct kmem_sheaf *sheaf = NULL;
	struct page *empty = NULL;

	node_lock(home);
	/* A barn is of one node; with several, each object goes to its own. */
	if (s->nr_nodes == 1 && count == s->sheaf_capacity && barn_has_room(s, n))
		sheaf = sheaf_alloc(s->sheaf_capacity);
	if (sheaf) {
		memcpy(sheaf_objects(sheaf), object, count * sizeof(*object));
		sheaf->count = count;
		barn_put(s, n, sheaf);
	} else {
		node_put(s, object, count, &empty);
	}
	__atomic_fetch_sub(&s->prefill, count, __ATOMIC_RELAXED);
	node_unlock(home);
	node_release(s, empty);
	return sheaf;
}
