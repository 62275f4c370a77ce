/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * window.h - what the kernel's slab caches did in a stretch of time: the state of every cache at its beginning and its
 * end, slab by slab, and all events in between, in memory.
 *
 * Each cache has a beginning and an end of its own, the moments when its lists were walked; a walk during which
 * events of the cache came is done again, and after some tries marked torn.
 */
#ifndef KMEMTRACE_WINDOW_H
#define KMEMTRACE_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmem_cache_info.h"
#include "kmem_slab_info.h"

/* A cache at one of its two moments. */
struct window_state {
	struct kmem_slabs_moment moment;
	struct kmem_slab_info *slabs; /* on lists; the rest of moment.slabs is full */
	size_t nr_slabs;
	bool torn;
};

struct window_cache {
	struct kmem_cache_info row; /* geometry, limits, name */
	struct window_state begin, end;
};

/* 32 bytes. */
struct window_event {
	uint64_t time_ns;
	uint64_t address;
	uint64_t call_site; /* of allocations */
	uint32_t asked;     /* bytes, of allocations */
	uint16_t cache;     /* index */
	uint8_t cpu;
	bool alloc;
};

struct window {
	struct window_cache *cache;
	size_t nr_caches;
	struct window_event *event;
	size_t nr_events, room;
	uint64_t lost;    /* events that were not recorded: the recorder was too slow */
	uint64_t missed;  /* and those of interrupts that came while another was recorded */
	uint64_t unknown; /* events of caches that came later, or could not be told */
	bool no_memory;
	unsigned int nr_cpus;
	char release[64]; /* of the kernel */
};

/*
 * Record until more() is false; it is called about every millisecond. Return 0, or -errno with a line in err[len];
 * window_close() in any case.
 */
int window_record(struct window *w, bool (*more)(void *context), void *context, char *err, size_t len);
void window_close(struct window *w);

/* The columns that follow from a state. */
void window_columns(const struct window_state *state, struct kmem_cache_info *info);

/* Events of the cache between its two moments. */
static inline bool window_covers(const struct window *w, const struct window_event *e)
{
	const struct window_cache *c = &w->cache[e->cache];

	return e->time_ns > c->begin.moment.end_ns && e->time_ns < c->end.moment.begin_ns;
}

#endif
