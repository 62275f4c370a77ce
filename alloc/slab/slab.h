/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab.h - one slab: a block of pages cut into objects, and its bitmap.
 *
 * Objects leave the slab, to be in use or to wait in a slot or a sheaf, from the
 * first to the last: those from page.fresh on never left it. Of those before it
 * a set bit says that it came back. So nobody writes to the bitmap before the
 * first object comes back, and it has no memory until then; that of a slab
 * which is given back is all 0. Nothing is ever written into a free object: it
 * keeps its constructed state and an overflow cannot corrupt a list.
 *
 *   state of a slab     inuse                 where
 *   full                objects               nowhere: found by its objects' addresses
 *   partial             1 .. objects - 1      its node's partial list (KMEM_PG_PARTIAL)
 *   empty               0                     partial list, or on its way back to the buddy
 *
 * All functions but slab_new() and slab_release() need the node locked.
 */
#ifndef SLAB_SLAB_H
#define SLAB_SLAB_H

#include <kmem/slab.h>

#include "page/page.h"

/* A new slab of the cache, constructors run, on no list. Node not locked. NULL when out of memory. */
struct page *slab_new(struct kmem_cache *s, gfp_t gfp, int nid, bool *fell_back);

/* Objects that fit a slab of this order. */
uint32_t slab_capacity(const struct kmem_cache *s, unsigned int order);

/* Once, before the others. */
void slab_init(void);

/* Give the pages of an empty slab back; those of a SLAB_TYPESAFE_BY_RCU cache after a grace period. Node not locked. */
void slab_release(const struct kmem_cache *s, struct page *slab);

/* Take up to max objects out of a slab. Return: how many. */
uint32_t slab_take(const struct kmem_cache *s, struct page *slab, void **object, uint32_t max);

/* The first free object; NULL when there is none. And take one that is free. */
void *slab_first_free(const struct kmem_cache *s, const struct page *slab);
void slab_take_object(const struct kmem_cache *s, struct page *slab, const void *object);

/*
 * Take all free objects out of a slab; held[] (one word for each of its bitmap's)
 * says which. And put them back. Return: how many.
 */
uint32_t slab_hold(struct page *slab, uint64_t *held);
uint32_t slab_unhold(struct page *slab, const uint64_t *held);

/* All pages of a slab, as bits; 0 when it has more than there are bits. */
static inline uint64_t slab_all_pages(const struct page *slab)
{
	return slab->nr_pages > 64 ? 0 : ~UINT64_C(0) >> (64 - slab->nr_pages);
}

/* Pages without memory of which objects were taken, ever. */
uint64_t slab_refaults(void);

/* What putting an object back found. */
enum slab_put_result {
	SLAB_PUT_OK,
	SLAB_PUT_DOUBLE_FREE, /* it is in the slab already */
	SLAB_PUT_BAD_POINTER, /* not the start of an object of this slab */
};
enum slab_put_result slab_put(const struct kmem_cache *s, struct page *slab, const void *object);

/*
 * Put back the objects at the front of an array that lie in this slab. Stops at
 * the first that does not, or that slab_put() would refuse. Return: how many.
 */
uint32_t slab_put_run(const struct kmem_cache *s, struct page *slab, void **object, uint32_t count);

/* Id of the node whose lists a slab is on. */
unsigned int slab_node(const struct kmem_cache *s, const struct page *slab);

/* The slab that holds an object; NULL when the address is in no slab. The second is faster when the cache is right. */
struct page *slab_of(const void *object);
struct page *slab_of_cache(const struct kmem_cache *s, const void *object);

/* Number of the object that holds addr, counted from the start of the slab. */
uint32_t slab_object_index(const struct kmem_cache *s, const struct page *slab, const void *addr);

/* Whether the object that holds addr has left the slab. */
bool slab_object_taken(const struct kmem_cache *s, const struct page *slab, const void *addr);

static inline void *slab_object(const struct kmem_cache *s, const struct page *slab, uint32_t index)
{
	return (uint8_t *)page_to_addr(slab) + slab->offset + s->red_left_pad + (size_t)index * s->size;
}

/* Words of the bitmap that a slab can need. */
static inline uint32_t slab_bitmap_words(const struct page *slab)
{
	return (slab->objects + 63u) / 64u;
}

/* A word of it; those of a slab of more than 512 objects lie apart. */
static inline uint64_t *slab_word(const struct page *slab, uint32_t word)
{
	const struct page *page = likely(word < KMEM_BITMAP_BYTES / 8) ? slab : page_behind(slab, word / (KMEM_BITMAP_BYTES / 8));

	return page_bitmap(page) + word % (KMEM_BITMAP_BYTES / 8);
}

/* Objects that came back: bits that are set. */
static inline uint32_t slab_returned(const struct page *slab)
{
	return slab->fresh - slab->inuse;
}

#endif
