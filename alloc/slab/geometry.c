/* SPDX-License-Identifier: BSD-2-Clause */
/* geometry.c - the kernel's cache layout formulas; see geometry.h. */
#include "slab/geometry.h"

#include <kmem/page.h>

#include "base/base.h"

static uint32_t order_objects(unsigned int order, uint32_t size)
{
	return (uint32_t)((PAGE_SIZE << order) / size);
}

static unsigned int order_for(uint64_t bytes)
{
	return bytes <= PAGE_SIZE ? 0 : fls64((bytes - 1) >> PAGE_SHIFT);
}

uint32_t geometry_align(uint32_t object_size, uint32_t align, bool hwcache)
{
	if (hwcache) {
		uint32_t line = CACHE_LINE;

		while (object_size <= line / 2)
			line /= 2;
		align = MAX(align, line);
	}
	return ALIGN_UP(MAX(align, (uint32_t)SLAB_MIN_ALIGN), (uint32_t)sizeof(void *));
}

/* A slab should hold this many objects: with more CPUs it is emptied and filled more often. */
static uint32_t wanted_objects(uint32_t size, unsigned int nr_cpus)
{
	uint32_t wanted = 4 * (fls64(nr_cpus) + 1);

	return MIN(wanted, MAX(order_objects(SLAB_MAX_ORDER, size), 1u));
}

/* Smallest order from min_order on that wastes at most 1/fraction of the slab. */
static unsigned int order_with_waste(uint32_t size, unsigned int min_order, unsigned int fraction)
{
	unsigned int order;

	for (order = min_order; order <= SLAB_MAX_ORDER; order++) {
		size_t slab_bytes = PAGE_SIZE << order;

		if (slab_bytes % size <= slab_bytes / fraction)
			break;
	}
	return order;
}

int geometry_order(uint32_t size, unsigned int nr_cpus)
{
	unsigned int min_order = order_for((uint64_t)wanted_objects(size, nr_cpus) * size);
	unsigned int fraction, order;

	if (order_objects(min_order, size) > SLAB_MAX_OBJECTS)
		return (int)order_for((uint64_t)size * SLAB_MAX_OBJECTS) - 1;
	for (fraction = 16; fraction > 1; fraction /= 2) {
		order = order_with_waste(size, min_order, fraction);
		if (order <= SLAB_MAX_ORDER)
			return (int)order;
	}
	order = order_for(size);
	return order <= MAX_PAGE_ORDER ? (int)order : -1;
}

uint32_t geometry_sheaf_capacity(uint32_t size)
{
	if (size >= PAGE_SIZE)
		return 4;
	if (size >= 1024)
		return 12;
	if (size >= 256)
		return 28;
	return 60;
}

uint32_t geometry_min_partial(uint32_t size)
{
	uint32_t log2 = fls64(size) - 1;

	return MIN(MAX(log2 / 2, 5u), 10u);
}

/* What follows from size and align. */
static bool compute_slab(struct geometry *g, unsigned int nr_cpus)
{
	int order = geometry_order(g->size, nr_cpus);

	if (order < 0)
		return false;
	g->order = (uint8_t)order;
	g->min_order = (uint8_t)order_for(g->size);
	g->objects = order_objects(g->order, g->size);
	g->min_objects = order_objects(g->min_order, g->size);
	g->min_partial = geometry_min_partial(g->size);
	g->sheaf_capacity = geometry_sheaf_capacity(g->size);
	return true;
}

bool geometry_compute(struct geometry *g, uint32_t object_size, uint32_t align, bool hwcache, unsigned int nr_cpus)
{
	*g = (struct geometry){ .offset = GEOMETRY_NONE, .track = GEOMETRY_NONE, .orig_size = GEOMETRY_NONE };
	g->align = geometry_align(object_size, align, hwcache);
	g->inuse = ALIGN_UP(object_size, (uint32_t)sizeof(void *));
	g->info_end = g->inuse;
	g->size = ALIGN_UP(g->inuse, g->align);
	return compute_slab(g, nr_cpus);
}

/* ---- with the kernel's metadata ---- */

/* Whether a free object's content matters, or has no room: the free pointer then lies behind it. */
static bool free_pointer_outside(const struct geometry_args *a)
{
	if (a->flags & SLAB_TYPESAFE_BY_RCU && !a->use_freeptr_offset)
		return true;
	if (a->flags & SLAB_POISON || a->ctor)
		return true;
	/* A red zone covers what kmalloc() was not asked for, which the middle of the object may be. */
	return a->flags & SLAB_RED_ZONE &&
	       (a->object_size < sizeof(void *) || (a->kmalloc && a->flags & SLAB_STORE_USER));
}

/* Return: offset behind the free pointer. */
static uint32_t place_free_pointer(struct geometry *g, const struct geometry_args *a)
{
	if (free_pointer_outside(a)) {
		g->offset = g->inuse;
		return g->inuse + (uint32_t)sizeof(void *);
	}
	if (a->flags & SLAB_TYPESAFE_BY_RCU)
		g->offset = a->freeptr_offset;
	else /* far from both ends, which overflows of the neighbours reach first */
		g->offset = ALIGN_DOWN(a->object_size / 2, (uint32_t)sizeof(void *));
	return g->inuse;
}

/* Return: offset behind tracks and requested size. */
static uint32_t place_tracks(struct geometry *g, const struct geometry_args *a, uint32_t end)
{
	g->track = g->orig_size = GEOMETRY_NONE;
	if (!(a->flags & SLAB_STORE_USER))
		return end;
	g->track = end;
	end += 2 * GEOMETRY_TRACK_BYTES;
	if (!a->kmalloc)
		return end;
	g->orig_size = end;
	return end + (uint32_t)sizeof(unsigned int);
}

bool geometry_compute_kernel(struct geometry *g, const struct geometry_args *a)
{
	const uint32_t word = sizeof(void *);

	*g = (struct geometry){ .align = geometry_align(a->object_size, a->align, a->flags & SLAB_HWCACHE_ALIGN) };
	g->object_poison = a->flags & SLAB_POISON && !(a->flags & SLAB_TYPESAFE_BY_RCU) && !a->ctor;
	g->inuse = ALIGN_UP(a->object_size, word);
	/* The bytes that rounding left are a red zone; without any, a word is. */
	if (a->flags & SLAB_RED_ZONE && g->inuse == a->object_size)
		g->inuse += word;
	g->info_end = place_tracks(g, a, place_free_pointer(g, a));
	g->size = g->info_end;
	if (a->flags & SLAB_RED_ZONE) {
		g->red_left_pad = ALIGN_UP(word, g->align);
		g->size += g->red_left_pad + word;
	}
	g->size = ALIGN_UP(g->size, g->align);
	return compute_slab(g, a->nr_cpus);
}
