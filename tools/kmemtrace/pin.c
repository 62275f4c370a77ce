/* SPDX-License-Identifier: BSD-2-Clause */
/* pin.c - see pin.h. Objects and blocks are in order of address, so each block's objects are next to each other. */
#include "kmemtrace/pin.h"

#include <stdlib.h>
#include <string.h>

#define PAGEBLOCK_SHIFT 21

struct walk {
	struct pin *pin;
	struct analysis *an;
	const struct trace_snapshot *moment;
	uint32_t *row_of;  /* by site: number + 1 */
	size_t room;
	bool no_memory;
};

/* ---- rows ------------------------------------------------------------------------------ */

static struct pin_row *row_of_site(struct walk *w, uint32_t site)
{
	struct pin *pin = w->pin;

	/* Sites are named as they are met: there may be more than there were. */
	if (site >= w->room) {
		size_t room = w->an->sites.nr * 2 + 64;
		uint32_t *row_of = realloc(w->row_of, room * sizeof(*row_of));
		struct pin_row *row = row_of ? realloc(pin->row, room * sizeof(*row)) : NULL;

		if (row_of) {
			memset(row_of + w->room, 0, (room - w->room) * sizeof(*row_of));
			w->row_of = row_of;
		}
		if (!row) {
			w->no_memory = true;
			return NULL;
		}
		pin->row = row;
		w->room = room;
	}
	if (!w->row_of[site]) {
		pin->row[pin->nr] = (struct pin_row){ .site = site };
		w->row_of[site] = (uint32_t)++pin->nr;
	}
	return &pin->row[w->row_of[site] - 1];
}

/* Who allocated an object; *live is what the events say of it, or NULL. */
static struct pin_row *row_of_object(struct walk *w, const struct trace_object *o, const struct live_object **live)
{
	uint32_t space = w->an->info->source == TRACE_KERNEL ? 0 : o->pid, site = 0;

	*live = live_find(&w->an->aggregate.live, space, LIVE_OBJECT, o->ptr);
	if (*live)
		site = sites_of(&w->an->sites, w->an->aggregate.group[(*live)->group].stack);
	return row_of_site(w, site);
}

static void add_object(struct walk *w, size_t block, const struct trace_object *o, uint64_t share, bool alone)
{
	const struct trace_block *b = &w->moment->blocks[block];
	const struct live_object *live;
	struct pin_row *row = row_of_object(w, o, &live);

	if (!row)
		return;
	row->caches |= row->objects && row->cache != b->cache;
	row->cache = b->cache;
	row->objects++;
	row->bytes += o->size;
	row->pinned += share;
	if (row->last_block != block + 1) {
		row->last_block = block + 1;
		row->slabs++;
		row->slab_bytes += b->bytes;
		row->alone_slabs += alone;
		row->alone_bytes += alone ? b->bytes : 0;
	}
	row->alone_objects += alone;
	if (!live || (live->flags & LIVE_BEFORE))
		row->unknown_age++;
	else if (!histogram_add(&row->age, w->an->aggregate.last_ns - live->time_ns))
		w->no_memory = true;
}

/* ---- slabs ----------------------------------------------------------------------------- */

static bool is_before(const struct trace_object *o, uint32_t pid, uint64_t ptr)
{
	return o->pid != pid ? o->pid < pid : o->ptr < ptr;
}

static uint64_t used_bytes(const struct walk *w, const struct trace_block *b)
{
	const struct trace_cache *cache = trace_cache(w->an->trace, b->cache);

	return cache->kind == TRACE_CACHE_SLAB && b->objects ? (uint64_t)b->live * cache->size : b->bytes;
}

static bool is_sparse(const struct walk *w, uint64_t used, uint64_t bytes)
{
	return used && used * 100 < bytes * w->pin->below;
}

static bool is_of_one_site(struct walk *w, const struct trace_object *o, size_t nr)
{
	const struct live_object *live;
	const struct pin_row *first = nr ? row_of_object(w, o, &live) : NULL;
	uint32_t site = first ? first->site : 0;

	for (size_t i = 1; i < nr && !w->no_memory; i++) {
		const struct pin_row *row = row_of_object(w, &o[i], &live);

		if (row && row->site != site)
			return false;
	}
	return nr;
}

static void add_slab(struct walk *w, size_t block, const struct trace_object *o, size_t nr)
{
	const struct trace_block *b = &w->moment->blocks[block];
	uint64_t used = used_bytes(w, b), unused = b->bytes > used ? b->bytes - used : 0;
	bool alone;

	w->pin->slabs++;
	w->pin->slab_bytes += b->bytes;
	if (!is_sparse(w, used, b->bytes) || !nr)
		return;
	w->pin->sparse_slabs++;
	w->pin->sparse_bytes += b->bytes;
	w->pin->pinned += unused;
	alone = is_of_one_site(w, o, nr);
	for (size_t i = 0; i < nr && !w->no_memory; i++)
		add_object(w, block, &o[i], unused * (i + 1) / nr - unused * i / nr, alone);
}

static void walk_slabs(struct walk *w)
{
	const struct trace_snapshot *m = w->moment;
	size_t at = 0;

	for (size_t i = 0; i < m->nr_blocks && !w->no_memory; i++) {
		const struct trace_block *b = &m->blocks[i];
		size_t first;

		while (at < m->nr_objects && is_before(&m->objects[at], b->pid, b->ptr))
			at++;
		first = at;
		while (at < m->nr_objects && is_before(&m->objects[at], b->pid, b->ptr + b->bytes))
			at++;
		if (trace_cache(w->an->trace, b->cache)->kind == TRACE_CACHE_SLAB)
			add_slab(w, i, &m->objects[first], at - first);
	}
}

/* ---- pageblocks ------------------------------------------------------------------------ */

/* Count a sparse pageblock for the sites of its objects. */
static void add_pageblock(struct walk *w, size_t number, uint32_t pid, uint64_t start, size_t *at)
{
	const struct trace_snapshot *m = w->moment;

	while (*at < m->nr_objects && is_before(&m->objects[*at], pid, start))
		++*at;
	for (; *at < m->nr_objects && is_before(&m->objects[*at], pid, start + (UINT64_C(1) << PAGEBLOCK_SHIFT)); ++*at) {
		const struct live_object *live;
		struct pin_row *row = row_of_object(w, &m->objects[*at], &live);

		if (row && row->last_pageblock != number) {
			row->last_pageblock = number;
			row->pageblocks++;
		}
	}
}

static void walk_pageblocks(struct walk *w)
{
	const struct trace_snapshot *m = w->moment;
	size_t object = 0;

	for (size_t i = 0; i < m->nr_blocks && !w->no_memory; ) {
		uint64_t number = m->blocks[i].ptr >> PAGEBLOCK_SHIFT, used = 0, size = UINT64_C(1) << PAGEBLOCK_SHIFT;
		uint32_t pid = m->blocks[i].pid;

		/* What is larger than a pageblock begins one and fills it. */
		for (; i < m->nr_blocks && m->blocks[i].pid == pid && m->blocks[i].ptr >> PAGEBLOCK_SHIFT == number; i++)
			used += m->blocks[i].bytes;
		w->pin->pageblocks++;
		if (!is_sparse(w, used, size))
			continue;
		w->pin->sparse_pageblocks++;
		add_pageblock(w, w->pin->pageblocks, pid, number << PAGEBLOCK_SHIFT, &object);
	}
}

/* ---- all of it ------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	const struct pin_row *left = a, *right = b;

	if (left->pinned != right->pinned)
		return left->pinned < right->pinned ? 1 : -1;
	return left->site < right->site ? -1 : left->site > right->site;
}

bool pin_make(struct pin *pin, struct analysis *an, const struct trace_snapshot *moment, unsigned int below)
{
	struct walk w = { .pin = pin, .an = an, .moment = moment };

	memset(pin, 0, sizeof(*pin));
	pin->below = below;
	walk_slabs(&w);
	walk_pageblocks(&w);
	free(w.row_of);
	if (pin->nr)
		qsort(pin->row, pin->nr, sizeof(*pin->row), compare);
	return !w.no_memory;
}

void pin_free(struct pin *pin)
{
	for (size_t i = 0; i < pin->nr; i++)
		histogram_free(&pin->row[i].age);
	free(pin->row);
	memset(pin, 0, sizeof(*pin));
}
