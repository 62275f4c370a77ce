/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * digest.c - which objects the allocator itself holds, from the copied image.
 *
 * Parked objects are free: they sit in the per-CPU slots of the current
 * region, in the shared slot that replaces them without rseq, and in the full
 * sheaves of a barn. Their bits in the slabs are set all the same.
 *
 * Objects in transit are neither here nor there: a thread was stopped while it
 * moved a sheaf or drained a region. Their only references lie in memory of
 * the allocator, which is no root. They are free or about to be handed out, so
 * they must not be called leaked: they become root words of their own. That
 * happens under the lock of the cache's node only; with no lock held, what
 * looks like the address of a sheaf is a leftover and would hide leaks.
 */
#include "kmemleak/image.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SHEAF_MAX_CAPACITY 4096u

static const struct kmem_cache_node *node_at(const struct image *image, uint64_t i)
{
	return (const struct kmem_cache_node *)(void *)image->nodes.data + i;
}

/* The slot of cache `id` on a CPU in the copy of region 0 or 1; NULL when it has none. */
static const struct kmem_slot *slot_at(const struct image *image, uint32_t id, unsigned int region, uint32_t cpu)
{
	const struct kmem_cache *cache = &image->heap.caches[id];
	uint64_t end = cache->slot_offset + sizeof(struct kmem_slot) + cache->slot_capacity * sizeof(uint64_t);

	if (cache->state == KMEM_CACHE_FREE || !cache->slot_offset || end > image->slots_bytes)
		return NULL;
	return (const struct kmem_slot *)(void *)(image->percpu.data +
		((uint64_t)region * image->root.nr_cpus + cpu) * image->slots_bytes + cache->slot_offset);
}

/* Which region the cache's fast path works on now. */
static unsigned int current_region(const struct image *image, uint32_t id)
{
	const struct kmem_cache *cache = &image->heap.caches[id];

	return cache->percpu - cache->slot_offset == image->root.percpu[1];
}

/* Room in the buffer for `nr` more addresses. */
static int room_for(struct buffer *b, size_t used, size_t nr)
{
	struct buffer bigger = { 0 };

	if ((used + nr) * sizeof(uint64_t) <= b->bytes)
		return 0;
	if (buffer_ensure(&bigger, 2 * (used + nr) * sizeof(uint64_t)))
		return -ENOMEM;
	if (used)
		memcpy(bigger.data, b->data, used * sizeof(uint64_t));
	buffer_free(b);
	*b = bigger;
	return 0;
}

static int park(struct image *image, const uint64_t *objects, size_t nr)
{
	if (!nr)
		return 0;
	if (room_for(&image->parked, image->heap.nr_parked, nr))
		return -ENOMEM;
	memcpy(image->parked.data + image->heap.nr_parked * sizeof(uint64_t), objects, nr * sizeof(uint64_t));
	image->heap.nr_parked += nr;
	return 0;
}

static int add_transit(struct image *image, const uint64_t *objects, size_t nr)
{
	if (!nr)
		return 0;
	if (image->nr_transit + nr > image->transit_capacity) {
		size_t capacity = 2 * (image->transit_capacity + nr);
		uint64_t *more = realloc(image->transit, capacity * sizeof(*more));

		if (!more)
			return -ENOMEM;
		image->transit = more;
		image->transit_capacity = capacity;
	}
	memcpy(image->transit + image->nr_transit, objects, nr * sizeof(*objects));
	image->nr_transit += nr;
	return 0;
}

/* ---- slots ------------------------------------------------------------------------------- */

static int digest_slots(struct image *image, uint32_t id)
{
	const struct kmem_cache *cache = &image->heap.caches[id];
	unsigned int current = current_region(image, id);
	int err = 0;

	for (uint32_t cpu = 0; cpu < image->root.nr_cpus && !err; cpu++) {
		const struct kmem_slot *slot = slot_at(image, id, current, cpu);
		const struct kmem_slot *other = slot_at(image, id, !current, cpu);

		if (slot && kmem_slot_count(slot) <= cache->slot_capacity)
			err = park(image, slot->object, kmem_slot_count(slot));
		/* While a drain is under way the slots of the region that was swapped out are being emptied. */
		if (other && (cache->seq & 1) && kmem_slot_count(other) <= cache->slot_capacity && !err)
			err = add_transit(image, other->object, kmem_slot_count(other));
	}
	return err;
}

/* ---- sheaves and shared slots -------------------------------------------------------------- */

/* `bytes` at a target address within the range of sheaves, or NULL. */
static const void *in_sheaves(const struct image *image, uint64_t addr, uint64_t bytes)
{
	uint64_t size = image->root.sheaves_end - image->root.sheaves, offset = addr - image->root.sheaves;

	return offset < size && bytes <= size - offset ? image->sheaves.data + offset : NULL;
}

static int park_sheaf(struct image *image, uint64_t addr)
{
	const struct kmem_sheaf *sheaf = in_sheaves(image, addr, sizeof(*sheaf));

	if (!sheaf || sheaf->count > sheaf->capacity || sheaf->capacity > SHEAF_MAX_CAPACITY)
		return 0;
	if (!in_sheaves(image, addr, sizeof(*sheaf) + sheaf->count * sizeof(uint64_t)))
		return 0;
	return park(image, sheaf->object, sheaf->count);
}

static int park_shared(struct image *image, uint64_t addr)
{
	const struct kmem_slot *slot = in_sheaves(image, addr, sizeof(*slot));

	if (!slot || !in_sheaves(image, addr, sizeof(*slot) + kmem_slot_count(slot) * sizeof(uint64_t)))
		return 0;
	return park(image, slot->object, kmem_slot_count(slot));
}

/* The list of full sheaves beyond node->full[], if all of it lies within the range. */
static const uint64_t *more_of(const struct image *image, const struct kmem_cache_node *node, uint32_t *nr)
{
	*nr = node->nr_full > KMEM_BARN_SHEAVES ? node->nr_full - KMEM_BARN_SHEAVES : 0;
	return *nr ? in_sheaves(image, node->more, *nr * sizeof(uint64_t)) : NULL;
}

static int digest_node(struct image *image, const struct kmem_cache_node *node)
{
	int err = node->shared ? park_shared(image, node->shared) : 0;
	const uint64_t *more;
	uint32_t nr;

	for (uint32_t i = 0; i < node->nr_full && i < KMEM_BARN_SHEAVES && !err; i++)
		err = park_sheaf(image, node->full[i]);
	more = more_of(image, node, &nr);
	for (uint32_t i = 0; more && i < nr && !err; i++)
		err = park_sheaf(image, more[i]);
	return err;
}

/* ---- transit ------------------------------------------------------------------------------ */

static bool listed(const struct image *image, uint64_t addr)
{
	uint64_t nr_nodes = (uint64_t)image->root.nr_caches * image->root.nr_nodes;

	for (uint64_t i = 0; i < nr_nodes; i++) {
		const struct kmem_cache_node *node = node_at(image, i);
		const uint64_t *more;
		uint32_t nr;

		for (uint32_t k = 0; k < KMEM_BARN_SHEAVES; k++)
			if ((k < node->nr_full && node->full[k] == addr) ||
			    (k < node->nr_empty && node->empty[k] == addr))
				return true;
		more = more_of(image, node, &nr);
		for (uint32_t k = 0; more && k < nr; k++)
			if (more[k] == addr)
				return true;
	}
	return false;
}

/*
 * A thread that holds the address of a sheaf, in a register or on its stack,
 * may be moving it, unless the sheaf is back on a list and the word a leftover.
 * All entries count: while it is filled or emptied, its count lags behind.
 */
static int digest_held_sheaf(struct image *image, uint64_t word)
{
	const struct kmem_sheaf *sheaf = in_sheaves(image, word, sizeof(*sheaf));

	if (!sheaf || (word & 7) || !sheaf->capacity || sheaf->capacity > SHEAF_MAX_CAPACITY ||
	    sheaf->count > sheaf->capacity || listed(image, word))
		return 0;
	if (!in_sheaves(image, word, sizeof(*sheaf) + sheaf->capacity * sizeof(uint64_t)))
		return 0;
	return add_transit(image, sheaf->object, sheaf->capacity);
}

/* A large object is a page descriptor before it is an address, and again while it is freed. */
static int digest_held_page(struct image *image, uint64_t word)
{
	uint64_t offset = word - image->root.pages, index = kmem_page_of_place(offset / sizeof(struct page)), address;

	if (index >= image->heap.nr_pages || offset % sizeof(struct page) ||
	    heap_page(&image->heap, index)->type != KMEM_PAGE_LARGE)
		return 0;
	address = image->heap.base + (index << KMEM_PAGE_SHIFT);
	return add_transit(image, &address, 1);
}

static bool any_lock_held(const struct image *image)
{
	uint64_t nr_nodes = (uint64_t)image->root.nr_caches * image->root.nr_nodes;

	for (uint64_t i = 0; i < nr_nodes; i++)
		if (node_at(image, i)->lock || (node_at(image, i)->seq & 1))
			return true;
	return false;
}

static int digest_threads(struct image *image)
{
	bool moving = any_lock_held(image);
	int err = 0;

	for (size_t i = 0; i < image->nr_root_words; i++) {
		const struct root_words *piece = &image->root_words[i];

		/* Registers and stacks are the pieces that have a thread; only registers have no address. */
		for (size_t w = 0; piece->tid && w < piece->nr && !err; w++) {
			if (moving)
				err = digest_held_sheaf(image, piece->words[w]);
			if (moving && !err)
				err = digest_held_sheaf(image, piece->words[w] - sizeof(struct kmem_sheaf));
			if (!piece->address && !err)
				err = digest_held_page(image, piece->words[w]);
		}
	}
	return err;
}

int image_digest(struct image *image)
{
	uint64_t nr_nodes = (uint64_t)image->root.nr_caches * image->root.nr_nodes;
	int err = 0;

	image->heap.nr_parked = 0;
	for (uint32_t id = 1; id < image->root.nr_caches && !err; id++)
		if (image->heap.caches[id].state != KMEM_CACHE_FREE)
			err = digest_slots(image, id);
	for (uint64_t i = image->root.nr_nodes; i < nr_nodes && !err; i++)
		if (image->heap.caches[i / image->root.nr_nodes].state != KMEM_CACHE_FREE)
			err = digest_node(image, node_at(image, i));
	if (!err)
		err = digest_threads(image);
	image->heap.parked = (const uint64_t *)(void *)image->parked.data;
	if (!err && image->nr_transit) {
		struct root_words piece = { .words = image->transit, .nr = image->nr_transit };

		err = image_add_words(image, &piece);
	}
	return err;
}
