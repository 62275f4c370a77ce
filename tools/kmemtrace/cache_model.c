/* SPDX-License-Identifier: BSD-2-Clause */
/* cache_model.c - one cache in a placement model of either kind; see cache_model.h. */
#include "kmemtrace/cache_model.h"

#include <string.h>

#define BARN_FULL 10 /* full sheaves that a node keeps unless told otherwise */

struct model_config cache_model_config_of(enum model_kind kind, const struct kmem_cache_info *row, unsigned int nr_cpus)
{
	return (struct model_config){
		.kind = kind,
		.size = row->size,
		.objects = row->objects_per_slab,
		.order = row->order,
		.min_partial = (uint32_t)row->min_partial,
		.cpu_partial = row->cpu_partial_max,
		.capacity = row->sheaf_capacity,
		.barn_full = BARN_FULL,
		.nr_cpus = nr_cpus,
	};
}

int cache_model_open(struct cache_model *m, const struct model_config *c)
{
	const struct slub_config slub = {
		.objects = c->objects, .order = c->order, .min_partial = c->min_partial,
		.cpu_partial = c->cpu_partial, .nr_cpus = c->nr_cpus,
	};
	const struct sheaf_config sheaf = {
		.size = c->size, .objects = c->objects, .order = c->order, .min_partial = c->min_partial,
		.capacity = c->capacity, .barn_full = c->barn_full, .fixed_capacity = c->fixed_capacity,
		.fixed_barn = c->fixed_barn, .nr_cpus = c->nr_cpus,
	};

	m->config = *c;
	return c->kind == MODEL_SLUB ? slub_open(&m->of.slub, &slub) : sheaf_model_open(&m->of.sheaf, &sheaf);
}

void cache_model_close(struct cache_model *m)
{
	if (m->config.kind == MODEL_SLUB)
		slub_close(&m->of.slub);
	else
		sheaf_model_close(&m->of.sheaf);
}

struct model_slab *cache_model_alloc(struct cache_model *m, unsigned int cpu)
{
	return m->config.kind == MODEL_SLUB ? slub_alloc(&m->of.slub, cpu) : sheaf_model_alloc(&m->of.sheaf, cpu);
}

void cache_model_free(struct cache_model *m, unsigned int cpu, struct model_slab *slab)
{
	if (m->config.kind == MODEL_SLUB)
		slub_free(&m->of.slub, cpu, slab);
	else
		sheaf_model_free(&m->of.sheaf, cpu, slab);
}

void cache_model_shrink(struct cache_model *m)
{
	if (m->config.kind == MODEL_SLUB)
		slub_shrink(&m->of.slub);
	else
		sheaf_model_shrink(&m->of.sheaf);
}

void cache_model_state(const struct cache_model *m, struct kmem_cache_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = m->config.size;
	if (m->config.kind == MODEL_SLUB)
		slub_state(&m->of.slub, info);
	else
		sheaf_model_state(&m->of.sheaf, info);
}

uint64_t cache_model_peak_slabs(const struct cache_model *m)
{
	return m->config.kind == MODEL_SLUB ? m->of.slub.peak_slabs : m->of.sheaf.peak_slabs;
}

uint64_t cache_model_slow_trips(const struct cache_model *m)
{
	const struct slub_trips *slub = &m->of.slub.trips;
	const struct sheaf_trips *sheaf = &m->of.sheaf.trips;

	if (m->config.kind == MODEL_SLUB)
		return slub->alloc_node + slub->alloc_new + slub->free_node + slub->to_node;
	return sheaf->alloc_slow + sheaf->free_slow;
}

const char *cache_model_differs(enum model_kind kind, const struct kmem_cache_info *model, const struct kmem_cache_info *real,
			  uint64_t *model_value, uint64_t *real_value)
{
	const struct {
		const char *name;
		uint64_t model, real;
		bool slub_only;
	} column[] = {
		{ "slabs", model->slabs, real->slabs, false },
		{ "objects", model->objects_total, real->objects_total, false },
		{ "partial slabs", model->node_partial, real->node_partial, false },
		{ "free objects in partial slabs", model->partial_free, real->partial_free, false },
		{ "objects in use", model->in_use, real->in_use, false },
		{ "CPU slabs", model->cpu_slabs, real->cpu_slabs, true },
		{ "free objects in CPU slabs", model->cpu_free, real->cpu_free, true },
		{ "slabs on CPUs' partial lists", model->cpu_partial_slabs, real->cpu_partial_slabs, true },
		{ "free objects in them", model->cpu_partial_free, real->cpu_partial_free, true },
		{ "objects in CPUs' arrays", model->sheaf_main, real->sheaf_main, false },
		{ "objects in the barn", model->barn_objects, real->barn_objects, false },
	};

	for (size_t i = 0; i < sizeof(column) / sizeof(column[0]); i++) {
		if (column[i].model == column[i].real || (column[i].slub_only && kind != MODEL_SLUB))
			continue;
		*model_value = column[i].model;
		*real_value = column[i].real;
		return column[i].name;
	}
	return NULL;
}
