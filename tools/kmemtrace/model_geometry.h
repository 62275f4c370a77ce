/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * model_geometry.h - the kernel's formulas for a cache's slabs, with its boot parameters; libkmem has the same ones
 * with the defaults.
 */
#ifndef KMEMTRACE_MODEL_GEOMETRY_H
#define KMEMTRACE_MODEL_GEOMETRY_H

#include <stdint.h>

#define GEOMETRY_PAGE 4096u

struct geometry_boot {
	uint32_t nr_cpus;     /* possible ones */
	uint32_t max_order;   /* slab_max_order=, default 3 */
	uint32_t min_order;   /* slab_min_order=, default 0 */
	uint32_t min_objects; /* slab_min_objects=, 0: by the number of CPUs */
};

#define GEOMETRY_DEFAULT(cpus) ((struct geometry_boot){ .nr_cpus = (cpus), .max_order = 3 })

/* The order of slabs of objects of `size` bytes, padding included. */
uint32_t geometry_order_of(uint32_t size, const struct geometry_boot *boot);

static inline uint32_t geometry_objects(uint32_t size, uint32_t order)
{
	return (GEOMETRY_PAGE << order) / size;
}

/* Free slabs that a node keeps; the limits of a CPU's partial list in objects, and in slabs of `objects`. */
uint32_t geometry_min_partial_of(uint32_t size);
uint32_t geometry_cpu_partial(uint32_t size);
uint32_t geometry_cpu_partial_slabs(uint32_t cpu_partial, uint32_t objects);

/* Objects in a sheaf. */
uint32_t geometry_sheaf(uint32_t size);

#endif
