/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slub.c - the slow paths of object allocation, bulk calls, and draining.
 *
 * Lock order: registry, node, then the page layer's. A refill or flush moves a
 * sheaf's worth of objects in one hold of the node lock, the critical section
 * on the slot included, so that no object is ever in transit while the lock is
 * free: fork() and readers that take or check the lock see every one of them.
 *
 * Without per-CPU slots (no rseq, or the regions are full) the node has one
 * shared slot, used under its lock by the same steps.
 */
#include "slab/slub.h"

#include "base/report.h"
#include "slab/debug.h"

/* Objects moved between slot and slabs at once. */
#define BATCH 64u

static struct kmem_slot *shared_slot(const struct kmem_cache_node *n)
{
	return (struct kmem_slot *)(uintptr_t)n->shared;
}

/* Slots start with capacity 0, so that caches cost no memory on CPUs that never use them. */
static void enable_slot(const struct kmem_cache *s)
{
	struct kmem_slot *slot = slot_of(s, percpu_this_cpu());

	/* Whoever runs here writes the same value: harmless after a migration. */
	if (s->slot_offset && READ_ONCE(slot->capacity) != s->slot_capacity)
		WRITE_ONCE(slot->capacity, s->slot_capacity);
}

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

static void barn_put_or_free(struct kmem_cache_node *n, struct kmem_sheaf *sheaf)
{
	if (!barn_put(n, sheaf))
		sheaf_free(sheaf);
}

/* One object for the caller, the rest of a full sheaf into the slot. */
static void *refill_from_barn(const struct kmem_cache *s, struct kmem_cache_node *n)
{
	struct kmem_sheaf *sheaf = barn_get_full(n);
	void **objects, *object;
	uint32_t moved;

	if (!sheaf)
		return NULL;
	objects = sheaf_objects(sheaf);
	object = objects[--sheaf->count];
	moved = refill_slot(s, n, objects, sheaf->count);
	sheaf->count -= moved;
	memmove(objects, objects + moved, sheaf->count * sizeof(*objects));
	/* A sheaf with objects left goes back to where it came from, so there is room. */
	barn_put_or_free(n, sheaf);
	return object;
}

/* One object for the caller, about a sheaf's worth for the slot. Slabs that empty again go to *empty. */
static void *refill_from_slabs(const struct kmem_cache *s, struct kmem_cache_node *n, struct page **empty)
{
	uint32_t want = s->slot_capacity ? MIN(s->sheaf_capacity, BATCH) + 1 : 1;
	void *batch[BATCH + 1], *object;
	uint32_t taken, moved;

	taken = node_take(s, n, batch, want);
	if (!taken)
		return NULL;
	n->stat.barn_get_fail++;
	/* The caller gets the first, the slot hands out the others in order of address. */
	object = batch[0];
	taken--;
	for (moved = 0; moved < taken / 2; moved++) {
		void *swap = batch[1 + moved];

		batch[1 + moved] = batch[taken - moved];
		batch[taken - moved] = swap;
	}
	moved = refill_slot(s, n, batch + 1, taken);
	node_put(s, n, batch + 1 + moved, taken - moved, empty);
	return object;
}

/* With the node locked: an object by any means but a new slab. */
static void *alloc_locked(const struct kmem_cache *s, struct kmem_cache_node *n, struct page **empty)
{
	void *object;

	if (n->shared && slot_locked_alloc(shared_slot(n), &object, 1))
		return object;
	enable_slot(s);
	object = refill_from_barn(s, n);
	if (!object)
		object = refill_from_slabs(s, n, empty);
	if (object) {
		n->stat.alloc++;
		n->stat.refill++;
	}
	return object;
}

static bool add_slab(struct kmem_cache *s, struct kmem_cache_node *n, gfp_t gfp)
{
	bool fell_back;
	struct page *slab = slab_new(s, gfp, &fell_back);

	node_lock(n);
	if (slab)
		node_add_slab(n, slab);
	else
		n->stat.alloc_fail++;
	n->stat.order_fallback += slab && fell_back;
	node_unlock(n);
	return slab;
}

static void *alloc_slow(struct kmem_cache *s, const struct slab_request *request)
{
	gfp_t gfp = request->gfp;
	struct kmem_cache_node *n = node_of(s, 0);
	struct page *empty = NULL;
	void *object;

	if (unlikely(debug_cache(s)))
		return debug_alloc(s, request);
	do {
		node_lock(n);
		object = alloc_locked(s, n, &empty);
		node_unlock(n);
	} while (!object && add_slab(s, n, gfp));
	node_release(s, empty);
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

	if (!slub_pop(s, &object))
		return alloc_slow(s, request);
	return request->gfp & __GFP_ZERO ? slub_zero(s, object) : object;
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

/* With the node locked: take a sheaf's worth of objects out of the slot. */
static void make_room(const struct kmem_cache *s, struct kmem_cache_node *n, struct page **empty)
{
	void *batch[BATCH];
	uint32_t moved;

	n->stat.flush++;
	if (barn_has_room(n) && s->slot_capacity) {
		struct kmem_sheaf *sheaf = barn_get_empty(n);

		if (!sheaf)
			sheaf = sheaf_alloc(s->sheaf_capacity);
		if (sheaf) {
			sheaf->count = flush_slot(s, n, sheaf_objects(sheaf), sheaf->capacity);
			barn_put_or_free(n, sheaf);
			return;
		}
	}
	n->stat.barn_put_fail++;
	moved = flush_slot(s, n, batch, MIN(s->sheaf_capacity, BATCH));
	node_put(s, n, batch, moved, empty);
}

/* With the node locked: count objects into the slot, or as a last resort into their slabs. */
static void free_locked(const struct kmem_cache *s, struct kmem_cache_node *n, void **object, size_t count,
			struct page **empty)
{
	enable_slot(s);
	while (count) {
		uint32_t now = (uint32_t)MIN(count, BATCH);
		uint32_t moved = put_into_slot(s, n, object, now);

		if (!moved) {
			make_room(s, n, empty);
			moved = put_into_slot(s, n, object, now);
		}
		if (!moved) {
			/* No slot, or another thread filled it meanwhile. */
			node_put(s, n, object, now, empty);
			n->stat.free += now;
			moved = now;
		}
		object += moved;
		count -= moved;
	}
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
	node_lock(n);
	free_locked(s, n, object, count, &empty);
	node_unlock(n);
	node_release(s, empty);
}

noinline void slub_free_slow(struct kmem_cache *s, void *object)
{
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

/* Empty a slot that nobody uses any more; its counters move to the cache. */
static void empty_slot(struct kmem_cache *s, struct kmem_cache_node *n, struct kmem_slot *slot, struct page **empty)
{
	if (!slot->word && !slot->net)
		return;
	s->folded_allocs += kmem_slot_allocs(slot);
	s->folded_frees += kmem_slot_frees(slot);
	node_put(s, n, (void **)(void *)slot->object, kmem_slot_count(slot), empty);
	slot->word = 0;
	slot->net = 0;
}

/* Point the cache at its slots in the other region, and wait until nobody is inside the old ones. */
static uint64_t swap_region(struct kmem_cache *s)
{
	uint64_t old = s->percpu;
	unsigned int other = old - s->slot_offset == percpu_region(0);

	__atomic_store_n(&s->percpu, percpu_region(other) + s->slot_offset, __ATOMIC_RELEASE);
	percpu_barrier();
	return old;
}

static void empty_barn(struct kmem_cache *s, struct kmem_cache_node *n, struct page **empty)
{
	struct kmem_sheaf *sheaf;

	while (n->nr_full) {
		sheaf = (struct kmem_sheaf *)(uintptr_t)n->full[--n->nr_full];
		node_put(s, n, sheaf_objects(sheaf), sheaf->count, empty);
		sheaf_free(sheaf);
	}
	while ((sheaf = barn_get_empty(n)))
		sheaf_free(sheaf);
}

void slub_drain(struct kmem_cache *s)
{
	struct kmem_cache_node *n = node_of(s, 0);
	struct page *empty = NULL;
	unsigned int cpu;

	node_lock(n);
	seq_begin(&s->seq);
	if (n->shared)
		empty_slot(s, n, shared_slot(n), &empty);
	if (s->slot_offset) {
		uint64_t old = swap_region(s);

		for (cpu = 0; cpu < percpu_nr_cpus(); cpu++)
			empty_slot(s, n, (struct kmem_slot *)(uintptr_t)
				   (old + ((uint64_t)cpu << KMEM_PERCPU_SHIFT)), &empty);
	}
	empty_barn(s, n, &empty);
	n->stat.drain++;
	seq_end(&s->seq);
	node_unlock(n);
	node_release(s, empty);
}
