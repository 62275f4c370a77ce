/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay.c - a recorded window through the model of SLUB; see replay.h.
 *
 * Slabs that the walker found are put into the model as they were. All others were full: one of these comes into the
 * model with the first free of an object in it, by its address.
 */
#include "kmemtrace/replay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtrace/address_map.h"

struct replay {
	const struct window *w;
	struct slub *model;        /* per cache */
	struct address_map *slabs; /* per cache: address -> slab of the kernel */
	struct address_map live;   /* address -> slab, objects allocated in the window */
	struct replay_result *result;
};

static enum model_place place_of(const struct kmem_slab_info *slab)
{
	return slab->place == KMEM_SLAB_NODE_PARTIAL ? MODEL_NODE : slab->place == KMEM_SLAB_CPU ? MODEL_CPU : MODEL_CPU_PARTIAL;
}

static int import(struct replay *r, size_t cache)
{
	const struct window_state *begin = &r->w->cache[cache].begin;
	struct slub *model = &r->model[cache];

	for (size_t i = 0; i < begin->nr_slabs; i++) {
		const struct kmem_slab_info *info = &begin->slabs[i];
		uint32_t cpu = info->place == KMEM_SLAB_NODE_PARTIAL ? 0 : info->place_id;
		struct model_slab *slab;

		if (cpu >= r->w->nr_cpus)
			continue;
		slab = slub_import(model, place_of(info), cpu, info->objects - info->inuse, info->cpu_free);
		if (!slab)
			return -ENOMEM;
		slab->objects = info->objects;
		slab->address = info->address;
		if (address_map_put(&r->slabs[cache], info->address, slab))
			return -ENOMEM;
	}
	model->slabs = model->peak_slabs = begin->moment.slabs;
	model->total = begin->moment.objects;
	model->trips = (struct slub_trips){ 0 };
	return 0;
}

static int open_models(struct replay *r)
{
	int rc = 0;

	for (size_t i = 0; i < r->w->nr_caches && !rc; i++) {
		const struct kmem_cache_info *row = &r->w->cache[i].row;
		const struct slub_config config = { .objects = row->objects_per_slab, .order = row->order,
						    .min_partial = (uint32_t)row->min_partial,
						    .cpu_partial = row->cpu_partial_max, .nr_cpus = r->w->nr_cpus };

		rc = slub_open(&r->model[i], &config);
		if (!rc)
			rc = import(r, i);
	}
	return rc;
}

/* The slab of an object that is older than the window. */
static struct model_slab *old_slab(struct replay *r, const struct window_event *e)
{
	uint64_t bytes = UINT64_C(4096) << r->w->cache[e->cache].row.order, address = e->address & ~(bytes - 1);
	struct model_slab *slab = address_map_get(&r->slabs[e->cache], address);

	if (slab && slab->address == address && slab->place != MODEL_GONE && slab->free < slab->objects)
		return slab;
	r->result[e->cache].impossible_frees += slab && slab->address == address && slab->place != MODEL_GONE;
	slab = slub_import(&r->model[e->cache], MODEL_FULL, 0, 0, 0);
	if (!slab)
		return NULL;
	slab->address = address;
	return address_map_put(&r->slabs[e->cache], address, slab) ? NULL : slab;
}

static int free_event(struct replay *r, const struct window_event *e, struct model_slab *slab)
{
	if (!slab)
		slab = old_slab(r, e);
	if (!slab)
		return -ENOMEM;
	slub_free(&r->model[e->cache], e->cpu, slab);
	return 0;
}

static int alloc_event(struct replay *r, const struct window_event *e)
{
	struct model_slab *slab = address_map_take(&r->live, e->address);

	if (slab) {
		r->result[e->cache].implicit_frees++;
		slub_free(&r->model[e->cache], e->cpu, slab);
	}
	slab = slub_alloc(&r->model[e->cache], e->cpu);
	return slab ? address_map_put(&r->live, e->address, slab) : -ENOMEM;
}

static int run_events(struct replay *r)
{
	int rc = 0;

	for (size_t i = 0; i < r->w->nr_events && !rc; i++) {
		const struct window_event *e = &r->w->event[i];

		if (!window_covers(r->w, e) || e->cpu >= r->w->nr_cpus)
			continue;
		*(e->alloc ? &r->result[e->cache].allocs : &r->result[e->cache].frees) += 1;
		rc = e->alloc ? alloc_event(r, e) : free_event(r, e, address_map_take(&r->live, e->address));
	}
	return rc;
}

static void judge(struct replay *r, size_t i)
{
	const struct window_cache *c = &r->w->cache[i];
	struct replay_result *result = &r->result[i];
	const struct kmem_cache_info *real = &result->real, *predicted = &result->predicted;

	window_columns(&c->begin, &result->begin);
	window_columns(&c->end, &result->real);
	slub_state(&r->model[i], &result->predicted);
	result->trips = r->model[i].trips;
	result->peak_slabs = r->model[i].peak_slabs;
	result->residue = (int64_t)(real->in_use - result->begin.in_use - (result->allocs - result->frees));
	result->sheaves = c->row.sheaf_capacity != 0;
	result->torn = c->begin.torn || c->end.torn;
	result->exact = real->slabs == predicted->slabs && real->node_partial == predicted->node_partial &&
			real->cpu_partial_slabs == predicted->cpu_partial_slabs;
}

int replay_window(const struct window *w, struct replay_result *result)
{
	struct replay r = { .w = w, .result = result, .model = calloc(w->nr_caches + 1, sizeof(struct slub)),
			    .slabs = calloc(w->nr_caches + 1, sizeof(struct address_map)) };
	int rc = r.model && r.slabs ? open_models(&r) : -ENOMEM;

	memset(result, 0, w->nr_caches * sizeof(*result));
	if (!rc)
		rc = run_events(&r);
	for (size_t i = 0; i < w->nr_caches && !rc; i++)
		judge(&r, i);
	for (size_t i = 0; i < w->nr_caches && r.model && r.slabs; i++) {
		slub_close(&r.model[i]);
		address_map_close(&r.slabs[i]);
	}
	address_map_close(&r.live);
	free(r.model);
	free(r.slabs);
	return rc;
}
