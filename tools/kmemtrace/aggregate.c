/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aggregate.c - see aggregate.h.
 *
 * Who held what at the peak is known without a copy per peak: a group keeps what
 * it had before its first change since the last peak. A group that has not
 * changed since has what it has.
 */
#include "kmemtrace/aggregate.h"

#include <stdlib.h>
#include <string.h>

#define NR_CPUS       65536u
#define FIRST_INDEX   1024u
#define PAGE_BYTES    UINT64_C(4096)
#define EXACT_SIZE    8192u
#define SIZE_MASK     ((UINT64_C(1) << 40) - 1)
#define FIRST_WIDTH   UINT64_C(16)

/* ---- groups --------------------------------------------------------------------------- */

static uint64_t hash_group(uint32_t stack, uint32_t cache, uint32_t pid, uint64_t size)
{
	uint64_t h = ((uint64_t)stack << 32 | cache) * UINT64_C(0x9e3779b97f4a7c15);

	h ^= h >> 29;
	h += ((uint64_t)pid << 32) + size;
	h *= UINT64_C(0xbf58476d1ce4e5b9);
	return h ^ h >> 32;
}

static size_t seek_group(const struct aggregate *a, uint32_t stack, uint32_t cache, uint32_t pid, uint64_t size)
{
	size_t i = hash_group(stack, cache, pid, size) & a->index_mask;

	for (; a->index[i]; i = (i + 1) & a->index_mask) {
		const struct group *g = &a->group[a->index[i] - 1];

		if (g->stack == stack && g->cache == cache && g->pid == pid && g->size == size)
			break;
	}
	return i;
}

static bool grow_groups(struct aggregate *a)
{
	size_t room = a->groups_room ? a->groups_room * 2 : FIRST_INDEX / 2;
	struct group *group = realloc(a->group, room * sizeof(*group));
	uint32_t *index;

	if (!group)
		return false;
	a->group = group;
	index = calloc(room * 2, sizeof(*index));
	if (!index)
		return false;
	free(a->index);
	a->index = index;
	a->index_mask = room * 2 - 1;
	a->groups_room = room;
	for (size_t i = 0; i < a->nr_groups; i++) {
		const struct group *g = &group[i];

		index[seek_group(a, g->stack, g->cache, g->pid, g->size)] = (uint32_t)i + 1;
	}
	return true;
}

/* Small sizes one by one, large ones by power of two. */
static uint64_t size_key(uint64_t size)
{
	return size <= EXACT_SIZE ? size : UINT64_C(1) << (64 - __builtin_clzll(size - 1));
}

static struct group *find_group(struct aggregate *a, const struct aggregate_event *e)
{
	uint64_t size = a->options.by_size ? size_key(e->size) : 0;
	struct group *g;
	size_t i;

	if (a->nr_groups == a->groups_room && !grow_groups(a)) {
		a->no_memory = true;
		return NULL;
	}
	i = seek_group(a, e->stack, e->cache, e->pid, size);
	if (a->index[i])
		return &a->group[a->index[i] - 1];
	g = &a->group[a->nr_groups++];
	*g = (struct group){ .stack = e->stack, .cache = e->cache, .pid = e->pid, .size = size,
			     .selected = true, .epoch = a->epoch };
	a->index[i] = (uint32_t)a->nr_groups;
	if (a->options.describe)
		a->options.describe(a->options.context, g);
	return g;
}

uint64_t group_waste(const struct group *g, uint64_t size)
{
	if (!g->stride)
		return (PAGE_BYTES - size % PAGE_BYTES) % PAGE_BYTES;
	return g->stride > size ? g->stride - size : 0;
}

/* ---- the timeline --------------------------------------------------------------------- */

static void halve(struct timeline *t)
{
	for (size_t i = 0; i < TIMELINE_BINS / 2; i++) {
		struct timeline_bin left = t->bin[2 * i], right = t->bin[2 * i + 1];

		t->bin[i] = (struct timeline_bin){
			.allocs = left.allocs + right.allocs,
			.frees = left.frees + right.frees,
			.bytes = left.bytes + right.bytes,
			.live_objects = right.live_objects,
			.live_bytes = right.live_bytes,
			.high_bytes = left.high_bytes > right.high_bytes ? left.high_bytes : right.high_bytes,
		};
	}
	t->nr = TIMELINE_BINS / 2;
	t->width_ns *= 2;
}

/* The bin of a time; those that nothing fell into are as the one before them ended. */
static struct timeline_bin *bin_at(struct aggregate *a, uint64_t time_ns)
{
	struct timeline *t = &a->timeline;
	uint64_t offset;
	size_t i;

	if (time_ns < t->last_ns)
		return &t->bin[t->nr - 1];
	offset = time_ns - t->start_ns;
	while (offset / t->width_ns >= TIMELINE_BINS) {
		/* Fill it up, so that two bins can become one. */
		while (t->nr < TIMELINE_BINS) {
			const struct timeline_bin *last = &t->bin[t->nr - 1];

			t->bin[t->nr++] = (struct timeline_bin){ .live_objects = last->live_objects,
								 .live_bytes = last->live_bytes,
								 .high_bytes = last->live_bytes };
		}
		halve(t);
	}
	i = (size_t)(offset / t->width_ns);
	while (t->nr <= i) {
		const struct timeline_bin *last = &t->bin[t->nr - 1];

		t->bin[t->nr++] = (struct timeline_bin){ .live_objects = last->live_objects,
							 .live_bytes = last->live_bytes,
							 .high_bytes = last->live_bytes };
	}
	t->last_ns = t->start_ns + t->nr * t->width_ns;
	return &t->bin[t->nr - 1];
}

static void note(struct aggregate *a, struct timeline_bin *bin)
{
	bin->live_objects = a->total.live_objects;
	bin->live_bytes = a->total.live_bytes;
	if (bin->live_bytes > bin->high_bytes)
		bin->high_bytes = bin->live_bytes;
}

/* ---- counting ------------------------------------------------------------------------- */

/* The group is about to change: keep what it had at the last peak. */
static void touch(const struct aggregate *a, struct group *g)
{
	if (g->epoch == a->epoch)
		return;
	g->epoch = a->epoch;
	g->at_peak_objects = g->stats.live_objects;
	g->at_peak_bytes = g->stats.live_bytes;
	g->at_peak_waste = g->stats.live_waste;
}

static void new_peak(struct aggregate *a, uint64_t time_ns)
{
	a->epoch++;
	a->peak_ns = time_ns;
	a->total.peak_objects = a->total.live_objects;
	a->total.peak_bytes = a->total.live_bytes;
	a->total.peak_waste = a->total.live_waste;
}

static void enter_stats(struct stats *s, uint64_t size, uint64_t waste)
{
	s->live_objects++;
	s->live_bytes += size;
	s->live_waste += waste;
	if (s->live_bytes > s->high_bytes)
		s->high_bytes = s->live_bytes;
}

static void enter(struct aggregate *a, struct group *g, uint64_t size, uint64_t time_ns)
{
	uint64_t waste = group_waste(g, size);

	if (!g->selected)
		return;
	touch(a, g);
	enter_stats(&g->stats, size, waste);
	enter_stats(&a->total, size, waste);
	if (a->total.live_bytes > a->total.peak_bytes)
		new_peak(a, time_ns);
}

static void leave_stats(struct stats *s, uint64_t size, uint64_t waste)
{
	s->live_objects--;
	s->live_bytes -= size;
	s->live_waste -= waste;
}

static void leave(struct aggregate *a, struct group *g, uint64_t size)
{
	uint64_t waste = group_waste(g, size);

	if (!g->selected)
		return;
	touch(a, g);
	leave_stats(&g->stats, size, waste);
	leave_stats(&a->total, size, waste);
}

/* From here on events count: what is alive now was alive at the start. */
static void begin_window(struct aggregate *a, uint64_t time_ns)
{
	a->counting = true;
	a->timeline.start_ns = time_ns;
	a->timeline.last_ns = time_ns + a->timeline.width_ns;
	a->timeline.bin[0].live_objects = a->total.live_objects;
	a->timeline.bin[0].live_bytes = a->timeline.bin[0].high_bytes = a->total.live_bytes;
	new_peak(a, time_ns);
	a->total.start_objects = a->total.live_objects;
	a->total.start_bytes = a->total.high_bytes = a->total.live_bytes;
	for (size_t i = 0; i < a->nr_groups; i++) {
		struct stats *s = &a->group[i].stats;

		s->start_objects = s->live_objects;
		s->start_bytes = s->high_bytes = s->live_bytes;
	}
}

/* Whether an event is followed; it counts if a->counting, too. */
static bool in_window(struct aggregate *a, const struct aggregate_event *e)
{
	if (a->no_memory || (a->options.to_ns && e->time_ns >= a->options.to_ns))
		return false;
	if (!a->counting && e->time_ns >= a->options.from_ns) {
		uint64_t start = a->options.start_ns;

		begin_window(a, a->options.from_ns > start ? a->options.from_ns : start);
	}
	if (e->time_ns > a->last_ns)
		a->last_ns = e->time_ns;
	return true;
}

/* ---- events --------------------------------------------------------------------------- */

bool aggregate_init(struct aggregate *a, const struct aggregate_options *options)
{
	memset(a, 0, sizeof(*a));
	a->options = *options;
	a->last_ns = options->start_ns;
	a->timeline.width_ns = FIRST_WIDTH;
	a->timeline.nr = 1;
	a->last = calloc(NR_CPUS, sizeof(*a->last));
	return a->last && grow_groups(a);
}

void aggregate_close(struct aggregate *a)
{
	live_free(&a->live);
	for (size_t i = 0; i < a->nr_groups; i++)
		stats_free(&a->group[i].stats);
	stats_free(&a->total);
	histogram_free(&a->sizes);
	free(a->group);
	free(a->index);
	free(a->last);
	memset(a, 0, sizeof(*a));
}

/* Make e's object alive; what was there before it is gone. */
static struct live_object *put(struct aggregate *a, const struct aggregate_event *e, struct group *g, bool *existed)
{
	struct live_object *o = live_add(&a->live, e->space, LIVE_OBJECT, e->ptr, existed);

	if (!o) {
		a->no_memory = true;
		return NULL;
	}
	if (*existed) {
		/* The list of older objects is made while the process runs: an allocation after it says more. */
		if (o->flags & LIVE_BEFORE)
			a->replaced++;
		else if (!a->errors.double_allocs++)
			a->errors.first_double = *e;
		leave(a, &a->group[o->group], o->size);
	}
	o->time_ns = e->time_ns;
	o->size = e->size & SIZE_MASK;
	o->group = (uint32_t)(g - a->group);
	o->cpu = e->cpu;
	o->flags = 0;
	return o;
}

void aggregate_before(struct aggregate *a, const struct aggregate_event *e)
{
	struct group *g = a->no_memory ? NULL : find_group(a, e);
	struct live_object *o;
	bool existed;

	if (!g)
		return;
	o = live_find(&a->live, e->space, LIVE_OBJECT, e->ptr);
	if (o)
		return;
	o = put(a, e, g, &existed);
	if (!o)
		return;
	o->flags = LIVE_BEFORE;
	enter(a, g, o->size, e->time_ns);
}

static void count_alloc(struct aggregate *a, struct group *g, const struct aggregate_event *e)
{
	struct timeline_bin *bin = bin_at(a, e->time_ns);
	uint64_t waste = group_waste(g, e->size);

	g->stats.allocs++;
	g->stats.bytes += e->size;
	g->stats.waste += waste;
	a->total.allocs++;
	a->total.bytes += e->size;
	a->total.waste += waste;
	a->events++;
	if (!histogram_add(&a->sizes, e->size))
		a->no_memory = true;
	bin->allocs++;
	bin->bytes += e->size;
	note(a, bin);
}

void aggregate_alloc(struct aggregate *a, const struct aggregate_event *e)
{
	struct live_object *o;
	struct group *g;
	bool existed;

	if (!in_window(a, e))
		return;
	g = find_group(a, e);
	o = g ? put(a, e, g, &existed) : NULL;
	if (!o)
		return;
	a->last[e->cpu].ptr = e->ptr;
	a->last[e->cpu].space = e->space;
	enter(a, g, o->size, e->time_ns);
	if (a->counting && g->selected)
		count_alloc(a, g, e);
}

static void count_end_of_life(struct aggregate *a, struct group *g, const struct live_object *o,
			      const struct aggregate_event *e)
{
	uint64_t lifetime = e->time_ns > o->time_ns ? e->time_ns - o->time_ns : 0;
	bool temporary = a->last[o->cpu].ptr == o->ptr && a->last[o->cpu].space == o->pid;

	if (o->flags & LIVE_BEFORE)
		return;
	g->stats.temporary += temporary;
	a->total.temporary += temporary;
	g->stats.remote += o->cpu != e->cpu;
	a->total.remote += o->cpu != e->cpu;
	if (!histogram_add(&g->stats.lifetime, lifetime))
		a->no_memory = true;
}

void aggregate_free(struct aggregate *a, const struct aggregate_event *e)
{
	struct live_object o;
	struct timeline_bin *bin;
	struct group *g;

	if (!in_window(a, e))
		return;
	if (!live_take(&a->live, e->space, LIVE_OBJECT, e->ptr, &o)) {
		if (!a->errors.unknown_frees++)
			a->errors.first_unknown = *e;
		return;
	}
	g = &a->group[o.group];
	leave(a, g, o.size);
	if (!a->counting || !g->selected)
		return;
	g->stats.frees++;
	g->stats.freed_bytes += o.size;
	a->total.frees++;
	a->total.freed_bytes += o.size;
	a->events++;
	count_end_of_life(a, g, &o, e);
	bin = bin_at(a, e->time_ns);
	bin->frees++;
	note(a, bin);
}

uint64_t aggregate_forget(struct aggregate *a, uint32_t space, uint64_t time_ns)
{
	uint64_t at = 0, nr = 0, before;
	const struct live_object *o;
	struct live_object gone;

	if (a->no_memory || (a->options.to_ns && time_ns >= a->options.to_ns))
		return 0;
	for (before = at; (o = live_next(&a->live, &at)); before = at) {
		if (o->pid != space)
			continue;
		live_take(&a->live, space, (enum live_kind)o->kind, o->ptr, &gone);
		leave(a, &a->group[gone.group], gone.size);
		nr++;
		at = before; /* another one may have moved to its place */
	}
	if (nr && a->counting)
		note(a, bin_at(a, time_ns));
	return nr;
}

static void count_ages(struct aggregate *a)
{
	const struct live_object *o;
	uint64_t at = 0;

	while ((o = live_next(&a->live, &at))) {
		struct group *g = &a->group[o->group];

		if (g->selected && !(o->flags & LIVE_BEFORE) && !histogram_add(&g->stats.age, a->last_ns - o->time_ns))
			a->no_memory = true;
	}
}

void aggregate_end(struct aggregate *a, uint64_t time_ns)
{
	if (a->options.to_ns && time_ns > a->options.to_ns)
		time_ns = a->options.to_ns;
	if (!a->counting)
		begin_window(a, time_ns < a->options.from_ns ? a->options.from_ns : time_ns);
	if (time_ns > a->last_ns)
		a->last_ns = time_ns;
	note(a, bin_at(a, a->last_ns));
	count_ages(a);
	for (size_t i = 0; i < a->nr_groups; i++) {
		struct group *g = &a->group[i];

		touch(a, g);
		g->stats.peak_objects = g->at_peak_objects;
		g->stats.peak_bytes = g->at_peak_bytes;
		g->stats.peak_waste = g->at_peak_waste;
		if (!histogram_merge(&a->total.lifetime, &g->stats.lifetime) ||
		    !histogram_merge(&a->total.age, &g->stats.age))
			a->no_memory = true;
	}
}

void stats_free(struct stats *s)
{
	histogram_free(&s->lifetime);
	histogram_free(&s->age);
}

bool stats_merge(struct stats *to, const struct stats *from)
{
	to->allocs += from->allocs;
	to->frees += from->frees;
	to->bytes += from->bytes;
	to->freed_bytes += from->freed_bytes;
	to->live_objects += from->live_objects;
	to->live_bytes += from->live_bytes;
	to->start_objects += from->start_objects;
	to->start_bytes += from->start_bytes;
	to->peak_objects += from->peak_objects;
	to->peak_bytes += from->peak_bytes;
	to->high_bytes += from->high_bytes;
	to->waste += from->waste;
	to->live_waste += from->live_waste;
	to->peak_waste += from->peak_waste;
	to->temporary += from->temporary;
	to->remote += from->remote;
	return histogram_merge(&to->lifetime, &from->lifetime) && histogram_merge(&to->age, &from->age);
}
