/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * geometry.h - how a cache is laid out: the kernel's formulas (mm/slub.c, 6.12;
 * sheaf capacities of 7.0) as pure functions. The same size and number of CPUs
 * give the same order, objects per slab and min_partial as the kernel's.
 */
#ifndef SLAB_GEOMETRY_H
#define SLAB_GEOMETRY_H

#include <stdbool.h>
#include <stdint.h>

#define SLAB_MAX_ORDER    3     /* preferred slabs are not larger, unless one object is */
#define SLAB_MAX_OBJECTS  32767 /* per slab */
#define SLAB_MIN_ALIGN    8

struct geometry {
	uint32_t size;      /* distance between objects, bytes */
	uint32_t align;
	uint32_t objects;   /* per slab of the preferred order */
	uint32_t min_objects; /* per slab of the smallest order */
	uint8_t order;
	uint8_t min_order;
	uint32_t min_partial;
	uint32_t sheaf_capacity;
};

/* Alignment in bytes: what was asked for, at least 8; hwcache: a cache line, halved while two objects fit half. */
uint32_t geometry_align(uint32_t object_size, uint32_t align, bool hwcache);

/* Page order of a slab of objects of `size` bytes on a machine with nr_cpus; -1 when none fits. */
int geometry_order(uint32_t size, unsigned int nr_cpus);

/* Objects per sheaf for a size: 60, 28, 12 or 4. */
uint32_t geometry_sheaf_capacity(uint32_t size);

/* Everything. Return: false when an object does not fit the largest slab. */
bool geometry_compute(struct geometry *g, uint32_t object_size, uint32_t align, bool hwcache, unsigned int nr_cpus);

#endif
