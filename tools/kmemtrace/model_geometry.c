/* SPDX-License-Identifier: BSD-2-Clause */
/* model_geometry.c - the kernel's formulas for slabs; see model_geometry.h. */
#include "kmemtrace/model_geometry.h"

#define MAX_OBJECTS 32767u /* a slab counts them in 15 bits */

/* Bits of a number, 0 for 0. */
static uint32_t bits(uint32_t n)
{
	return n ? 32 - (uint32_t)__builtin_clz(n) : 0;
}

static uint32_t order_for(uint64_t bytes)
{
	uint32_t order = 0;

	while ((uint64_t)GEOMETRY_PAGE << order < bytes)
		order++;
	return order;
}

static uint32_t most(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* The smallest order that wastes at most 1/fraction of a slab; beyond max_order: none does. */
static uint32_t with_waste(uint32_t size, uint32_t order, uint32_t max_order, uint32_t fraction)
{
	for (; order <= max_order; order++) {
		uint32_t slab = GEOMETRY_PAGE << order;

		if (slab % size <= slab / fraction)
			break;
	}
	return order;
}

uint32_t geometry_order_of(uint32_t size, const struct geometry_boot *boot)
{
	uint32_t wanted = boot->min_objects ? boot->min_objects : 4 * (bits(boot->nr_cpus) + 1), from;

	wanted = least(wanted, most(geometry_objects(size, boot->max_order), 1));
	from = most(boot->min_order, order_for((uint64_t)wanted * size));
	if (geometry_objects(size, from) > MAX_OBJECTS)
		return order_for((uint64_t)size * MAX_OBJECTS) - 1;
	for (uint32_t fraction = 16; fraction > 1; fraction /= 2) {
		uint32_t order = with_waste(size, from, boot->max_order, fraction);

		if (order <= boot->max_order)
			return order;
	}
	return order_for(size);
}

uint32_t geometry_min_partial_of(uint32_t size)
{
	return least(most((bits(size) - 1) / 2, 5), 10);
}

uint32_t geometry_cpu_partial(uint32_t size)
{
	return size >= GEOMETRY_PAGE ? 6 : size >= 1024 ? 24 : size >= 256 ? 52 : 120;
}

uint32_t geometry_cpu_partial_slabs(uint32_t cpu_partial, uint32_t objects)
{
	return (2 * cpu_partial + objects - 1) / objects;
}

uint32_t geometry_sheaf(uint32_t size)
{
	return size >= GEOMETRY_PAGE ? 4 : size >= 1024 ? 12 : size >= 256 ? 28 : 60;
}
