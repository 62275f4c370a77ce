/* SPDX-License-Identifier: BSD-2-Clause */
/* digest.c - what the allocator holds in slots, sheaves and in transit, on a made-up image. */
#include <string.h>
#include <criterion/criterion.h>

#include "kmemleak/image.h"

#define CAPACITY 8u
#define SLOT     64u /* offset of the cache's slots in a region */
#define REGION_0 UINT64_C(0x100000000)
#define REGION_1 UINT64_C(0x200000000)
#define SHEAVES  UINT64_C(0x300000000)
#define SHEAF_BYTES (sizeof(struct kmem_sheaf) + CAPACITY * sizeof(uint64_t))

static struct image image;
static struct kmem_cache *cache;
static struct kmem_cache_node *node;

static void setup(void)
{
	image.root.nr_caches = 2;
	image.root.nr_nodes = 1;
	image.root.nr_cpus = 2;
	image.root.percpu[0] = REGION_0;
	image.root.percpu[1] = REGION_1;
	image.root.sheaves = SHEAVES;
	image.root.sheaves_end = SHEAVES + 8 * SHEAF_BYTES;
	image.slots_bytes = SLOT + sizeof(struct kmem_slot) + CAPACITY * sizeof(uint64_t);
	cr_assert(!buffer_ensure(&image.caches, 2 * sizeof(struct kmem_cache)));
	cr_assert(!buffer_ensure(&image.nodes, 2 * sizeof(struct kmem_cache_node)));
	cr_assert(!buffer_ensure(&image.percpu, 4 * image.slots_bytes));
	cr_assert(!buffer_ensure(&image.sheaves, 8 * SHEAF_BYTES));
	cr_assert(!buffer_ensure(&image.pages, KMEM_ARENA_BLOCK_PAGES * sizeof(struct page)));
	image.heap.caches = (const struct kmem_cache *)(void *)image.caches.data;
	image.heap.pages = (const struct page *)(void *)image.pages.data;
	image.heap.nr_pages = 64;
	image.heap.base = 0x500000000;
	image.root.pages = 0x600000000;
	cache = (struct kmem_cache *)(void *)image.caches.data + 1;
	node = (struct kmem_cache_node *)(void *)image.nodes.data + 1;
	cache->state = KMEM_CACHE_LIVE;
	cache->slot_offset = SLOT;
	cache->slot_capacity = CAPACITY;
	cache->percpu = REGION_0 + SLOT;
}

static void teardown(void)
{
	image_free(&image);
}

TestSuite(digest, .init = setup, .fini = teardown);

static struct kmem_slot *slot(unsigned int region, unsigned int cpu)
{
	return (struct kmem_slot *)(void *)(image.percpu.data + (2 * region + cpu) * image.slots_bytes + SLOT);
}

static void fill_slot(struct kmem_slot *slot, uint64_t first, uint32_t nr)
{
	slot->word = 77 << 16 | nr;
	for (uint32_t i = 0; i < CAPACITY; i++)
		slot->object[i] = first + i;
}

static uint64_t fill_sheaf(uint32_t number, uint64_t first, uint32_t nr)
{
	struct kmem_sheaf *sheaf = (struct kmem_sheaf *)(void *)(image.sheaves.data + number * SHEAF_BYTES);

	sheaf->count = nr;
	sheaf->capacity = CAPACITY;
	for (uint32_t i = 0; i < CAPACITY; i++)
		sheaf->object[i] = first + i;
	return SHEAVES + number * SHEAF_BYTES;
}

static bool parked(uint64_t object)
{
	for (size_t i = 0; i < image.heap.nr_parked; i++)
		if (image.heap.parked[i] == object)
			return true;
	return false;
}

static bool in_transit(uint64_t object)
{
	for (size_t i = 0; i < image.nr_transit; i++)
		if (image.transit[i] == object)
			return true;
	return false;
}

/* A register of thread 7 holds this word. */
static void hold(uint64_t *word)
{
	struct root_words piece = { .words = word, .nr = 1, .tid = 7 };

	cr_assert(!image_add_words(&image, &piece));
}

Test(digest, slots_of_the_current_region)
{
	fill_slot(slot(0, 0), 1000, 3);
	fill_slot(slot(0, 1), 2000, 8);
	fill_slot(slot(1, 0), 3000, 8); /* left from before a drain */
	cr_assert(!image_digest(&image));
	cr_assert_eq(image.heap.nr_parked, 11);
	cr_assert(parked(1002));
	cr_assert(!parked(1003));
	cr_assert(parked(2007));
	cr_assert(!parked(3000));
	cr_assert_eq(image.nr_transit, 0);
}

Test(digest, after_a_drain_the_other_region_is_current)
{
	cache->percpu = REGION_1 + SLOT;
	fill_slot(slot(0, 0), 1000, 3);
	fill_slot(slot(1, 1), 3000, 2);
	cr_assert(!image_digest(&image));
	cr_assert_eq(image.heap.nr_parked, 2);
	cr_assert(parked(3001));
}

Test(digest, during_a_drain_the_old_slots_are_in_transit)
{
	cache->seq = 1;
	cache->percpu = REGION_1 + SLOT;
	fill_slot(slot(0, 0), 1000, 3);
	cr_assert(!image_digest(&image));
	cr_assert_eq(image.heap.nr_parked, 0);
	cr_assert(in_transit(1002));
	cr_assert(!in_transit(1003));
	cr_assert_eq(image.nr_root_words, 1);
}

Test(digest, damaged_counts_are_ignored)
{
	fill_slot(slot(0, 0), 1000, CAPACITY + 1);
	node->nr_full = 3;
	node->full[0] = fill_sheaf(0, 5000, CAPACITY + 1);
	node->full[1] = SHEAVES - 8;
	node->full[2] = image.root.sheaves_end - 8;
	cr_assert(!image_digest(&image));
	cr_assert_eq(image.heap.nr_parked, 0);
}

Test(digest, full_sheaves_and_the_shared_slot)
{
	cache->slot_offset = 0;
	node->shared = SHEAVES + 4 * SHEAF_BYTES;
	fill_slot((struct kmem_slot *)(void *)(image.sheaves.data + 4 * SHEAF_BYTES), 7000, 2);
	node->nr_full = 1;
	node->full[0] = fill_sheaf(0, 5000, CAPACITY);
	node->full[1] = fill_sheaf(1, 6000, CAPACITY); /* beyond nr_full */
	cr_assert(!image_digest(&image));
	cr_assert_eq(image.heap.nr_parked, CAPACITY + 2);
	cr_assert(parked(5007));
	cr_assert(parked(7001));
	cr_assert(!parked(6000));
}

Test(digest, many_objects_make_the_buffer_grow)
{
	image.root.nr_cpus = 2;
	for (int round = 0; round < 2; round++) {
		node->nr_full = 0;
		for (uint32_t i = 0; i < 8; i++)
			node->full[node->nr_full++] = fill_sheaf(i, 1000 * i, CAPACITY);
		cr_assert(!image_digest(&image));
		cr_assert_eq(image.heap.nr_parked, 8 * CAPACITY);
	}
	cr_assert(parked(7007));
}

Test(digest, a_barn_of_more_sheaves)
{
	uint64_t list = fill_sheaf(7, 0, 0);
	uint64_t *more = (uint64_t *)(void *)(image.sheaves.data + (list - SHEAVES) + sizeof(struct kmem_sheaf));
	uint32_t i;

	for (i = 0; i < KMEM_BARN_SHEAVES; i++)
		node->full[i] = i ? 0 : fill_sheaf(0, 5000, 1);
	node->more = list + sizeof(struct kmem_sheaf);
	more[0] = fill_sheaf(1, 6000, CAPACITY);
	more[1] = 3; /* damaged */
	more[2] = fill_sheaf(2, 7000, 1);
	node->nr_full = KMEM_BARN_SHEAVES + 3;
	cr_assert(!image_digest(&image));
	cr_assert_eq(image.heap.nr_parked, 1 + CAPACITY + 1);
	cr_assert(parked(6001));
	cr_assert(parked(7000));
	/* A list that does not lie where sheaves are. */
	node->more = image.root.sheaves_end - 8;
	cr_assert(!image_digest(&image));
	cr_assert_eq(image.heap.nr_parked, 1);
}

Test(digest, a_sheaf_in_the_hands_of_a_thread)
{
	uint64_t sheaf = fill_sheaf(2, 5000, 1), objects = sheaf + sizeof(struct kmem_sheaf);

	node->lock = 1;
	hold(&objects);
	cr_assert(!image_digest(&image));
	cr_assert(in_transit(5000));
	cr_assert(in_transit(5007), "the count lags behind");
}

Test(digest, without_a_lock_it_is_a_leftover)
{
	uint64_t sheaf = fill_sheaf(2, 5000, 1);

	hold(&sheaf);
	cr_assert(!image_digest(&image));
	cr_assert_eq(image.nr_transit, 0);
}

Test(digest, a_listed_sheaf_is_a_leftover)
{
	uint64_t sheaf = fill_sheaf(2, 5000, 0);

	node->lock = 1;
	node->nr_empty = 1;
	node->empty[0] = sheaf;
	hold(&sheaf);
	cr_assert(!image_digest(&image));
	cr_assert_eq(image.nr_transit, 0);
}

Test(digest, a_large_object_known_by_its_descriptor)
{
	uint64_t word = image.root.pages + kmem_page_place(5) * sizeof(struct page), other = word + sizeof(struct page);

	((struct page *)(void *)image.pages.data)[kmem_page_place(5)].type = KMEM_PAGE_LARGE;
	hold(&word);
	hold(&other);
	cr_assert(!image_digest(&image));
	cr_assert_eq(image.nr_transit, 1);
	cr_assert(in_transit(image.heap.base + (5 << 12)));
}
