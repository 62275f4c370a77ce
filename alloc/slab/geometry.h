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

#include <kmem/slab.h>

#define SLAB_MAX_ORDER    3     /* preferred slabs are not larger, unless one object is */
#define SLAB_MAX_OBJECTS  32767 /* per slab */
#define SLAB_MIN_ALIGN    8

#define GEOMETRY_TRACK_BYTES 32 /* of one of the two tracks of SLAB_STORE_USER */
#define GEOMETRY_NONE UINT32_MAX /* an offset: objects have no such field */

/*
 * One object of a slab, from its start at index * size:
 *
 *   red_left_pad | object_size | ... inuse | free pointer | 2 tracks | requested size | right red zone, padding
 *                ^ what the caller gets; all offsets below count from here
 *
 * Only debug flags put anything but the object there; geometry_compute() lays
 * out plain caches, whose free objects carry nothing.
 */
struct geometry {
	uint32_t size;      /* distance between objects, bytes */
	uint32_t align;
	uint32_t objects;   /* per slab of the preferred order */
	uint32_t min_objects; /* per slab of the smallest order */
	uint8_t order;
	uint8_t min_order;
	uint32_t min_partial;
	uint32_t sheaf_capacity;
	uint32_t inuse;        /* object and the red zone behind it: what follows is metadata */
	uint32_t offset;       /* of the free pointer, inside the object or behind `inuse` */
	uint32_t red_left_pad; /* bytes of the left red zone */
	uint32_t track;        /* offset of the tracks: allocation, then free */
	uint32_t orig_size;    /* offset of the size that kmalloc() was asked for, 4 bytes */
	uint32_t info_end;     /* offset behind all metadata: padding up to size - red_left_pad */
	bool object_poison;    /* free objects are filled; not with a constructor or TYPESAFE_BY_RCU */
};

/* What the layout depends on. */
struct geometry_args {
	uint32_t object_size;
	uint32_t align;          /* asked for, bytes, 0 none */
	slab_flags_t flags;      /* SLAB_* */
	bool kmalloc;            /* one of the size classes: the kernel's SLAB_KMALLOC */
	bool ctor;
	bool use_freeptr_offset; /* TYPESAFE_BY_RCU: where the object has room for a free pointer */
	uint32_t freeptr_offset;
	unsigned int nr_cpus;
};

/* Alignment in bytes: what was asked for, at least 8; hwcache: a cache line, halved while two objects fit half. */
uint32_t geometry_align(uint32_t object_size, uint32_t align, bool hwcache);

/* Page order of a slab of objects of `size` bytes on a machine with nr_cpus; -1 when none fits. */
int geometry_order(uint32_t size, unsigned int nr_cpus);

/* Objects per sheaf for a size: 60, 28, 12 or 4. */
uint32_t geometry_sheaf_capacity(uint32_t size);

/* Slabs on the partial list that shrinking keeps, by object size: 5 to 10. */
uint32_t geometry_min_partial(uint32_t size);

/*
 * Everything, for a plain cache: objects side by side, nothing in or between
 * them. Return: false when an object does not fit the largest slab.
 */
bool geometry_compute(struct geometry *g, uint32_t object_size, uint32_t align, bool hwcache, unsigned int nr_cpus);

/*
 * Everything, as the kernel's calculate_sizes(): with its free pointer, and with
 * the red zones, tracks and requested sizes of debug flags. Our caches are laid
 * out so only when they have debug flags. Return: as above.
 */
bool geometry_compute_kernel(struct geometry *g, const struct geometry_args *args);

#endif
