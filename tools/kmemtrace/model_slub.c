/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * model_slub.c - where Linux 6.8 to 6.18 puts objects; see model_slub.h.
 *
 * A slab that a CPU holds is "frozen": frees of other CPUs' objects count in it, but move it nowhere. A full slab
 * is on no list; the first free takes it to the freeing CPU's partial list. When that is full, all of it goes to
 * the node at once.
 */
#include "kmemtrace/model_slub.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int slub_open(struct slub *s, const struct slub_config *config)
{
	memset(s, 0, sizeof(*s));
	s->config = *config;
	s->cpu = calloc(config->nr_cpus, sizeof(*s->cpu));
	return s->cpu ? 0 : -ENOMEM;
}

void slub_close(struct slub *s)
{
	model_pool_close(&s->pool);
	free(s->cpu);
	memset(s, 0, sizeof(*s));
}

static struct model_slab *new_slab(struct slub *s)
{
	struct model_slab *slab = model_pool_get(&s->pool, s->config.objects);

	if (!slab)
		return NULL;
	s->trips.new_slabs++;
	s->total += slab->objects;
	if (++s->slabs > s->peak_slabs)
		s->peak_slabs = s->slabs;
	return slab;
}

static void discard(struct slub *s, struct model_slab *slab)
{
	s->trips.discarded++;
	s->slabs--;
	s->total -= slab->objects;
	model_pool_put(&s->pool, slab);
}

static void add_to_node(struct slub *s, struct model_slab *slab, bool front)
{
	slab->place = MODEL_NODE;
	model_list_add(&s->partial, slab, front);
}

/* An empty slab is kept only while the node has few partial ones. */
static bool is_superfluous(const struct slub *s, const struct model_slab *slab)
{
	return slab->free == slab->objects && s->partial.nr >= s->config.min_partial;
}

/* All that a CPU's partial list held, from its newest on. */
static void put_to_node(struct slub *s, struct model_list *list)
{
	struct model_slab *slab;

	s->trips.to_node += list->head != NULL;
	while ((slab = list->head)) {
		model_list_del(list, slab);
		if (is_superfluous(s, slab))
			discard(s, slab);
		else
			add_to_node(s, slab, false);
	}
}

static void put_cpu_partial(struct slub *s, struct slub_cpu *cpu, struct model_slab *slab, bool drain)
{
	struct model_list old = { 0 };

	if (drain && cpu->partial.nr && cpu->partial.nr >= s->config.cpu_partial) {
		old = cpu->partial;
		cpu->partial = (struct model_list){ 0 };
	}
	slab->place = MODEL_CPU_PARTIAL;
	model_list_add(&cpu->partial, slab, true);
	put_to_node(s, &old);
}

/* The first of the node's list for the caller, and more for the CPU's own list: about half of what fits there. */
static struct model_slab *take_from_node(struct slub *s, struct slub_cpu *cpu)
{
	struct model_slab *first = NULL, *slab;
	uint32_t more = 0;

	while ((slab = s->partial.head)) {
		model_list_del(&s->partial, slab);
		if (!first) {
			first = slab;
			if (!s->config.cpu_partial)
				break;
			continue;
		}
		put_cpu_partial(s, cpu, slab, false);
		if (++more > s->config.cpu_partial / 2)
			break;
	}
	s->trips.alloc_node += first != NULL;
	return first;
}

static void make_cpu_slab(struct slub *s, unsigned int number, struct model_slab *slab)
{
	struct slub_cpu *cpu = &s->cpu[number];

	slab->place = MODEL_CPU;
	slab->cpu = (uint16_t)number;
	cpu->slab = slab;
	cpu->free = slab->free;
	slab->free = 0;
}

static struct model_slab *next_slab(struct slub *s, struct slub_cpu *cpu)
{
	struct model_slab *slab = cpu->partial.head;

	if (slab) {
		model_list_del(&cpu->partial, slab);
		s->trips.alloc_cpu_partial++;
		return slab;
	}
	slab = take_from_node(s, cpu);
	if (slab)
		return slab;
	s->trips.alloc_new++;
	return new_slab(s);
}

struct model_slab *slub_alloc(struct slub *s, unsigned int number)
{
	struct slub_cpu *cpu = &s->cpu[number];
	struct model_slab *slab = cpu->slab;

	s->trips.allocs++;
	if (slab && !cpu->free && slab->free) {
		cpu->free = slab->free;
		slab->free = 0;
		s->trips.alloc_refill++;
	}
	if (!slab || !cpu->free) {
		if (slab)
			slab->place = MODEL_FULL;
		cpu->slab = NULL;
		slab = next_slab(s, cpu);
		if (!slab)
			return NULL;
		make_cpu_slab(s, number, slab);
	}
	cpu->free--;
	return slab;
}

void slub_free(struct slub *s, unsigned int number, struct model_slab *slab)
{
	struct slub_cpu *cpu = &s->cpu[number];
	bool was_full = !slab->free;

	s->trips.frees++;
	if (slab == cpu->slab) {
		cpu->free++;
		return;
	}
	s->trips.free_slow++;
	slab->free++;
	if (slab->place == MODEL_CPU || slab->place == MODEL_CPU_PARTIAL)
		return;
	if (was_full) {
		put_cpu_partial(s, cpu, slab, true);
		return;
	}
	if (slab->free != slab->objects)
		return;
	s->trips.free_node++;
	if (s->partial.nr >= s->config.min_partial) {
		model_list_del(&s->partial, slab);
		discard(s, slab);
	}
}

/* A CPU slab goes back to the node: to the tail if others have freed objects of it. */
static void deactivate(struct slub *s, struct slub_cpu *cpu)
{
	struct model_slab *slab = cpu->slab;
	bool remote_frees = slab->free;

	slab->free += cpu->free;
	cpu->free = 0;
	cpu->slab = NULL;
	if (is_superfluous(s, slab))
		discard(s, slab);
	else if (slab->free)
		add_to_node(s, slab, !remote_frees);
	else
		slab->place = MODEL_FULL;
}

void slub_shrink(struct slub *s)
{
	struct model_slab *slab, *next;

	for (uint32_t i = 0; i < s->config.nr_cpus; i++) {
		if (s->cpu[i].slab)
			deactivate(s, &s->cpu[i]);
		put_to_node(s, &s->cpu[i].partial);
	}
	for (slab = s->partial.head; slab; slab = next) {
		next = slab->next;
		if (slab->free == slab->objects) {
			model_list_del(&s->partial, slab);
			discard(s, slab);
		}
	}
	model_list_promote(&s->partial, true);
}

struct model_slab *slub_import(struct slub *s, enum model_place place, unsigned int cpu, uint32_t free, uint32_t cpu_free)
{
	struct model_slab *slab = model_pool_get(&s->pool, s->config.objects);

	if (!slab)
		return NULL;
	slab->free = free;
	slab->place = (uint16_t)place;
	slab->cpu = (uint16_t)cpu;
	if (place == MODEL_NODE) {
		model_list_add(&s->partial, slab, false);
	} else if (place == MODEL_CPU_PARTIAL) {
		model_list_add(&s->cpu[cpu].partial, slab, false);
	} else if (place == MODEL_CPU) {
		s->cpu[cpu].slab = slab;
		s->cpu[cpu].free = cpu_free;
	}
	return slab;
}

void slub_state(const struct slub *s, struct kmem_cache_info *info)
{
	const struct model_slab *slab;

	info->have |= KMEM_INFO_SLABS | KMEM_INFO_PARTIAL | KMEM_INFO_CPU_SLAB | KMEM_INFO_CPU_PARTIAL |
		      KMEM_INFO_IN_USE | KMEM_INFO_MIN_PARTIAL;
	info->objects_per_slab = s->config.objects;
	info->order = s->config.order;
	info->min_partial = s->config.min_partial;
	info->cpu_partial_max = s->config.cpu_partial;
	info->slabs = s->slabs;
	info->objects_total = s->total;
	info->node_partial = s->partial.nr;
	info->partial_free = info->cpu_slabs = info->cpu_free = info->cpu_partial_slabs = info->cpu_partial_free = 0;
	for (slab = s->partial.head; slab; slab = slab->next)
		info->partial_free += slab->free;
	for (uint32_t i = 0; i < s->config.nr_cpus; i++) {
		const struct slub_cpu *cpu = &s->cpu[i];

		info->cpu_slabs += cpu->slab != NULL;
		info->cpu_free += cpu->free + (cpu->slab ? cpu->slab->free : 0);
		info->cpu_partial_slabs += cpu->partial.nr;
		for (slab = cpu->partial.head; slab; slab = slab->next)
			info->cpu_partial_free += slab->free;
	}
	info->in_use = info->objects_total - info->partial_free - info->cpu_free - info->cpu_partial_free;
}
