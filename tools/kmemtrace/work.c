/* SPDX-License-Identifier: BSD-2-Clause */
/* work.c - scripts, traces and windows as steps for the models; see work.h. */
#include "kmemtrace/work.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtrace/address_map.h"
#include "kmemtrace/model_geometry.h"
#include "kmemtrace/trace_file.h"
#include "kmemtrace/window.h"

#define BARN_FULL  10
#define CACHE_LINE 64

struct model_config work_geometry(enum model_kind kind, uint32_t size, uint32_t nr_cpus)
{
	const struct geometry_boot boot = GEOMETRY_DEFAULT(nr_cpus);
	uint32_t order = geometry_order_of(size, &boot), objects = geometry_objects(size, order);

	return (struct model_config){
		.kind = kind, .size = size, .order = order, .objects = objects, .nr_cpus = nr_cpus,
		.min_partial = geometry_min_partial_of(size),
		.cpu_partial = geometry_cpu_partial_slabs(geometry_cpu_partial(size), objects),
		.capacity = geometry_sheaf(size), .barn_full = BARN_FULL,
	};
}

static int no_memory(char *err, size_t len)
{
	snprintf(err, len, "out of memory: take a shorter recording");
	return -ENOMEM;
}

static int add(struct work *work, struct work_op op)
{
	if (work->nr_ops == work->room) {
		size_t room = work->room ? 2 * work->room : 1 << 14;
		struct work_op *more = reallocarray(work->op, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		work->op = more;
		work->room = room;
	}
	work->op[work->nr_ops++] = op;
	if (op.object >= work->nr_objects)
		work->nr_objects = op.object + 1;
	return 0;
}

int work_index(struct work *work)
{
	size_t *next = calloc(work->nr_caches + 1, sizeof(*next));

	work->by_cache = calloc(work->nr_ops + 1, sizeof(*work->by_cache));
	work->first = calloc(work->nr_caches + 2, sizeof(*work->first));
	if (!next || !work->by_cache || !work->first) {
		free(next);
		return -ENOMEM;
	}
	for (size_t i = 0; i < work->nr_ops; i++)
		work->first[work->op[i].cache + 1]++;
	for (uint32_t i = 0; i < work->nr_caches; i++) {
		work->first[i + 1] += work->first[i];
		next[i] = work->first[i];
	}
	for (size_t i = 0; i < work->nr_ops; i++)
		work->by_cache[next[work->op[i].cache]++] = (uint32_t)i;
	free(next);
	return 0;
}

void work_close(struct work *work)
{
	free(work->by_cache);
	free(work->first);
	free(work->cache);
	free(work->op);
	memset(work, 0, sizeof(*work));
}

/* ---- scripts ---- */

static uint32_t padded_size(const struct script_cache *cache)
{
	uint32_t size = (cache->size + 7) / 8 * 8, align = cache->align > 8 ? cache->align : 8, line = CACHE_LINE;

	if (cache->flags & SCRIPT_HWCACHE) {
		while (cache->size <= line / 2)
			line /= 2;
		align = line > align ? line : align;
	}
	/* The kernel's free pointer then stands behind the object. */
	if (cache->flags & (SCRIPT_CTOR | SCRIPT_RCU))
		size += 8;
	return (size + align - 1) / align * align;
}

static void set_limits(struct model_config *config, const struct script_cache *cache)
{
	if (cache->min_partial != SCRIPT_DEFAULT)
		config->min_partial = (uint32_t)cache->min_partial;
	if (cache->cpu_partial != SCRIPT_DEFAULT)
		config->cpu_partial = geometry_cpu_partial_slabs((uint32_t)cache->cpu_partial, config->objects);
	config->fixed_capacity = cache->sheaf != SCRIPT_DEFAULT;
	config->fixed_barn = cache->barn != SCRIPT_DEFAULT;
	if (config->fixed_capacity)
		config->capacity = (uint32_t)cache->sheaf;
	if (config->fixed_barn)
		config->barn_full = (uint32_t)cache->barn;
}

int work_from_script(struct work *work, const struct script *script, enum model_kind kind, uint32_t nr_cpus, char *err,
		     size_t len)
{
	*work = (struct work){ .kind = kind, .nr_cpus = nr_cpus, .nr_caches = script->nr_caches, .nr_sites = 1 };
	if (script->nr_cpus > nr_cpus)
		work->nr_cpus = script->nr_cpus;
	work->cache = calloc(script->nr_caches, sizeof(*work->cache));
	if (!work->cache)
		return no_memory(err, len);
	for (uint32_t i = 0; i < script->nr_caches; i++) {
		const struct script_cache *cache = &script->cache[i];
		uint32_t size = kind == MODEL_SLUB ? padded_size(cache) :
				padded_size(&(struct script_cache){ .size = cache->size, .align = cache->align,
								    .flags = cache->flags & SCRIPT_HWCACHE });

		work->cache[i].config = work_geometry(kind, size, nr_cpus);
		work->cache[i].config.nr_cpus = work->nr_cpus;
		set_limits(&work->cache[i].config, cache);
		work->cache[i].mergeable = !(cache->flags & (SCRIPT_NOMERGE | SCRIPT_CTOR | SCRIPT_RCU));
		snprintf(work->cache[i].name, sizeof(work->cache[i].name), "%s", cache->name);
	}
	for (size_t i = 0; i < script->nr_ops; i++) {
		const struct script_op *op = &script->ops[i];

		if (op->kind > SCRIPT_FREE)
			continue;
		if (add(work, (struct work_op){ op->object, script->cache[op->cache].size, 0, op->cache, op->cpu, op->kind == SCRIPT_ALLOC }))
			return no_memory(err, len);
	}
	return 0;
}

/* ---- recordings: objects by address ---- */

struct object {
	uint32_t number, asked, site;
	uint16_t cache;
};

struct builder {
	struct work *work;
	struct address_map live, sites;
	struct object *object;
	uint32_t *unused;
	size_t nr_unused, nr, room;
};

static void close_builder(struct builder *b)
{
	address_map_close(&b->live);
	address_map_close(&b->sites);
	free(b->object);
	free(b->unused);
}

static int grow(struct builder *b)
{
	size_t room = b->room ? 2 * b->room : 1 << 12;
	struct object *object = reallocarray(b->object, room, sizeof(*object));
	uint32_t *unused;

	if (!object)
		return -ENOMEM;
	b->object = object;
	unused = reallocarray(b->unused, room, sizeof(*unused));
	if (!unused)
		return -ENOMEM;
	b->unused = unused;
	b->room = room;
	return 0;
}

/* Pointers into the array of objects would move: the map holds index + 1. */
static void *as_value(uint32_t index)
{
	return (void *)(uintptr_t)(index + 1);
}

static int free_object(struct builder *b, uint64_t address, uint16_t cpu)
{
	uintptr_t found = (uintptr_t)address_map_take(&b->live, address);
	const struct object *object = found ? &b->object[found - 1] : NULL;

	if (!object)
		return 0;
	b->unused[b->nr_unused++] = (uint32_t)found - 1;
	return add(b->work, (struct work_op){ object->number, object->asked, object->site, object->cache, cpu, false });
}

static int site_number(struct builder *b, uint64_t site, uint32_t *number)
{
	uintptr_t found = (uintptr_t)address_map_get(&b->sites, site + 1);

	*number = found ? (uint32_t)found - 1 : b->work->nr_sites;
	if (found)
		return 0;
	return address_map_put(&b->sites, site + 1, as_value(b->work->nr_sites++));
}

static int alloc_object(struct builder *b, uint64_t address, uint16_t cache, uint16_t cpu, uint32_t asked, uint64_t site)
{
	struct object object = { .asked = asked, .cache = cache };
	int rc = free_object(b, address, cpu); /* an address that was live: the free had no event */

	if (!rc && b->nr == b->room)
		rc = grow(b);
	if (!rc)
		rc = site_number(b, site, &object.site);
	if (rc)
		return rc;
	object.number = b->nr_unused ? b->unused[--b->nr_unused] : (uint32_t)b->nr++;
	b->object[object.number] = object;
	rc = address_map_put(&b->live, address, as_value(object.number));
	return rc ? rc : add(b->work, (struct work_op){ object.number, asked, object.site, cache, cpu, true });
}

int work_from_window(struct work *work, const struct window *w, char *err, size_t len)
{
	struct builder b = { .work = work };
	int rc = 0;

	*work = (struct work){ .kind = MODEL_SLUB, .nr_cpus = w->nr_cpus, .nr_caches = (uint32_t)w->nr_caches };
	work->cache = calloc(w->nr_caches + 1, sizeof(*work->cache));
	if (!work->cache)
		return no_memory(err, len);
	for (size_t i = 0; i < w->nr_caches; i++) {
		const struct kmem_cache_info *row = &w->cache[i].row;

		work->cache[i].config = cache_model_config_of(MODEL_SLUB, row, w->nr_cpus);
		work->cache[i].merged = row->refcount > 1;
		snprintf(work->cache[i].name, sizeof(work->cache[i].name), "%s", row->name);
	}
	for (size_t i = 0; i < w->nr_events && !rc; i++) {
		const struct window_event *e = &w->event[i];

		if (!window_covers(w, e) || e->cpu >= w->nr_cpus)
			continue;
		rc = e->alloc ? alloc_object(&b, e->address, e->cache, e->cpu, e->asked, e->call_site) :
				free_object(&b, e->address, e->cpu);
	}
	close_builder(&b);
	return rc ? no_memory(err, len) : 0;
}

/* kmalloc-64, but not kmalloc-rcl-64. */
static bool is_class(const char *name, const char *kind)
{
	size_t len = strlen(kind);

	return !strncmp(name, kind, len) && name[len] >= '0' && name[len] <= '9';
}

static void trace_caches(struct work *work, struct trace *trace)
{
	for (uint32_t i = 0; i < work->nr_caches; i++) {
		const struct trace_cache *cache = trace_cache(trace, i);
		struct work_cache *to = &work->cache[i];

		snprintf(to->name, sizeof(to->name), "%s", cache->name);
		to->pid = cache->pid;
		if (cache->kind != TRACE_CACHE_SLAB || !cache->size)
			continue;
		to->config = work_geometry(work->kind, cache->size, work->nr_cpus);
		if (cache->objects) {
			to->config.objects = cache->objects;
			to->config.order = cache->order;
		}
		to->mergeable = !is_class(cache->name, "malloc-") && !is_class(cache->name, "kmalloc-");
	}
}

/*
 * kmalloc() and malloc() are recorded with a size, not with a cache, and not of every process it is known which
 * caches there were. So all size classes that the trace tells of are those of every process.
 */
struct classes {
	struct model_config *config; /* by size */
	size_t nr;
	struct address_map cache;    /* pid << 32 | class + 1 -> number of the cache + 1 */
	bool malloc;                 /* they are malloc()'s */
};

static int by_size(const void *left, const void *right)
{
	const struct model_config *a = left, *b = right;

	return a->size == b->size ? 0 : a->size < b->size ? -1 : 1;
}

static int find_classes(struct classes *classes, const struct work *work)
{
	classes->config = calloc(work->nr_caches + 1, sizeof(*classes->config));
	if (!classes->config)
		return -ENOMEM;
	for (uint32_t i = 0; i < work->nr_caches; i++)
		classes->malloc |= is_class(work->cache[i].name, "malloc-");
	for (uint32_t i = 0; i < work->nr_caches; i++)
		if (work->cache[i].config.size && is_class(work->cache[i].name, classes->malloc ? "malloc-" : "kmalloc-"))
			classes->config[classes->nr++] = work->cache[i].config;
	qsort(classes->config, classes->nr, sizeof(*classes->config), by_size);
	return 0;
}

/* Number of the cache that an allocation came from; 0: larger than all. */
static uint32_t class_of(struct classes *classes, struct work *work, const struct trace_event *e)
{
	size_t low = 0, high = classes->nr;
	struct work_cache *more;
	uint64_t key;
	uintptr_t found;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (classes->config[middle].size < e->size)
			low = middle + 1;
		else
			high = middle;
	}
	key = (uint64_t)e->pid << 32 | (low + 1);
	found = low < classes->nr ? (uintptr_t)address_map_get(&classes->cache, key) : 1;
	if (found)
		return (uint32_t)found - 1;
	more = work->nr_caches < UINT16_MAX - 1 ? reallocarray(work->cache, work->nr_caches + 1, sizeof(*more)) : NULL;
	if (!more || address_map_put(&classes->cache, key, as_value(work->nr_caches)))
		return 0;
	work->cache = more;
	more[work->nr_caches] = (struct work_cache){ .config = classes->config[low], .pid = e->pid };
	snprintf(more[work->nr_caches].name, sizeof(more->name), "%s-%u", classes->malloc ? "malloc" : "kmalloc",
		 classes->config[low].size);
	return work->nr_caches++;
}

int work_from_trace(struct work *work, const char *path, char *err, size_t len)
{
	const struct trace_options options = { .no_symbols = true };
	struct builder b = { .work = work };
	struct classes classes = { 0 };
	struct trace_event e;
	struct trace *trace;
	int rc = trace_open(&trace, path, &options, err, len);

	*work = (struct work){ 0 };
	if (rc)
		return rc;
	work->kind = trace_info(trace)->source == TRACE_KERNEL ? MODEL_SLUB : MODEL_SHEAF;
	work->nr_cpus = trace_info(trace)->nr_cpus ? trace_info(trace)->nr_cpus : 1;
	work->nr_caches = trace_nr_caches(trace);
	work->cache = calloc(work->nr_caches + 1, sizeof(*work->cache));
	rc = work->cache && work->nr_caches < UINT16_MAX ? 0 : -ENOMEM;
	if (!rc) {
		trace_caches(work, trace);
		rc = find_classes(&classes, work);
	}
	while (!rc && trace_next(trace, &e)) {
		/* Two processes may use the same addresses. */
		uint64_t address = e.ptr ^ (work->kind == MODEL_SHEAF ? (uint64_t)e.pid << 48 : 0);

		if (!e.ptr || trace_is_pages(&e) || e.cpu >= work->nr_cpus)
			continue;
		if (trace_is_alloc(&e) && !e.cache)
			e.cache = class_of(&classes, work, &e);
		if (!trace_is_alloc(&e))
			rc = free_object(&b, address, e.cpu);
		else if (e.cache < work->nr_caches && work->cache[e.cache].config.size)
			rc = alloc_object(&b, address, (uint16_t)e.cache, e.cpu, (uint32_t)e.size, e.stack);
	}
	close_builder(&b);
	address_map_close(&classes.cache);
	free(classes.config);
	trace_close(trace);
	return rc ? no_memory(err, len) : 0;
}
