/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * audit.c - what must hold between descriptors, bitmaps and counters:
 * every bit set in a bitmap is an object in use or parked, a parked object's bit is set
 * and it is parked once, and the counters of nodes are the sums over their slabs.
 */
#include "model/audit.h"

#include <stdlib.h>

#include "base/base.h"
#include "base/report.h"
#include "page/alloc.h"
#include "slab/cache.h"

struct sums {
	uint64_t slabs, objects, taken, partial;
};

/* Of all caches, by id. */
static struct sums sums[KMEM_ID_MAX];

static uint32_t bits_taken(const struct page *slab)
{
	uint32_t i, bits = 0;

	for (i = 0; i < slab_bitmap_words(slab); i++)
		bits += (uint32_t)__builtin_popcountll(kmem_slab_taken(slab, *slab_word(slab, i), i));
	return bits;
}

static void audit_slab(const struct page *slab)
{
	const struct kmem_cache *s = cache_by_id(slab->cache_id);
	struct sums *sum = &sums[slab->cache_id];
	uint32_t i;

	BUG_ON(s->state == KMEM_CACHE_FREE);
	BUG_ON(bits_taken(slab) != slab->inuse || slab->inuse > slab->objects || slab->fresh > slab->objects);
	BUG_ON((uint64_t)slab->objects * s->size > (uint64_t)slab->nr_pages << PAGE_SHIFT);
	BUG_ON(!(slab->flags & KMEM_PG_PARTIAL) != (slab->inuse == slab->objects));
	for (i = 0; i < slab->nr_pages; i++)
		BUG_ON(arena.idmap[page_index(slab) + i] != slab->cache_id);
	sum->slabs++;
	sum->objects += slab->objects;
	sum->taken += slab->inuse;
	sum->partial += !!(slab->flags & KMEM_PG_PARTIAL);
}

/* Slabs are found by their ids: what other blocks have in their tail descriptors means nothing. */
static void audit_slabs(void)
{
	size_t nr_pages = arena.bytes >> PAGE_SHIFT, i;

	memset(sums, 0, sizeof(sums));
	for (i = 0; i < nr_pages; i++) {
		const struct page *page = page_at(i);
		const void *addr = page_to_addr(page);

		if (arena.idmap[i] == KMEM_ID_NONE || arena.idmap[i] >= KMEM_ID_MAX)
			continue;
		if (page->type == KMEM_PAGE_SLAB)
			audit_slab(page);
		BUG_ON(!slab_of(addr) || slab_of(addr)->cache_id != arena.idmap[i]);
		BUG_ON(slab_of(addr) != slab_of_cache(cache_by_id(arena.idmap[i]), addr));
	}
}

/* ---- parked objects ---- */

static void audit_parked(const struct kmem_cache *s, const uint64_t *object, uint32_t count, uint64_t *parked)
{
	uint32_t i, k;

	for (i = 0; i < count; i++) {
		const void *p = (const void *)(uintptr_t)object[i];
		const struct page *slab = slab_of(p);

		BUG_ON(!slab || slab->cache_id != s->root_id || !slab_object_taken(s, slab, p));
		BUG_ON(slab_object(s, slab, slab_object_index(s, slab, p)) != p);
		for (k = 0; k < i; k++)
			BUG_ON(object[k] == object[i]);
	}
	*parked += count;
}

static void audit_slot(const struct kmem_cache *s, const struct kmem_slot *slot, uint64_t *parked)
{
	BUG_ON(kmem_slot_count(slot) > s->slot_capacity);
	audit_parked(s, slot->object, kmem_slot_count(slot), parked);
}

/* The slots and what prefilled sheaves hold, and its own objects: allocated, not freed. Of one name. */
static void audit_name(struct kmem_cache *s, uint64_t *parked, uint64_t *own)
{
	uint64_t held = 0;
	unsigned int cpu, nid;

	for (cpu = 0; s->slot_offset && cpu < percpu_nr_cpus(); cpu++) {
		const struct kmem_slot *slot = slot_of(s, cpu);

		audit_slot(s, slot, parked);
		*own += kmem_slot_allocs(slot) - kmem_slot_frees(slot);
	}
	held = kmem_prefill_held(s->prefill);
	*parked += held;
	*own += kmem_prefill_allocs(s->prefill) + s->folded_allocs - s->folded_frees;
	for (nid = 0; nid < s->nr_nodes; nid++)
		*own += counters_of(s, node_of(s, nid))->alloc - counters_of(s, node_of(s, nid))->free;
}

/* A cache and its aliases. */
static void audit_cache(struct kmem_cache *s)
{
	struct sums have = { 0, 0, 0, 0 };
	struct kmem_cache *name;
	uint64_t parked = 0, own = 0;
	unsigned int nid;
	uint32_t i;
	int32_t names = 0;

	for (name = s; name; name = next_alias(name)) {
		BUG_ON(root_of(name) != s || name->size != s->size || name->order != s->order);
		names += name->state == KMEM_CACHE_LIVE;
		audit_name(name, &parked, &own);
	}
	BUG_ON(names != s->refcount);
	for (nid = 0; nid < s->nr_nodes; nid++) {
		const struct kmem_cache_node *n = node_of(s, nid);

		BUG_ON(n->nr_full > KMEM_BARN_SHEAVES + n->more_room || n->nr_empty > KMEM_BARN_SHEAVES || n->seq & 1);
		for (i = 0; i < n->nr_full; i++) {
			const struct kmem_sheaf *sheaf = barn_sheaf(n, i);

			BUG_ON(sheaf->count > sheaf->capacity);
			audit_parked(s, sheaf->object, sheaf->count, &parked);
		}
		if (n->shared)
			audit_slot(s, (const struct kmem_slot *)(uintptr_t)n->shared, &parked);
		have.slabs += n->nr_slabs;
		have.objects += n->nr_objects;
		have.taken += n->nr_taken;
		have.partial += n->nr_partial;
	}
	BUG_ON(memcmp(&have, &sums[s->id], sizeof(have)) != 0);
	BUG_ON(parked > have.taken);
	BUG_ON(s->refcount > 1 && have.taken - parked != own);
}

void audit(void)
{
	struct kmem_cache *s = NULL;

	page_validate();
	audit_slabs();
	while ((s = cache_next(s)))
		if (s == root_of(s))
			audit_cache(s);
}
