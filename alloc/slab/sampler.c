/* SPDX-License-Identifier: BSD-2-Clause */
/* sampler.c - counting slots, objects in pages of their own, marked slabs; see sampler.h. */
#include "slab/sampler.h"

#include "base/numa.h"
#include "page/alloc.h"
#include "slab/cache.h"
#include "slab/slots.h"
#include "slab/slub.h"

#define TOTAL    ((uint64_t)1 << 48) /* of a slot's allocations, one more than it can say */
#define ATTEMPTS 8

__thread bool sampler_pending;

/* Bytes of other caches to the thread's next sample, and the interval by which they were drawn. */
static __thread struct {
	double left;
	uint64_t interval;
} bytes;

/* ---- slots ---- */

/*
 * Replace what the slot has counted, if it is the running CPU's, by `count` so that the cache's sums, which are
 * modulo 2^48, stay as they are. Node locked.
 */
static bool set_count(struct kmem_cache *s, struct kmem_slot *slot, uint64_t expected, uint64_t count)
{
	uint64_t change = (expected >> 16) - count;

	if (!slot_replace(s, slot, expected, (expected & 0xffff) | count << 16))
		return false;
	s->folded_allocs += change;
	s->folded_frees += change;
	return true;
}

void sampler_arm(struct kmem_cache *s, struct kmem_slot *slot)
{
	uint64_t distance = sample_distance(s->size), word;
	int i;

	/* The word changes with every object that comes or goes; the slot, when the thread moves to another CPU. */
	for (i = 0; i < ATTEMPTS; i++) {
		word = READ_ONCE(slot->word);
		if (word >> 63 || set_count(s, slot, word, TOTAL - distance))
			return;
	}
}

/*
 * Call the slow path of a free: it looks at the slot, and gives it back its capacity. Whoever runs on the CPU compares
 * with capacity meanwhile; the old and the new value are both right.
 */
static void call_slot(struct kmem_slot *slot)
{
	WRITE_ONCE(slot->capacity, 0);
}

/* What was allocated since it passed is on the way to the next one. */
static void count_on(struct kmem_cache *s, struct kmem_slot *slot)
{
	uint64_t distance = sample_distance(s->size), word;
	int i;

	for (i = 0; i < ATTEMPTS; i++) {
		word = READ_ONCE(slot->word);
		if (word >> 63)
			return;
		while (word >> 16 >= distance) {
			/* Another thread has passed it meanwhile, unseen. */
			sample_lost();
			distance += sample_distance(s->size);
		}
		if (set_count(s, slot, word, TOTAL - (distance - (word >> 16))))
			return;
	}
	call_slot(slot);
}

static bool is_slot_of(const struct kmem_cache *s, const struct kmem_slot *slot)
{
	uint64_t offset = (uintptr_t)slot - s->percpu;

	return !(offset & ((UINT64_C(1) << KMEM_PERCPU_SHIFT) - 1)) && offset >> KMEM_PERCPU_SHIFT < percpu_nr_cpus();
}

bool sampler_rearm(struct kmem_cache *s, struct kmem_slot *slot)
{
	struct kmem_cache_node *home = node_of(s, 0);

	if (!sample_on())
		return false;
	node_lock(home);
	/* One that was drained meanwhile is counted, and will be looked at when it is used again. */
	if (is_slot_of(s, slot))
		count_on(s, slot);
	node_unlock(home);
	return !trace_watched();
}

static void call_slots_of(struct kmem_cache *s)
{
	struct kmem_cache_node *home = node_of(s, 0);
	unsigned int cpu;

	node_lock(home);
	for (cpu = 0; s->slot_offset && s->nr_nodes == 1 && cpu < percpu_nr_cpus(); cpu++)
		if (slot_of(s, cpu)->limit)
			call_slot(slot_of(s, cpu));
	node_unlock(home);
}

void sampler_call_slots(void)
{
	struct kmem_cache *s = NULL;

	while ((s = cache_next(s)))
		if (s->flags & SLAB_KMALLOC)
			call_slots_of(s);
}

/* ---- samples ---- */

bool sampler_chosen(const struct kmem_cache *s)
{
	bool chosen = sampler_pending || sample_hit(s->size);

	sampler_pending = false;
	return chosen && !trace_watched();
}

static void mark(struct page *page, bool sampled)
{
	page->flags = (uint16_t)(sampled ? page->flags | KMEM_PG_SAMPLED : page->flags & ~KMEM_PG_SAMPLED);
}

void *sampler_alloc(struct kmem_cache *s, const struct slab_request *request)
{
	uint32_t nr_pages = (uint32_t)(ALIGN_UP(MAX(request->size, (size_t)1), PAGE_SIZE) >> PAGE_SHIFT);
	struct page *page = page_alloc_exact(request->gfp & ~__GFP_COMP, nr_pages, KMEM_PAGE_LARGE,
					     request->nid < (int)numa_nr_nodes() ? request->nid : -1);

	if (!page) {
		sample_lost();
		return NULL;
	}
	page->size = request->size;
	mark(page, sample_taken(page_to_addr(page), request->size, s->size, s->id, request->call_site));
	WRITE_ONCE(*addr_to_id(page_to_addr(page)), KMEM_ID_LARGE);
	return page_to_addr(page);
}

void sampler_large(const void *p, size_t size, const void *call_site)
{
	if (sample_on() && !trace_watched() && sample_hit(size))
		mark(addr_to_page(p), sample_taken(p, size, size, KMEM_ID_LARGE, call_site));
}

void sampler_large_gone(struct page *page, const void *call_site)
{
	mark(page, false);
	sample_gone(page_to_addr(page), call_site);
}

void sampler_resized(const void *p, size_t size, const void *call_site)
{
	if (addr_to_page(p)->flags & KMEM_PG_SAMPLED)
		sampler_large_gone(addr_to_page(p), call_site);
	sampler_large(p, size, call_site);
}

/* ---- other caches ---- */

static bool counts_to_sample(size_t size)
{
	uint64_t interval = READ_ONCE(sample_root.interval);

	if (bytes.interval != interval) {
		bytes.interval = interval;
		bytes.left = sample_bytes();
	}
	bytes.left -= (double)size;
	if (likely(bytes.left >= 0))
		return false;
	bytes.left = sample_bytes();
	return true;
}

void sampler_object(struct kmem_cache *s, const void *object, size_t size, const void *call_site)
{
	struct kmem_cache_node *home = node_of(root_of(s), 0);

	if (!counts_to_sample(s->size) || trace_watched() || !sample_taken(object, size, s->size, s->id, call_site))
		return;
	/* The lock is for the other flags of the page. */
	node_lock(home);
	mark(slab_of(object), true);
	node_unlock(home);
}

void sampler_object_gone(const void *object, const void *call_site)
{
	const struct page *slab = arena_contains(object) ? slab_of(object) : NULL;

	if (slab && slab->flags & KMEM_PG_SAMPLED)
		sample_gone(object, call_site);
}
