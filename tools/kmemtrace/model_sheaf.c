/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * model_sheaf.c - where libkmem puts objects; see model_sheaf.h.
 *
 * A CPU's array is a stack of two sheaves or more. An empty one is refilled with a full sheaf of the barn or with
 * objects out of slabs; of a full one a sheaf's worth goes to the barn or into slabs.
 */
#include "kmemtrace/model_sheaf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BATCH         64u           /* objects moved between array and slabs at once */
#define REACH_OBJECTS 1024u         /* what an array may grow to */
#define REACH_BYTES   (64u << 10)
#define MIN_CREDIT    5u
#define MAX_CREDIT    16u
#define LEARN_BYTES   (16u << 20)   /* what a barn may learn to keep */
#define LEARN_SHEAVES 16384u

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

int sheaf_model_open(struct sheaf_model *s, const struct sheaf_config *config)
{
	memset(s, 0, sizeof(*s));
	s->config = *config;
	s->slot_capacity = 2 * config->capacity;
	s->cpu = calloc(config->nr_cpus, sizeof(*s->cpu));
	return s->cpu ? 0 : -ENOMEM;
}

void sheaf_model_close(struct sheaf_model *s)
{
	for (uint32_t i = 0; s->cpu && i < s->config.nr_cpus; i++)
		free(s->cpu[i].slot.object);
	for (uint32_t i = 0; i < s->barn_room; i++)
		free(s->barn[i].object);
	free(s->barn);
	free(s->cpu);
	model_pool_close(&s->pool);
	memset(s, 0, sizeof(*s));
}

/* ---- arrays of objects ---- */

static bool make_room(struct sheaf_model *s, struct sheaf_array *array, uint32_t room)
{
	struct model_slab **more;

	if (array->room >= room)
		return true;
	more = reallocarray(array->object, room, sizeof(struct model_slab *));
	if (!more) {
		s->no_memory = true;
		return false;
	}
	array->object = more;
	array->room = room;
	return true;
}

/* Up to the limit of the CPU's array. Return: how many it took. */
static uint32_t push(struct sheaf_model *s, struct sheaf_cpu *cpu, struct model_slab **object, uint32_t count)
{
	struct sheaf_array *slot = &cpu->slot;
	uint32_t room = cpu->limit > slot->nr ? cpu->limit - slot->nr : 0;

	count = least(count, room);
	if (!count || !make_room(s, slot, cpu->limit))
		return 0;
	memcpy(slot->object + slot->nr, object, count * sizeof(struct model_slab *));
	slot->nr += count;
	return count;
}

/* The topmost ones, in their order. */
static uint32_t pop(struct sheaf_cpu *cpu, struct model_slab **object, uint32_t max)
{
	struct sheaf_array *slot = &cpu->slot;
	uint32_t count = least(slot->nr, max);

	if (count)
		memcpy(object, slot->object + slot->nr - count, count * sizeof(struct model_slab *));
	slot->nr -= count;
	return count;
}

/* ---- slabs ---- */

static bool add_slab(struct sheaf_model *s)
{
	struct model_slab *slab = model_pool_get(&s->pool, s->config.objects);

	if (!slab)
		return false;
	s->trips.new_slabs++;
	s->total += slab->objects;
	if (++s->slabs > s->peak_slabs)
		s->peak_slabs = s->slabs;
	slab->place = MODEL_NODE;
	model_list_add(&s->partial, slab, true);
	return true;
}

static void discard(struct sheaf_model *s, struct model_slab *slab)
{
	model_list_del(&s->partial, slab);
	s->trips.discarded++;
	s->slabs--;
	s->total -= slab->objects;
	model_pool_put(&s->pool, slab);
}

static uint32_t take_from_slabs(struct sheaf_model *s, struct model_slab **object, uint32_t max)
{
	uint32_t taken = 0;

	while (taken < max && s->partial.head) {
		struct model_slab *slab = s->partial.head;

		for (; taken < max && slab->free; slab->free--)
			object[taken++] = slab;
		if (!slab->free) {
			slab->place = MODEL_FULL;
			model_list_del(&s->partial, slab);
		}
	}
	return taken;
}

/* Objects that follow each other and share a slab are put back at once, then the slab is looked at. */
static void put_into_slabs(struct sheaf_model *s, struct model_slab **object, uint32_t count)
{
	for (uint32_t i = 0; i < count;) {
		struct model_slab *slab = object[i];
		bool was_full = !slab->free;

		for (; i < count && object[i] == slab; i++)
			slab->free++;
		if (was_full) {
			slab->place = MODEL_NODE;
			model_list_add(&s->partial, slab, false);
		}
		if (slab->free == slab->objects && s->partial.nr > s->config.min_partial)
			discard(s, slab);
	}
}

/* ---- the barn ---- */

static bool barn_has_room(const struct sheaf_model *s)
{
	return s->nr_full < s->config.barn_full + s->learned;
}

/* The place of one more full sheaf. */
static struct sheaf_array *barn_place(struct sheaf_model *s)
{
	struct sheaf_array *sheaf;

	if (s->nr_full == s->barn_room) {
		uint32_t room = s->barn_room + 16;
		struct sheaf_array *more = reallocarray(s->barn, room, sizeof(*more));

		if (!more)
			return NULL;
		memset(more + s->barn_room, 0, 16 * sizeof(*more));
		s->barn = more;
		s->barn_room = room;
	}
	sheaf = &s->barn[s->nr_full];
	return make_room(s, sheaf, s->config.capacity) ? sheaf : NULL;
}

static void barn_missed(struct sheaf_model *s)
{
	uint32_t capacity = s->config.capacity;

	if (s->debt < capacity || s->config.fixed_barn || s->learned >= LEARN_SHEAVES ||
	    (uint64_t)(s->learned + 1) * capacity * s->config.size > LEARN_BYTES)
		return;
	s->debt -= capacity;
	s->learned++;
}

/* ---- how large an array is ---- */

static uint32_t reach(const struct sheaf_model *s)
{
	return least(REACH_OBJECTS, REACH_BYTES / s->config.size);
}

static uint32_t burst(const struct sheaf_model *s, const struct sheaf_cpu *cpu)
{
	if (cpu->limit >= 16 * s->config.capacity)
		return 4;
	return cpu->limit >= 8 * s->config.capacity ? 2 : 1;
}

static void enable(const struct sheaf_model *s, struct sheaf_cpu *cpu)
{
	if (!cpu->limit)
		cpu->limit = least(2 * s->config.capacity, s->slot_capacity);
}

static void refilled(const struct sheaf_model *s, struct sheaf_cpu *cpu)
{
	if (!s->slot_capacity || cpu->slot.nr < s->config.capacity / 2)
		return;
	cpu->grant = 0;
	if (cpu->credit < MAX_CREDIT)
		cpu->credit++;
}

static bool grow(struct sheaf_model *s, struct sheaf_cpu *cpu)
{
	if (cpu->credit) {
		cpu->grant = cpu->credit >= MIN_CREDIT ? cpu->credit : 0;
		cpu->credit = 0;
	}
	if (!cpu->grant)
		return false;
	if (cpu->limit >= s->slot_capacity) {
		s->wants_larger |= s->slot_capacity < reach(s) && !s->config.fixed_capacity;
		return false;
	}
	cpu->grant--;
	cpu->limit = least(cpu->limit + s->config.capacity, s->slot_capacity);
	return true;
}

static void empty_arrays(struct sheaf_model *s)
{
	for (uint32_t i = 0; i < s->config.nr_cpus; i++) {
		struct sheaf_cpu *cpu = &s->cpu[i];

		put_into_slabs(s, cpu->slot.object, cpu->slot.nr);
		cpu->slot.nr = 0;
		cpu->limit = 0;
		cpu->credit = cpu->grant = 0;
	}
}

/* The cache moves once to arrays with room for many more. */
static void enlarge(struct sheaf_model *s)
{
	s->wants_larger = false;
	s->slot_capacity = reach(s);
	empty_arrays(s);
}

/* ---- allocation ---- */

static struct model_slab *refill_from_barn(struct sheaf_model *s, struct sheaf_cpu *cpu)
{
	struct model_slab *object = NULL;
	uint32_t more = burst(s, cpu);

	while (s->nr_full) {
		struct sheaf_array *sheaf = &s->barn[--s->nr_full];
		uint32_t moved;

		s->trips.barn_get++;
		if (!object)
			object = sheaf->object[--sheaf->nr];
		moved = push(s, cpu, sheaf->object, sheaf->nr);
		sheaf->nr -= moved;
		if (sheaf->nr) {
			memmove(sheaf->object, sheaf->object + moved, sheaf->nr * sizeof(struct model_slab *));
			s->nr_full++;
			s->trips.barn_put++;
			break;
		}
		if (!--more)
			break;
	}
	return object;
}

static struct model_slab *refill_from_slabs(struct sheaf_model *s, struct sheaf_cpu *cpu)
{
	uint32_t want = s->slot_capacity ? least(s->config.capacity, BATCH) + 1 : 1;
	struct model_slab *batch[BATCH + 1];
	uint32_t taken, moved;

	if (s->slot_capacity)
		barn_missed(s);
	taken = take_from_slabs(s, batch, want);
	if (!taken)
		return NULL;
	s->trips.barn_get_fail++;
	taken--;
	for (uint32_t i = 0; i < taken / 2; i++) {
		struct model_slab *swap = batch[1 + i];

		batch[1 + i] = batch[taken - i];
		batch[taken - i] = swap;
	}
	moved = push(s, cpu, batch + 1, taken);
	put_into_slabs(s, batch + 1 + moved, taken - moved);
	return batch[0];
}

static struct model_slab *alloc_slow(struct sheaf_model *s, struct sheaf_cpu *cpu)
{
	struct model_slab *object;

	s->trips.alloc_slow++;
	do {
		enable(s, cpu);
		object = refill_from_barn(s, cpu);
		if (!object)
			object = refill_from_slabs(s, cpu);
		refilled(s, cpu);
	} while (!object && add_slab(s));
	s->trips.refills += object != NULL;
	if (s->wants_larger)
		enlarge(s);
	return object;
}

struct model_slab *sheaf_model_alloc(struct sheaf_model *s, unsigned int number)
{
	struct sheaf_cpu *cpu = &s->cpu[number];
	struct model_slab *object;

	s->trips.allocs++;
	return pop(cpu, &object, 1) ? object : alloc_slow(s, cpu);
}

/* ---- free ---- */

static bool flush_sheaf(struct sheaf_model *s, struct sheaf_cpu *cpu)
{
	struct sheaf_array *sheaf = barn_has_room(s) && s->slot_capacity ? barn_place(s) : NULL;

	if (!sheaf)
		return false;
	sheaf->nr = pop(cpu, sheaf->object, s->config.capacity);
	s->nr_full += sheaf->nr != 0;
	s->trips.barn_put += sheaf->nr != 0;
	return true;
}

static void flush(struct sheaf_model *s, struct sheaf_cpu *cpu)
{
	uint32_t sheaves = burst(s, cpu), moved;
	struct model_slab *batch[BATCH];

	if (grow(s, cpu))
		return;
	s->trips.flushes++;
	if (flush_sheaf(s, cpu)) {
		while (--sheaves && flush_sheaf(s, cpu))
			;
		return;
	}
	s->trips.barn_put_fail++;
	moved = pop(cpu, batch, least(s->config.capacity, BATCH));
	s->debt = least(s->debt + moved, LEARN_BYTES);
	put_into_slabs(s, batch, moved);
}

void sheaf_model_free(struct sheaf_model *s, unsigned int number, struct model_slab *slab)
{
	struct sheaf_cpu *cpu = &s->cpu[number];

	s->trips.frees++;
	if (push(s, cpu, &slab, 1))
		return;
	s->trips.free_slow++;
	enable(s, cpu);
	if (push(s, cpu, &slab, 1))
		return;
	flush(s, cpu);
	if (!push(s, cpu, &slab, 1))
		put_into_slabs(s, &slab, 1);
}

/* ---- the rest ---- */

void sheaf_model_shrink(struct sheaf_model *s)
{
	struct model_slab *slab, *next;

	empty_arrays(s);
	while (s->nr_full) {
		struct sheaf_array *sheaf = &s->barn[--s->nr_full];

		put_into_slabs(s, sheaf->object, sheaf->nr);
	}
	s->learned = s->debt = 0;
	for (slab = s->partial.head; slab; slab = next) {
		next = slab->next;
		if (slab->free == slab->objects)
			discard(s, slab);
	}
	model_list_promote(&s->partial, false);
}

void sheaf_model_state(const struct sheaf_model *s, struct kmem_cache_info *info)
{
	const struct model_slab *slab;

	info->have |= KMEM_INFO_SLABS | KMEM_INFO_PARTIAL | KMEM_INFO_SHEAVES | KMEM_INFO_IN_USE | KMEM_INFO_MIN_PARTIAL;
	info->objects_per_slab = s->config.objects;
	info->order = s->config.order;
	info->min_partial = s->config.min_partial;
	info->sheaf_capacity = s->config.capacity;
	info->slabs = s->slabs;
	info->objects_total = s->total;
	info->node_partial = s->partial.nr;
	info->barn_full = s->nr_full;
	info->partial_free = info->sheaf_main = info->barn_objects = 0;
	for (slab = s->partial.head; slab; slab = slab->next)
		info->partial_free += slab->free;
	for (uint32_t i = 0; i < s->config.nr_cpus; i++)
		info->sheaf_main += s->cpu[i].slot.nr;
	for (uint32_t i = 0; i < s->nr_full; i++)
		info->barn_objects += s->barn[i].nr;
	info->in_use = info->objects_total - info->partial_free - info->sheaf_main - info->barn_objects;
}
