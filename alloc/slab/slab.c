/* SPDX-License-Identifier: BSD-2-Clause */
/* slab.c - a slab's pages and bitmap; see slab.h for the states. */
#include "slab/slab.h"

#include "base/report.h"
#include "base/shadow.h"
#include "page/alloc.h"
#include "slab/debug_object.h"
#include "slab/geometry.h"
#include "slab/rcu.h"

static void set_ids(const struct page *slab, uint16_t id)
{
	uint16_t *entry = addr_to_id(page_to_addr(slab));
	uint32_t i;

	for (i = 0; i < slab->nr_pages; i++)
		WRITE_ONCE(entry[i], id);
}

static void construct(const struct kmem_cache *s, const struct page *slab)
{
	void (*ctor)(void *) = (void (*)(void *))(uintptr_t)s->ctor;
	uint32_t i;

	for (i = 0; ctor && i < slab->objects; i++)
		ctor(slab_object(s, slab, i));
}

static struct page *alloc_slab_pages(struct kmem_cache *s, gfp_t gfp, int nid, bool *fell_back)
{
	unsigned int order = READ_ONCE(s->order); /* may be tuned meanwhile */
	struct page *slab;

	/* Zone and mobility are the cache's, not the caller's. */
	gfp &= ~(__GFP_ZERO | __GFP_MOVABLE | __GFP_COMP | __GFP_DMA | __GFP_DMA32 | __GFP_HIGHMEM | __GFP_RECLAIMABLE);
	if (s->flags & SLAB_CACHE_DMA)
		gfp |= __GFP_DMA;
	if (s->flags & SLAB_CACHE_DMA32)
		gfp |= __GFP_DMA32;
	if (s->migratetype == MIGRATE_RECLAIMABLE)
		gfp |= __GFP_RECLAIMABLE;
	*fell_back = false;
	slab = page_alloc_node(order > s->min_order ? gfp & ~__GFP_NOFAIL : gfp, order, KMEM_PAGE_SLAB, nid);
	if (slab || order == s->min_order)
		return slab;
	*fell_back = true;
	return page_alloc_node(gfp, s->min_order, KMEM_PAGE_SLAB, nid);
}

uint32_t slab_capacity(const struct kmem_cache *s, unsigned int order)
{
	return (uint32_t)MIN((PAGE_SIZE << order) / s->size, (size_t)SLAB_MAX_OBJECTS);
}

/* Bytes in front of the first object: the next part of what the objects leave over. */
static uint32_t next_colour(struct kmem_cache *s, const struct page *slab)
{
	uint32_t rest = (uint32_t)((PAGE_SIZE << slab->order) - (size_t)slab->objects * s->size);

	if (!s->colour_off)
		return 0;
	return __atomic_fetch_add(&s->colour_next, 1, __ATOMIC_RELAXED) % (rest / s->colour_off + 1) * s->colour_off;
}

struct page *slab_new(struct kmem_cache *s, gfp_t gfp, int nid, bool *fell_back)
{
	struct page *slab = alloc_slab_pages(s, gfp, nid, fell_back);

	if (!slab)
		return NULL;
	slab->cache_id = s->root_id;
	slab->inuse = 0;
	slab->hint = 0;
	slab->emptied = slab->flags & KMEM_PG_ZEROED && !s->ctor ? slab_all_pages(slab) : 0;
	slab->flags &= (uint16_t)~KMEM_PG_ZEROED;
	slab->objects = (uint16_t)slab_capacity(s, slab->order);
	slab->offset = next_colour(s, slab);
	slab->fresh = 0;
	if (s->flags & SLAB_DEBUG_FLAGS)
		debug_slab_setup(s, slab);
	construct(s, slab);
	set_ids(slab, s->root_id);
	return slab;
}

static void release_now(void *slab)
{
	struct page *page = slab;
	uint32_t word;

	set_ids(page, KMEM_ID_NONE);
	page->cache_id = 0;
	/* What was never taken never had a bit. */
	for (word = 0; word < (page->fresh + 63) / 64; word++)
		*slab_word(page, word) = 0;
	page->fresh = 0;
	shadow_forget(page_to_addr(page), PAGE_SIZE << page->order);
	page_free(page, page->order);
}

/* Slabs of SLAB_TYPESAFE_BY_RCU caches, until their readers are gone. */
static struct rcu_queue typesafe KMEM_STATE;

void slab_init(void)
{
	typesafe.release = release_now;
	rcu_queue_add(&typesafe);
}

void slab_release(const struct kmem_cache *s, struct page *slab)
{
	if ((s->flags & SLAB_TYPESAFE_BY_RCU) && kmem_rcu_present())
		rcu_defer(&typesafe, slab, (struct rcu_link *)(void *)slab->rcu, true);
	else
		release_now(slab);
}

/* Let objects that were never taken, up to `end`, be as if they had come back: for who does not take them in turn. */
static void open_fresh(struct page *slab, uint32_t end)
{
	slab->hint = (uint16_t)MIN(slab->hint, slab->fresh / 64);
	while (slab->fresh < end) {
		uint32_t bit = slab->fresh % 64, nr = MIN(64 - bit, end - slab->fresh);

		*slab_word(slab, slab->fresh / 64) |= ~UINT64_C(0) >> (64 - nr) << bit;
		slab->fresh += nr;
	}
}

static force_inline uint32_t index_of(const struct kmem_cache *s, const struct page *slab, const void *addr)
{
	uint64_t offset = (uint64_t)((const uint8_t *)addr - (const uint8_t *)page_to_addr(slab)) - slab->offset;

	/* The reciprocal is exact for slabs up to the preferred maximum order. */
	return s->reciprocal ? (uint32_t)((offset * s->reciprocal) >> 32) : (uint32_t)(offset / s->size);
}

/* Objects first .. last leave a slab with pages that have no memory: those under them get it. */
static uint64_t refaults KMEM_STATE;

static noinline void refault(const struct kmem_cache *s, struct page *slab, uint32_t first, uint32_t last)
{
	uint64_t from = (slab->offset + (uint64_t)first * s->size) >> PAGE_SHIFT;
	uint64_t to = (slab->offset + (last + UINT64_C(1)) * s->size - 1) >> PAGE_SHIFT;
	uint64_t pages = (~UINT64_C(0) << from) & (~UINT64_C(0) >> (63 - to)) & slab->emptied;

	__atomic_fetch_add(&refaults, (uint64_t)__builtin_popcountll(pages), __ATOMIC_RELAXED);
	slab->emptied &= ~pages;
}

static force_inline bool has_emptied(const struct kmem_cache *s, const struct page *slab)
{
	return unlikely(slab->emptied) && !(s->flags & SLAB_DEBUG_FLAGS);
}

uint64_t slab_refaults(void)
{
	return READ_ONCE(refaults);
}

/*
 * slab_take() in an order that nobody can tell from outside: words from a random
 * one on, and the bits of each as (odd * k + add) ^ flip, a permutation of 0 .. 63.
 * The factors leave 1 and -1 out, which would only count up or down.
 */
static uint32_t take_random(const struct kmem_cache *s, struct page *slab, void **object, uint32_t max)
{
	uint64_t mix = (s->random ^ page_index(slab)) * UINT64_C(0x9e3779b97f4a7c15);
	uint32_t words = slab_bitmap_words(slab), odd = ((uint32_t)(mix >> 33) & 56) | 5;
	uint32_t add = (uint32_t)(mix >> 50), flip = (uint32_t)(mix >> 58);
	uint32_t i, k, taken = 0;

	open_fresh(slab, slab->objects);
	for (i = 0; i < words && taken < max; i++) {
		uint32_t word = ((uint32_t)(mix >> 40) + i) % words;
		uint64_t *bits = slab_word(slab, word), free = *bits;

		for (k = 0; free && taken < max; k++) {
			uint32_t bit = ((odd * k + add) ^ flip) % 64;

			if (!(free >> bit & 1))
				continue;
			free &= ~(UINT64_C(1) << bit);
			*bits &= ~(UINT64_C(1) << bit);
			object[taken++] = slab_object(s, slab, word * 64 + bit);
		}
	}
	slab->inuse = (uint16_t)(slab->inuse + taken);
	return taken;
}

/* Up to max of the objects whose bits are set in `free`, lowest first. Return: the bits of those taken. */
static force_inline uint64_t take_word(const struct kmem_cache *s, uint8_t *base, uint64_t free, void **object,
				       uint32_t max)
{
	uint64_t left = free;
	uint32_t i;

	/* All came back: one object after the other. */
	if (free == ~UINT64_C(0) && max >= 64) {
		for (i = 0; i < 64; i++, base += s->size)
			object[i] = base;
		return free;
	}
	for (i = 0; left && i < max; i++, left &= left - 1)
		object[i] = base + (size_t)__builtin_ctzll(left) * s->size;
	return free & ~left;
}

/* Up to max of the objects that came back. */
static uint32_t take_returned(const struct kmem_cache *s, struct page *slab, void **object, uint32_t max)
{
	uint32_t word = slab->hint, left = MIN(max, slab_returned(slab)), taken = 0;

	for (; taken < left && word < slab_bitmap_words(slab); word++) {
		uint64_t *bits = slab_word(slab, word), free = *bits;

		slab->hint = (uint16_t)word;
		if (!free)
			continue;
		free = take_word(s, slab_object(s, slab, word * 64), free, object + taken, left - taken);
		*bits ^= free;
		taken += (uint32_t)__builtin_popcountll(free);
	}
	return taken;
}

/* Up to max of those that never left, one after the other. */
static force_inline uint32_t take_fresh(const struct kmem_cache *s, struct page *slab, void **object, uint32_t max)
{
	uint8_t *at = slab_object(s, slab, slab->fresh);
	uint32_t i, nr = MIN(max, slab->objects - slab->fresh);

	for (i = 0; i < nr; i++, at += s->size)
		object[i] = at;
	slab->fresh += nr;
	return nr;
}

uint32_t slab_take(const struct kmem_cache *s, struct page *slab, void **object, uint32_t max)
{
	uint32_t taken;

	if (unlikely(s->behaviour & KMEM_CACHE_RANDOM_ORDER)) {
		if (has_emptied(s, slab))
			refault(s, slab, 0, slab->objects - 1u);
		return take_random(s, slab, object, max);
	}
	taken = take_returned(s, slab, object, max);
	taken += take_fresh(s, slab, object + taken, max - taken);
	if (taken && has_emptied(s, slab))
		refault(s, slab, index_of(s, slab, object[0]), index_of(s, slab, object[taken - 1]));
	slab->inuse = (uint16_t)(slab->inuse + taken);
	return taken;
}

void *slab_first_free(const struct kmem_cache *s, const struct page *slab)
{
	uint32_t word;

	for (word = 0; slab_returned(slab) && word < (slab->fresh + 63) / 64; word++) {
		uint64_t free = *slab_word(slab, word);

		if (free)
			return slab_object(s, slab, word * 64 + (uint32_t)__builtin_ctzll(free));
	}
	return slab->fresh < slab->objects ? slab_object(s, slab, slab->fresh) : NULL;
}

uint32_t slab_object_index(const struct kmem_cache *s, const struct page *slab, const void *addr)
{
	return index_of(s, slab, addr);
}

bool slab_object_taken(const struct kmem_cache *s, const struct page *slab, const void *addr)
{
	uint32_t index = slab_object_index(s, slab, addr);

	return index < slab->fresh && !(*slab_word(slab, index / 64) >> (index % 64) & 1);
}

void slab_take_object(const struct kmem_cache *s, struct page *slab, const void *object)
{
	uint32_t index = slab_object_index(s, slab, object);

	if (has_emptied(s, slab))
		refault(s, slab, index, index);
	if (index >= slab->fresh)
		open_fresh(slab, index + 1);
	*slab_word(slab, index / 64) &= ~(UINT64_C(1) << (index % 64));
	slab->inuse++;
}

enum slab_put_result slab_put(const struct kmem_cache *s, struct page *slab, const void *object)
{
	uint32_t index = index_of(s, slab, object);
	uint64_t mask = UINT64_C(1) << (index % 64);
	uint64_t *word;

	if (index >= slab->objects || slab_object(s, slab, index) != object)
		return SLAB_PUT_BAD_POINTER;
	word = slab_word(slab, index / 64);
	if (index >= slab->fresh || *word & mask)
		return SLAB_PUT_DOUBLE_FREE;
	*word |= mask;
	slab->inuse--;
	slab->hint = (uint16_t)MIN(slab->hint, index / 64);
	return SLAB_PUT_OK;
}

/* What slab_put() does, with everything that objects of a slab have in common in registers. */
uint32_t slab_put_run(const struct kmem_cache *s, struct page *slab, void **object, uint32_t count)
{
	const uint64_t start = (uintptr_t)slab_object(s, slab, 0), size = s->size;
	const uint64_t reciprocal = s->reciprocal, bytes = slab->fresh * size;
	uint32_t at = slab->hint, lowest = at, i;
	uint64_t *word = slab_word(slab, at), bits = *word;

	for (i = 0; i < count; i++) {
		uint64_t offset = (uintptr_t)object[i] - start, index;

		if (unlikely(offset >= bytes))
			break;
		index = reciprocal ? (offset * reciprocal) >> 32 : offset / size;
		if (index / 64 != at) {
			*word = bits;
			at = (uint32_t)(index / 64);
			word = slab_word(slab, at);
			bits = *word;
			lowest = MIN(lowest, at);
		}
		if (unlikely(index * size != offset || bits >> (index % 64) & 1))
			break;
		bits ^= UINT64_C(1) << (index % 64);
	}
	*word = bits;
	slab->hint = (uint16_t)lowest;
	slab->inuse = (uint16_t)(slab->inuse - i);
	return i;
}

uint32_t slab_hold(struct page *slab, uint64_t *held)
{
	uint32_t word, nr = 0;

	open_fresh(slab, slab->objects);
	for (word = 0; word < slab_bitmap_words(slab); word++) {
		held[word] = *slab_word(slab, word);
		*slab_word(slab, word) = 0;
		nr += (uint32_t)__builtin_popcountll(held[word]);
	}
	slab->inuse = (uint16_t)(slab->inuse + nr);
	return nr;
}

uint32_t slab_unhold(struct page *slab, const uint64_t *held)
{
	uint32_t word, nr = 0;

	for (word = 0; word < slab_bitmap_words(slab); word++) {
		*slab_word(slab, word) |= held[word];
		nr += (uint32_t)__builtin_popcountll(held[word]);
	}
	slab->inuse = (uint16_t)(slab->inuse - nr);
	slab->hint = 0;
	return nr;
}

unsigned int slab_node(const struct kmem_cache *s, const struct page *slab)
{
	return s->flags & SLAB_DEBUG_FLAGS ? 0 : slab->node;
}

/* The slab of this order or a smaller one that begins there and reaches this page, or NULL. */
static force_inline struct page *slab_from(uint32_t index, unsigned int order)
{
	uint32_t first = ALIGN_DOWN(index, 1u << order);
	struct page *page = page_at(first);

	return page->type == KMEM_PAGE_SLAB && index - first < page->nr_pages ? page : NULL;
}

struct page *slab_of(const void *object)
{
	uint32_t index = addr_to_index(object);
	struct page *slab = NULL;
	unsigned int order;

	if (!arena_contains(object))
		return NULL;
	for (order = 0; !slab && order <= MAX_PAGE_ORDER; order++)
		slab = slab_from(index, order);
	return slab;
}

struct page *slab_of_cache(const struct kmem_cache *s, const void *object)
{
	struct page *slab;

	if (unlikely(!arena_contains(object)))
		return NULL;
	slab = slab_from(addr_to_index(object), s->order);
	return likely(slab) ? slab : slab_of(object);
}
