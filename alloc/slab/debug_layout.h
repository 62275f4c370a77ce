/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * debug_layout.h - where things lie in and around an object of a debug cache:
 * geometry.h has the picture, struct kmem_cache the offsets.
 */
#ifndef SLAB_DEBUG_LAYOUT_H
#define SLAB_DEBUG_LAYOUT_H

#include "page/page.h"
#include "slab/debug_options.h"

/* The kernel's values: a memory dump tells what a byte belonged to. */
#define RED_INACTIVE 0xbb /* red zones of a free object */
#define RED_ACTIVE   0xcc /* of one in use */
#define POISON_INUSE 0x5a /* padding, and what was never used */
#define POISON_FREE  0x6b /* a free object, or one that nobody wrote to yet */
#define POISON_END   0xa5 /* its last byte */

enum {
	TRACK_ALLOC,
	TRACK_FREE,
	NR_TRACKS
};

_Static_assert(sizeof(struct kmem_track) == GEOMETRY_TRACK_BYTES, "the layout reserves as much");

/* The two tracks of an object; NULL without SLAB_STORE_USER. */
static inline struct kmem_track *debug_track_of(const struct kmem_cache *s, const void *object)
{
	if (!(s->flags & SLAB_STORE_USER))
		return NULL;
	return (struct kmem_track *)((uintptr_t)object + s->track);
}

/* Where the size asked for is kept; NULL when it is not. */
static inline uint32_t *debug_orig_size_of(const struct kmem_cache *s, const void *object)
{
	if (!(s->flags & SLAB_STORE_USER) || s->orig_size == GEOMETRY_NONE)
		return NULL;
	return (uint32_t *)((uintptr_t)object + s->orig_size);
}

/* Bytes that the owner may use; an overwritten size is not believed beyond the object. */
static inline uint32_t debug_size_of(const struct kmem_cache *s, const void *object)
{
	const uint32_t *orig = debug_orig_size_of(s, object);

	return orig ? MIN(*orig, s->object_size) : s->object_size;
}

/*
 * The next free object, as a free one says. The value is mixed with a secret and
 * with its own address, so that an overwritten one leads nowhere.
 */
static inline void *debug_get_free(const struct kmem_cache *s, const void *object)
{
	const uint64_t *at = (const uint64_t *)((uintptr_t)object + s->freeptr);
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return (void *)(uintptr_t)(value ^ s->random ^ __builtin_bswap64((uintptr_t)at));
}

static inline void debug_set_free(const struct kmem_cache *s, void *object, const void *next)
{
	uint64_t *at = (uint64_t *)((uintptr_t)object + s->freeptr);
	uint64_t value = (uintptr_t)next ^ s->random ^ __builtin_bswap64((uintptr_t)at);

	memcpy(at, &value, sizeof(value));
}

/* Whether p is the start of an object of this slab. */
static inline bool debug_is_object(const struct kmem_cache *s, const struct page *slab, const void *p)
{
	uint64_t offset = (uint64_t)(uintptr_t)p - s->red_left_pad - (uintptr_t)page_to_addr(slab);

	return offset < (uint64_t)slab->objects * s->size && offset % s->size == 0;
}

#endif
