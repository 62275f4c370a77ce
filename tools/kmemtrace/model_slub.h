/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * model_slub.h - where Linux 6.8 to 6.18 puts the objects of one cache: CPU slabs, per-CPU partial lists, the
 * node's partial list.
 *
 * Exact for one node and without slab_debug, when every operation is told in the order in which the kernel did
 * it: slabs, partial lists and free objects are then those that the walker finds. Not modelled: memory pressure,
 * slabs of the minimum order.
 */
#ifndef KMEMTRACE_MODEL_SLUB_H
#define KMEMTRACE_MODEL_SLUB_H

#include "kmem_cache_info.h"
#include "kmemtrace/model_slab.h"

struct slub_config {
	uint32_t objects;      /* per slab */
	uint32_t order;
	uint32_t min_partial;
	uint32_t cpu_partial;  /* slabs that a CPU's partial list may hold */
	uint32_t nr_cpus;
};

/* Ways that operations went. */
struct slub_trips {
	uint64_t allocs, frees;
	uint64_t alloc_refill;      /* from the freelist of the CPU slab's own page */
	uint64_t alloc_cpu_partial; /* a slab from the CPU's partial list */
	uint64_t alloc_node;        /* from the node's list, under its lock */
	uint64_t alloc_new;         /* a new slab from the page allocator */
	uint64_t free_slow;         /* not to the CPU slab */
	uint64_t free_node;         /* a slab became empty, under the node's lock */
	uint64_t to_node;           /* a CPU's partial list was full: all of it to the node */
	uint64_t new_slabs, discarded;
};

struct slub_cpu {
	struct model_slab *slab;    /* the CPU slab */
	uint32_t free;              /* objects on the CPU's freelist */
	struct model_list partial;  /* newest first */
};

struct slub {
	struct slub_config config;
	struct slub_cpu *cpu;
	struct model_list partial;
	struct model_pool pool;
	struct slub_trips trips;
	uint64_t slabs, total, peak_slabs;
};

/* Return 0 or -ENOMEM. slub_close() in any case. */
int slub_open(struct slub *s, const struct slub_config *config);
void slub_close(struct slub *s);

/* Allocate on a CPU: the slab that the object is in, good until it is freed. NULL without memory. */
struct model_slab *slub_alloc(struct slub *s, unsigned int cpu);

/* Free an object of that slab on a CPU. */
void slub_free(struct slub *s, unsigned int cpu, struct model_slab *slab);

/* As writing to the cache's shrink file. */
void slub_shrink(struct slub *s);

/*
 * Put a slab of a running kernel into the model: `free` objects of its own and cpu_free on the freelist of the
 * CPU whose slab it is. MODEL_NODE and MODEL_CPU_PARTIAL: to the end of the list. slabs and total stay as they are:
 * the caller sets them, full slabs that are never met included. NULL without memory.
 */
struct model_slab *slub_import(struct slub *s, enum model_place place, unsigned int cpu, uint32_t free, uint32_t cpu_free);

/* All columns that follow from the state. */
void slub_state(const struct slub *s, struct kmem_cache_info *info);

#endif
