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

bool geometry_compute(struct geometry *g, uint32_t object_size, uint32_t align, bool hwcache, unsigned int nr_cpus)
{
	uint32_t log2;
	int order;

	g->align = geometry_align(object_size, align, hwcache);
	g->size = ALIGN_UP(ALIGN_UP(object_size, (uint32_t)sizeof(void *)), g->align);
	order = geometry_order(g->size, nr_cpus);
	if (order < 0)
		return false;
	log2 = fls64(g->size) - 1;
	g->order = (uint8_t)order;
	g->min_order = (uint8_t)order_for(g->size);
	g->objects = order_objects(g->order, g->size);
	g->min_objects = order_objects(g->min_order, g->size);
	g->min_partial = MIN(MAX(log2 / 2, 5u), 10u);
	g->sheaf_capacity = geometry_sheaf_capacity(g->size);
	return true;
}
