/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * model.h - one cache in a placement model, of either kind.
 */
#ifndef KMEMTRACE_CACHE_MODEL_H
#define KMEMTRACE_CACHE_MODEL_H

#include "kmem_cache_info.h"
#include "kmemtrace/model_sheaf.h"
#include "kmemtrace/model_slub.h"

enum model_kind {
	MODEL_SLUB,  /* the kernel's, before 7.0 */
	MODEL_SHEAF, /* libkmem's */
};

/* A cache of either kind as a model takes it. */
struct model_config {
	enum model_kind kind;
	uint32_t size, objects, order;
	uint32_t min_partial;
	uint32_t cpu_partial;  /* MODEL_SLUB: slabs */
	uint32_t capacity;     /* MODEL_SHEAF: of a sheaf */
	uint32_t barn_full;
	bool fixed_capacity, fixed_barn;
	uint32_t nr_cpus;
};

struct cache_model {
	struct model_config config;
	union {
		struct slub slub;
		struct sheaf_model sheaf;
	} of;
};

/* What a row of the walker, or of libkmem, says about its cache. */
struct model_config cache_model_config_of(enum model_kind kind, const struct kmem_cache_info *row, unsigned int nr_cpus);

/* As slub_open() and so on, and sheaf_model_open(). */
int cache_model_open(struct cache_model *m, const struct model_config *config);
void cache_model_close(struct cache_model *m);
struct model_slab *cache_model_alloc(struct cache_model *m, unsigned int cpu);
void cache_model_free(struct cache_model *m, unsigned int cpu, struct model_slab *slab);
void cache_model_shrink(struct cache_model *m);
void cache_model_state(const struct cache_model *m, struct kmem_cache_info *info);

/* The most slabs that there were at a time; operations that needed the node's lock or the page allocator. */
uint64_t cache_model_peak_slabs(const struct cache_model *m);
uint64_t cache_model_slow_trips(const struct cache_model *m);

/*
 * The first column in which the model and the real thing differ, with both values; NULL when all are equal.
 * Compared are slabs, objects, partial slabs and their free objects, and what CPUs and barns hold.
 */
const char *cache_model_differs(enum model_kind kind, const struct kmem_cache_info *model, const struct kmem_cache_info *real,
			  uint64_t *model_value, uint64_t *real_value);

#endif
