/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * model_slab.h - slabs of a placement model: how many objects of each are free, and which list it is on.
 *
 * Which object of a slab is taken makes no difference to any list, so slabs only count.
 */
#ifndef KMEMTRACE_MODEL_SLAB_H
#define KMEMTRACE_MODEL_SLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum model_place {
	MODEL_GONE,        /* given back; its memory waits for the next slab */
	MODEL_FULL,        /* on no list */
	MODEL_NODE,        /* on the node's partial list */
	MODEL_CPU,         /* the CPU slab of a CPU */
	MODEL_CPU_PARTIAL, /* on the partial list of a CPU */
};

struct model_slab {
	uint32_t objects;
	uint32_t free;   /* not counting those on a CPU's own freelist */
	uint16_t place;  /* enum model_place */
	uint16_t cpu;    /* of MODEL_CPU */
	uint64_t address; /* of a slab of a recorded kernel; 0: made by the model */
	struct model_slab *prev, *next;
};

struct model_list {
	struct model_slab *head, *tail;
	uint32_t nr;
};

/* Memory of slabs, in pieces. */
struct model_pool {
	struct model_chunk *chunks;
	struct model_slab *unused;
	size_t left; /* in the newest chunk */
};

/* A slab with all objects free, on no list; NULL without memory. */
struct model_slab *model_pool_get(struct model_pool *pool, uint32_t objects);
void model_pool_put(struct model_pool *pool, struct model_slab *slab);
void model_pool_close(struct model_pool *pool);

void model_list_add(struct model_list *list, struct model_slab *slab, bool front);
void model_list_del(struct model_list *list, struct model_slab *slab);

/* Sort as a shrink does: slabs with 1, 2, ... up to 32 free objects first; the others stay as they are. */
void model_list_promote(struct model_list *list, bool newest_first);

#endif
