/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * model_sheaf.h - where libkmem, and the design of Linux 7.0, puts the objects of one cache: per-CPU arrays
 * (sheaves), full sheaves in the node's barn, the node's partial list.
 *
 * Exact for libkmem on one node and without slab_debug, when every operation is told in order with the CPU number
 * that libkmem used: slabs, lists, arrays and counters are then those of kmem_cache_stat(). What slots and barns
 * learn is modelled, but not what they forget as time goes by (1 s), nor memory that is given back at rest.
 */
#ifndef KMEMTRACE_MODEL_SHEAF_H
#define KMEMTRACE_MODEL_SHEAF_H

#include "kmem_cache_info.h"
#include "kmemtrace/model_slab.h"

struct sheaf_config {
	uint32_t size;        /* of an object */
	uint32_t objects;     /* per slab */
	uint32_t order;
	uint32_t min_partial;
	uint32_t capacity;    /* objects of a sheaf; 0: every operation goes to slabs */
	uint32_t barn_full;   /* full sheaves that the barn always keeps */
	bool fixed_capacity;  /* somebody has set it: arrays do not grow */
	bool fixed_barn;
	uint32_t nr_cpus;
};

/* The same events as in struct kmem_node_stat. */
struct sheaf_trips {
	uint64_t allocs, frees;
	uint64_t refills, flushes;
	uint64_t barn_get, barn_put;
	uint64_t barn_get_fail, barn_put_fail;
	uint64_t alloc_slow, free_slow; /* operations that took the node's lock */
	uint64_t new_slabs, discarded;
};

/* Objects are known by their slab. */
struct sheaf_array {
	struct model_slab **object;
	uint32_t nr, room;
};

struct sheaf_cpu {
	struct sheaf_array slot;
	uint32_t limit;
	uint16_t credit, grant;
};

struct sheaf_model {
	struct sheaf_config config;
	struct sheaf_cpu *cpu;
	struct sheaf_array *barn; /* full sheaves, newest last */
	uint32_t nr_full, barn_room;
	uint32_t learned, debt;
	uint32_t slot_capacity;
	bool wants_larger;
	struct model_list partial;
	struct model_pool pool;
	struct sheaf_trips trips;
	uint64_t slabs, total, peak_slabs;
	bool no_memory;
};

/* Return 0 or -ENOMEM. sheaf_model_close() in any case. */
int sheaf_model_open(struct sheaf_model *s, const struct sheaf_config *config);
void sheaf_model_close(struct sheaf_model *s);

/* Allocate on a CPU: the slab that the object is in, good until it is freed. NULL without memory. */
struct model_slab *sheaf_model_alloc(struct sheaf_model *s, unsigned int cpu);

/* Free an object of that slab on a CPU. */
void sheaf_model_free(struct sheaf_model *s, unsigned int cpu, struct model_slab *slab);

/* As kmem_cache_shrink(). */
void sheaf_model_shrink(struct sheaf_model *s);

/* All columns that follow from the state; sheaf_main are the objects in arrays. */
void sheaf_model_state(const struct sheaf_model *s, struct kmem_cache_info *info);

#endif
