/* SPDX-License-Identifier: BSD-2-Clause */
/* slots.c - growing, draining and replacing a cache's slots; see slots.h. */
#include "slab/slots.h"

#include <errno.h>

#include "base/numa.h"
#include "base/report.h"
#include "slab/barn.h"

/* What a slot may grow to. */
#define REACH_OBJECTS 1024u
#define REACH_BYTES   (64u << 10)

/* What it holds at most from a trim of a dying cache to its next allocation from slabs. */
#define DYING_OBJECTS 24u

/* As many refills in a row make a slot grow before its next flush: fewer are cheap. No more are counted. */
#define MIN_CREDIT 5u
#define MAX_CREDIT 16u

/* Sheaves emptied in one hold of the lock: some ten microseconds. */
#define DRAIN_SHEAVES 16u

static uint32_t reach(const struct kmem_cache *s)
{
	return MIN(REACH_OBJECTS, REACH_BYTES / s->size);
}

/* Whoever runs on the CPU compares with capacity meanwhile; the old and the new value are both right. */
static void set_limit(const struct kmem_cache *s, struct kmem_slot *slot, uint32_t limit)
{
	WRITE_ONCE(slot->address_mask, (uint32_t)s->address_mask);
	WRITE_ONCE(slot->limit, limit);
	if (s->nr_nodes == 1)
		WRITE_ONCE(slot->capacity, limit);
}

static uint32_t first_limit(const struct kmem_cache *s)
{
	return MIN(2 * s->sheaf_capacity, s->slot_capacity);
}

struct kmem_slot *slots_enable(const struct kmem_cache *s, const struct kmem_cache_node *n)
{
	struct kmem_slot *slot;

	if (n->shared)
		return shared_slot(n);
	slot = slot_of(s, percpu_this_cpu());
	/* Slots start with capacity 0, so that caches cost no memory on CPUs that never use them. */
	if (unlikely(!slot->limit) && s->slot_offset)
		set_limit(s, slot, first_limit(s));
	else if (unlikely(slot->capacity != slot->limit) && s->nr_nodes == 1)
		WRITE_ONCE(slot->capacity, slot->limit);
	return slot;
}

void slots_widen(const struct kmem_cache *s, struct kmem_slot *slot)
{
	if (unlikely(slot->limit < first_limit(s)) && s->slot_offset)
		set_limit(s, slot, first_limit(s));
}

/* While a cache dies every parked object may keep a whole slab. What has grown was needed. */
static void narrow(const struct kmem_cache *s)
{
	struct kmem_slot *slot = s->slot_offset ? slot_of(s, percpu_this_cpu()) : NULL;

	if (!slot || slot->limit != first_limit(s))
		return;
	slot->grant = 0;
	set_limit(s, slot, MIN(slot->limit, DYING_OBJECTS));
}

uint32_t slots_burst(const struct kmem_cache *s, const struct kmem_slot *slot)
{
	if (slot->limit >= 16 * s->sheaf_capacity)
		return 4;
	return slot->limit >= 8 * s->sheaf_capacity ? 2 : 1;
}

void slots_refilled(const struct kmem_cache *s, struct kmem_slot *slot)
{
	/* The end of a slab may be a few objects only. */
	if (!s->slot_offset || kmem_slot_count(slot) < s->sheaf_capacity / 2)
		return;
	slot->grant = 0;
	if (slot->credit < MAX_CREDIT)
		slot->credit++;
}

/* The first flush after refills: a slot larger by as many sheaves would have needed neither. */
static void settle(struct kmem_slot *slot)
{
	slot->grant = slot->credit >= MIN_CREDIT ? slot->credit : 0;
	slot->credit = 0;
}

bool slots_grow(struct kmem_cache *s, struct kmem_slot *slot)
{
	if (slot->credit)
		settle(slot);
	if (!slot->grant)
		return false;
	if (slot->limit >= s->slot_capacity) {
		if (s->slot_capacity < reach(s) && !s->slots_wanted && !(s->behaviour & KMEM_CACHE_SLOT_FIXED))
			WRITE_ONCE(s->slots_wanted, 1);
		return false;
	}
	/* One sheaf at a time, so that it ends up no larger than the swing. */
	slot->grant--;
	set_limit(s, slot, MIN(slot->limit + s->sheaf_capacity, s->slot_capacity));
	return true;
}

void slots_free_deferred(struct kmem_cache *s, struct page **empty)
{
	void *object, *next;

	if (likely(!READ_ONCE(s->deferred)))
		return;
	object = (void *)(uintptr_t)__atomic_exchange_n(&s->deferred, 0, __ATOMIC_ACQUIRE);
	for (; object; object = next) {
		next = *(void **)object;
		counters_of(s, node_of(s, 0))->free++;
		node_put(s, &object, 1, empty);
	}
}

/* Empty a slot that nobody uses any more; its counters move to the cache. */
static void empty_slot(struct kmem_cache *s, struct kmem_slot *slot, struct page **empty)
{
	if (!slot->word && !slot->net)
		return;
	s->folded_allocs += kmem_slot_allocs(slot);
	s->folded_frees += kmem_slot_frees(slot);
	node_put(s, (void **)(void *)slot->object, kmem_slot_count(slot), empty);
	slot->word = 0;
	slot->net = 0;
}

/* The slots that were at this address, which nobody uses any more. They start small again. */
static void empty_slots(struct kmem_cache *s, uint64_t percpu, struct page **empty)
{
	unsigned int cpu;

	for (cpu = 0; cpu < percpu_nr_cpus(); cpu++) {
		struct kmem_slot *slot = (struct kmem_slot *)(uintptr_t)(percpu + ((uint64_t)cpu << KMEM_PERCPU_SHIFT));

		if (!slot->limit)
			continue;
		empty_slot(s, slot, empty);
		slot->credit = slot->grant = 0;
		slot->limit = 0;
		slot->capacity = 0;
	}
}

/*
 * Whether users of the slots can be waited for: the program may have filtered its system calls since the start, and
 * then slots stay where they are. A cache that is destroyed has no users.
 */
static bool can_swap(const struct kmem_cache *s)
{
	return s->state != KMEM_CACHE_LIVE || percpu_barrier();
}

/* Point the cache at other slots, and wait until nobody is inside the old ones. Return: their address. */
static uint64_t swap_slots(struct kmem_cache *s, uint64_t percpu)
{
	uint64_t old = s->percpu;
	bool done;

	slot_point(s, percpu);
	done = percpu_barrier();
	BUG_ON(!done && s->state == KMEM_CACHE_LIVE);
	return old;
}

/* The per-CPU slots of one name, with the node locked. The other region has the same ones, empty. */
static void drain_slots(struct kmem_cache *s, struct page **empty)
{
	unsigned int other = s->percpu - s->slot_offset == percpu_region(0);

	seq_begin(&s->seq);
	slots_free_deferred(s, empty);
	if (s->slot_offset && can_swap(s))
		empty_slots(s, swap_slots(s, percpu_region(other) + s->slot_offset), empty);
	seq_end(&s->seq);
}

/* With the node locked, which is let go now and then. Sheaves that come meanwhile may stay. */
static void drain_barn(struct kmem_cache *s, struct kmem_cache_node *n, struct page **empty)
{
	uint32_t left = n->nr_full;

	while (!barn_drain(s, n, MIN(left, DRAIN_SHEAVES), empty) && left > DRAIN_SHEAVES) {
		left -= DRAIN_SHEAVES;
		node_unlock(node_of(s, 0));
		node_release(s, *empty);
		*empty = NULL;
		node_lock(node_of(s, 0));
	}
}

static bool slots_empty(const struct kmem_cache *s)
{
	unsigned int cpu;

	if (READ_ONCE(s->deferred))
		return false;
	for (cpu = 0; s->slot_offset && cpu < percpu_nr_cpus(); cpu++)
		if (READ_ONCE(slot_of(s, cpu)->word) & 0xffff)
			return false;
	return true;
}

bool slub_is_drained(struct kmem_cache *root)
{
	struct kmem_cache *name = root;
	unsigned int nid;

	do {
		if (!slots_empty(name))
			return false;
		name = next_alias(name);
	} while (name);
	for (nid = 0; nid < root->nr_nodes; nid++) {
		const struct kmem_cache_node *n = node_of(root, nid);

		if (READ_ONCE(n->nr_full) || READ_ONCE(n->nr_empty) || READ_ONCE(n->spare) || READ_ONCE(n->learned) ||
		    (n->shared && kmem_slot_count(shared_slot(n))))
			return false;
	}
	return true;
}

void slub_drain(struct kmem_cache *s)
{
	struct kmem_cache *root = root_of(s), *name;
	struct kmem_cache_node *home = node_of(root, 0);
	struct page *empty = NULL;
	unsigned int nid;

	node_lock(home);
	for (name = root; name; name = next_alias(name))
		drain_slots(name, &empty);
	for (nid = 0; nid < root->nr_nodes; nid++) {
		struct kmem_cache_node *n = node_of(root, nid);

		if (n->shared)
			empty_slot(root, shared_slot(n), &empty);
		drain_barn(root, n, &empty);
	}
	home->stat.drain++;
	node_unlock(home);
	node_release(root, empty);
}

void slub_trim(struct kmem_cache *s)
{
	enum { BATCH = 64 };
	struct kmem_cache_node *home = node_of(s, 0), *n = node_of(s, numa_this_node());
	struct page *empty = NULL;
	void *batch[BATCH];
	uint32_t moved, nr;

	node_lock(home);
	/* The thread may move to other CPUs meanwhile: no more than one slot's worth. */
	for (moved = 0; moved < s->slot_capacity; moved += nr) {
		nr = n->shared ? slot_locked_flush(shared_slot(n), batch, BATCH) : slot_flush(s, batch, BATCH);
		if (!nr)
			break;
		node_put(s, batch, nr, &empty);
	}
	for (nr = 0; nr < s->nr_nodes; nr++)
		barn_trim(s, node_of(s, nr), &empty);
	if (n->closed)
		narrow(s);
	node_unlock(home);
	node_release(s, empty);
}

/* With the node locked: the cache's slots for those at *offset, which are in no use. */
static void exchange_slots(struct kmem_cache *s, uint32_t *offset, uint32_t *capacity, struct page **empty)
{
	uint32_t old_offset = s->slot_offset, old_capacity = s->slot_capacity;
	uint64_t old;

	seq_begin(&s->seq);
	s->slot_offset = *offset;
	s->slot_capacity = *capacity;
	old = swap_slots(s, percpu_region(0) + *offset);
	if (old_offset)
		empty_slots(s, old, empty);
	seq_end(&s->seq);
	*offset = old_offset;
	*capacity = old_capacity;
}

int slub_change_slots(struct kmem_cache *s, uint32_t *offset, uint32_t *capacity, struct kmem_slot **shared)
{
	struct kmem_cache_node *home = node_of(s, 0);
	struct page *empty = NULL;
	unsigned int nid;

	node_lock(home);
	if (!can_swap(s)) {
		node_unlock(home);
		return -EPERM;
	}
	s->sheaf_capacity = *capacity / 2;
	exchange_slots(s, offset, capacity, &empty);
	for (nid = 0; nid < s->nr_nodes; nid++) {
		struct kmem_cache_node *n = node_of(s, nid);
		struct kmem_slot *before = shared_slot(n);

		if (before)
			empty_slot(s, before, &empty);
		n->shared = (uintptr_t)shared[nid];
		shared[nid] = before;
		/* Sheaves of the old size serve until they are gone: here. */
		barn_drain(s, n, UINT32_MAX, &empty);
	}
	node_unlock(home);
	node_release(s, empty);
	return 0;
}

void slots_enlarge(struct kmem_cache *s)
{
	struct kmem_cache_node *home = node_of(s, 0);
	uint32_t capacity = reach(s), offset = percpu_slot_alloc(slot_bytes(capacity));
	struct page *empty = NULL;

	node_lock(home);
	s->slots_wanted = offset ? 0 : 2;
	/* They may have been changed meanwhile. */
	if (offset && s->slot_offset && s->slot_capacity < capacity && !(s->behaviour & KMEM_CACHE_SLOT_FIXED) && can_swap(s))
		exchange_slots(s, &offset, &capacity, &empty);
	node_unlock(home);
	node_release(s, empty);
	percpu_slot_free(offset, slot_bytes(capacity));
}
