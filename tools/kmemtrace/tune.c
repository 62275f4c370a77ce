/* SPDX-License-Identifier: BSD-2-Clause */
/* tune.c - recorded work through models with other limits: what is tried, and how; see tune.h. */
#include "kmemtrace/tune.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtrace/address_map.h"

#define MAX_ORDER 10
#define HOT_SHARE 4    /* a size that is at least 1/4 of a cache's allocations is hot */
#define MIN_STEPS 64   /* caches with less to do are not looked at one by one */

/* ---- simulation ---- */

struct run {
	struct cache_model *model;
	struct model_slab **slab; /* per object */
	uint64_t bytes;           /* of all slabs now */
	double sum;
};

static uint64_t slabs_of(const struct cache_model *m)
{
	return m->config.kind == MODEL_SLUB ? m->of.slub.slabs : m->of.sheaf.slabs;
}

static int step(struct run *r, const struct work_op *op, int which)
{
	struct cache_model *m = &r->model[which];
	uint64_t before = slabs_of(m);

	if (op->alloc) {
		r->slab[op->object] = cache_model_alloc(m, op->cpu);
		if (!r->slab[op->object])
			return -ENOMEM;
	} else {
		cache_model_free(m, op->cpu, r->slab[op->object]);
	}
	r->bytes += (slabs_of(m) - before) * ((uint64_t)GEOMETRY_PAGE << m->config.order);
	return 0;
}

int tune_simulate(const struct work *work, uint32_t cache, const struct tune_models *models, struct tune_result *result)
{
	struct run r = { .model = calloc((size_t)models->nr + 1, sizeof(struct cache_model)),
			 .slab = calloc(work->nr_objects + 1, sizeof(struct model_slab *)) };
	size_t at = cache == TUNE_ALL ? 0 : work->first[cache], end = cache == TUNE_ALL ? work->nr_ops : work->first[cache + 1];
	uint32_t opened = 0;
	int rc = r.model && r.slab ? 0 : -ENOMEM;

	*result = (struct tune_result){ 0 };
	for (; !rc && opened < models->nr; opened++)
		rc = cache_model_open(&r.model[opened], &models->config[opened]);
	for (; at < end && !rc; at++) {
		const struct work_op *op = &work->op[cache == TUNE_ALL ? at : work->by_cache[at]];
		int which = models->route(models->context, op);

		if (which < 0)
			continue;
		rc = step(&r, op, which);
		result->steps++;
		r.sum += (double)r.bytes;
		if (r.bytes > result->peak_bytes)
			result->peak_bytes = r.bytes;
	}
	result->end_bytes = r.bytes;
	result->mean_bytes = result->steps ? (uint64_t)(r.sum / (double)result->steps) : 0;
	while (opened) {
		result->slow_trips += cache_model_slow_trips(&r.model[--opened]);
		cache_model_close(&r.model[opened]);
	}
	free(r.model);
	free(r.slab);
	return rc;
}

static int to_one(const void *context, const struct work_op *op)
{
	(void)context;
	(void)op;
	return 0;
}

static int to_each(const void *context, const struct work_op *op)
{
	const struct work *work = context;

	return work->cache[op->cache].config.size ? op->cache : -1;
}

/* ---- trials ---- */

static struct tune_trial *new_trial(struct tune *t, uint32_t cache, const char *format, ...) __attribute__((format(printf, 3, 4)));

static struct tune_trial *new_trial(struct tune *t, uint32_t cache, const char *format, ...)
{
	struct tune_trial *trial;
	va_list args;

	if (t->nr_trials == t->room) {
		size_t room = t->room ? 2 * t->room : 64;
		struct tune_trial *more = reallocarray(t->trial, room, sizeof(*more));

		if (!more) {
			t->no_memory = true;
			return NULL;
		}
		t->trial = more;
		t->room = room;
	}
	trial = &t->trial[t->nr_trials];
	*trial = (struct tune_trial){ .cache = cache, .before = cache == TUNE_ALL ? t->all : t->before[cache] };
	va_start(args, format);
	vsnprintf(trial->what, sizeof(trial->what), format, args);
	va_end(args);
	return trial;
}

/* The trial counts if it could be run. */
static void simulate(struct tune *t, struct tune_trial *trial, const struct tune_models *models)
{
	if (tune_simulate(t->work, trial->cache, models, &trial->after))
		t->no_memory = true;
	else
		t->nr_trials++;
}

/* One cache with another configuration. */
static void try_one(struct tune *t, struct tune_trial *trial, const struct model_config *config)
{
	simulate(t, trial, &(struct tune_models){ config, 1, to_one, NULL });
}

static void try_kernel(struct tune *t, uint32_t i)
{
	static const uint32_t objects[] = { 0, 6, 30, 60, 120, 240, 480 }, partial[] = { 0, 20, 50, 100 };
	const struct work_cache *cache = &t->work->cache[i];
	struct tune_trial *trial;

	for (size_t n = 0; n < sizeof(objects) / sizeof(objects[0]); n++) {
		struct model_config config = cache->config;

		config.cpu_partial = geometry_cpu_partial_slabs(objects[n], config.objects);
		if (config.cpu_partial == cache->config.cpu_partial)
			continue;
		trial = new_trial(t, i, "cpu_partial=%u (%u slabs instead of %u)", objects[n], config.cpu_partial,
				  cache->config.cpu_partial);
		if (!trial)
			return;
		snprintf(trial->setting, sizeof(trial->setting), "echo %u > /sys/kernel/slab/%s/cpu_partial", objects[n], cache->name);
		try_one(t, trial, &config);
	}
	for (size_t n = 0; n < sizeof(partial) / sizeof(partial[0]); n++) {
		struct model_config config = cache->config;

		config.min_partial = partial[n];
		trial = new_trial(t, i, "min_partial=%u instead of %u", partial[n], cache->config.min_partial);
		if (!trial)
			return;
		snprintf(trial->setting, sizeof(trial->setting), "echo %u > /sys/kernel/slab/%s/min_partial", partial[n], cache->name);
		try_one(t, trial, &config);
	}
}

static void try_attribute(struct tune *t, uint32_t i, const char *attribute, uint32_t value, uint32_t before,
			  const struct model_config *config)
{
	struct tune_trial *trial = new_trial(t, i, "%s=%u instead of %u", attribute, value, before);
	char pid[16] = "PID";

	if (!trial)
		return;
	if (t->work->cache[i].pid)
		snprintf(pid, sizeof(pid), "%u", t->work->cache[i].pid);
	snprintf(trial->setting, sizeof(trial->setting), "slabscope sys %s %s/%s=%u", pid, t->work->cache[i].name, attribute, value);
	try_one(t, trial, config);
}

static void try_library(struct tune *t, uint32_t i)
{
	static const uint32_t times4[] = { 1, 2, 8, 16 }; /* quarters of the capacity */
	const struct model_config *now = &t->work->cache[i].config;
	struct model_config config;

	for (size_t n = 0; n < sizeof(times4) / sizeof(times4[0]); n++) {
		config = *now;
		config.capacity = now->capacity * times4[n] / 4;
		config.fixed_capacity = true;
		if (config.capacity && config.capacity <= 16384)
			try_attribute(t, i, "sheaf_capacity", config.capacity, now->capacity, &config);
	}
	for (uint32_t full = 0; full <= 10; full += 5) {
		config = *now;
		config.barn_full = full;
		config.fixed_barn = true;
		try_attribute(t, i, "barn_full", full, now->barn_full, &config);
	}
	for (uint32_t order = 0; order <= 4; order++) {
		config = *now;
		config.order = order;
		config.objects = geometry_objects(now->size, order);
		if (order != now->order && config.objects && config.objects < 32768)
			try_attribute(t, i, "order", order, now->order, &config);
	}
	for (uint32_t partial = 0; partial <= 40; partial += 20) {
		config = *now;
		config.min_partial = partial;
		try_attribute(t, i, "min_partial", partial, now->min_partial, &config);
	}
}

/* ---- a cache of its own for a hot size ---- */

struct split {
	uint32_t asked;
};

static int to_split(const void *context, const struct work_op *op)
{
	const struct split *split = context;

	return op->asked == split->asked;
}

/* The size that most allocations of a cache ask for; 0: none stands out. */
static uint32_t hot_size(const struct work *work, uint32_t cache)
{
	struct address_map count = { 0 };
	uintptr_t most = 0, all = 0;
	uint32_t hot = 0;

	for (size_t i = work->first[cache]; i < work->first[cache + 1]; i++) {
		const struct work_op *op = &work->op[work->by_cache[i]];
		uintptr_t n;

		if (!op->alloc || !op->asked)
			continue;
		all++;
		n = (uintptr_t)address_map_get(&count, op->asked) + 1;
		if (address_map_put(&count, op->asked, (void *)n))
			break;
		if (n > most) {
			most = n;
			hot = op->asked;
		}
	}
	address_map_close(&count);
	return most * HOT_SHARE >= all ? hot : 0;
}

static void try_own_cache(struct tune *t, uint32_t i)
{
	const struct work_cache *cache = &t->work->cache[i];
	uint32_t asked = hot_size(t->work, i), align = t->work->kind == MODEL_SLUB ? 8 : 16;
	uint32_t size = (asked + align - 1) / align * align;
	const struct split split = { asked };
	struct model_config config[2];
	struct tune_trial *trial;

	if (!asked || size >= cache->config.size)
		return;
	config[0] = cache->config;
	config[1] = work_geometry(t->work->kind, size, t->work->nr_cpus);
	config[1].nr_cpus = cache->config.nr_cpus;
	trial = new_trial(t, i, "a cache of its own for the %u bytes that most ask for", asked);
	if (!trial)
		return;
	snprintf(trial->setting, sizeof(trial->setting), "in the program: kmem_cache_create(\"NAME\", %u, %u, 0, NULL)", asked, align);
	simulate(t, trial, &(struct tune_models){ config, 2, to_split, &split });
}

/* ---- settings for all caches ---- */

struct model_config tune_boot(const struct model_config *now, const struct geometry_boot *boot)
{
	struct model_config config = *now;

	config.order = geometry_order_of(now->size, boot);
	config.objects = geometry_objects(now->size, config.order);
	config.cpu_partial = geometry_cpu_partial_slabs(geometry_cpu_partial(now->size), config.objects);
	return config;
}

static void try_boot(struct tune *t, const char *parameter, uint32_t value, const struct geometry_boot *boot)
{
	struct model_config *config = calloc(t->work->nr_caches + 1, sizeof(*config));
	struct tune_trial *trial = new_trial(t, TUNE_ALL, "%s=%u", parameter, value);

	if (!config || !trial) {
		t->no_memory = true;
		free(config);
		return;
	}
	for (uint32_t i = 0; i < t->work->nr_caches; i++) {
		config[i] = t->work->cache[i].config;
		if (config[i].size)
			config[i] = tune_boot(&config[i], boot);
		else
			config[i].nr_cpus = 1;
	}
	snprintf(trial->setting, sizeof(trial->setting), "boot parameter %s=%u", parameter, value);
	simulate(t, trial, &(struct tune_models){ config, t->work->nr_caches, to_each, t->work });
	free(config);
}

static void try_boots(struct tune *t)
{
	static const uint32_t objects[] = { 4, 8, 32, 64 };

	for (uint32_t order = 0; order < 3; order++) {
		struct geometry_boot boot = GEOMETRY_DEFAULT(t->work->nr_cpus);

		boot.max_order = order;
		try_boot(t, "slab_max_order", order, &boot);
	}
	for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
		struct geometry_boot boot = GEOMETRY_DEFAULT(t->work->nr_cpus);

		boot.min_objects = objects[i];
		try_boot(t, "slab_min_objects", objects[i], &boot);
	}
}

/* Where each cache's objects go. */
struct regroup {
	const struct work *work;
	uint32_t *group;  /* merging: per cache */
	uint32_t *first;  /* splitting: per cache, its first group; sites of one cache follow */
	uint32_t sites;   /* groups of a cache that is split */
	bool split;
};

static int to_group(const void *context, const struct work_op *op)
{
	const struct regroup *r = context;

	if (!r->work->cache[op->cache].config.size)
		return -1;
	if (!r->split)
		return (int)r->group[op->cache];
	return (int)(r->first[op->cache] + (r->work->cache[op->cache].merged ? op->site % r->sites : 0));
}

static void try_groups(struct tune *t, const struct regroup *r, const struct model_config *config, uint32_t nr, const char *what,
		       const char *setting)
{
	struct tune_trial *trial = new_trial(t, TUNE_ALL, "%s", what);

	if (!trial)
		return;
	snprintf(trial->setting, sizeof(trial->setting), "%s", setting);
	simulate(t, trial, &(struct tune_models){ config, nr, to_group, r });
}

/* libkmem: caches of the same size share slabs. */
static void try_merge(struct tune *t)
{
	const struct work *work = t->work;
	struct regroup r = { .work = work, .group = calloc(work->nr_caches + 1, sizeof(uint32_t)) };
	struct model_config *config = calloc(work->nr_caches + 1, sizeof(*config));
	uint32_t merged = 0;

	for (uint32_t i = 0; r.group && config && i < work->nr_caches; i++) {
		config[i] = work->cache[i].config;
		config[i].nr_cpus = config[i].nr_cpus ? config[i].nr_cpus : 1;
		r.group[i] = i;
		for (uint32_t j = 0; j < i && work->cache[i].mergeable && r.group[i] == i; j++)
			if (work->cache[j].mergeable && work->cache[j].config.size == config[i].size && r.group[j] == j)
				r.group[i] = j;
		merged += r.group[i] != i;
	}
	if (r.group && config && merged)
		try_groups(t, &r, config, work->nr_caches, "caches of the same size share their slabs", "KMEM_OPTIONS=merge=on");
	free(r.group);
	free(config);
}

/* The kernel: caches that several names share, by who allocates. Names have several call sites: an upper bound. */
static void try_unmerge(struct tune *t)
{
	enum { SITES = 32 };
	const struct work *work = t->work;
	struct regroup r = { .work = work, .split = true, .sites = SITES, .first = calloc(work->nr_caches + 1, sizeof(uint32_t)) };
	struct model_config *config = calloc((size_t)work->nr_caches * SITES + 1, sizeof(*config));
	uint32_t nr = 0, split = 0;

	for (uint32_t i = 0; r.first && config && i < work->nr_caches; i++) {
		uint32_t groups = work->cache[i].merged ? SITES : 1;

		r.first[i] = nr;
		split += work->cache[i].merged;
		for (; groups; groups--) {
			config[nr] = work->cache[i].config;
			config[nr].nr_cpus = config[nr].nr_cpus ? config[nr].nr_cpus : 1;
			nr++;
		}
	}
	if (r.first && config && split)
		try_groups(t, &r, config, nr, "no merging: each call site a cache of its own, an upper bound", "boot parameter slab_nomerge");
	free(r.first);
	free(config);
}

/* ---- all of it ---- */

int tune_open(struct tune *t, const struct work *work)
{
	struct model_config *config = calloc(work->nr_caches + 1, sizeof(*config));

	*t = (struct tune){ .work = work, .before = calloc(work->nr_caches + 1, sizeof(*t->before)) };
	if (!config || !t->before) {
		free(config);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < work->nr_caches; i++) {
		config[i] = work->cache[i].config;
		config[i].nr_cpus = config[i].nr_cpus ? config[i].nr_cpus : 1;
		if (work->cache[i].config.size)
			t->no_memory |= tune_simulate(work, i, &(struct tune_models){ &config[i], 1, to_one, NULL }, &t->before[i]) != 0;
	}
	t->no_memory |= tune_simulate(work, TUNE_ALL, &(struct tune_models){ config, work->nr_caches, to_each, work }, &t->all) != 0;
	free(config);
	for (uint32_t i = 0; i < work->nr_caches && !t->no_memory; i++) {
		if (t->before[i].steps < MIN_STEPS)
			continue;
		if (work->kind == MODEL_SLUB)
			try_kernel(t, i);
		else
			try_library(t, i);
		try_own_cache(t, i);
	}
	if (work->kind == MODEL_SLUB) {
		try_boots(t);
		try_unmerge(t);
	} else {
		try_merge(t);
	}
	return t->no_memory ? -ENOMEM : 0;
}

void tune_close(struct tune *t)
{
	free(t->before);
	free(t->trial);
	memset(t, 0, sizeof(*t));
}
