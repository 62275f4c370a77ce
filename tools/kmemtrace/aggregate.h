/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aggregate.h - what a sequence of allocations and frees adds up to: in total,
 * over time, and per group of events with the same stack, cache and process.
 *
 *	struct aggregate a;
 *
 *	aggregate_init(&a, &options);
 *	aggregate_before(&a, &event);          objects older than the recording
 *	aggregate_alloc(&a, &event); aggregate_free(&a, &event);   in order of time
 *	aggregate_end(&a, time_ns);
 *	... a.total, a.group[0 .. a.nr_groups), a.timeline, a.live ...
 *	aggregate_close(&a);
 *
 * Nothing here knows about files or symbols. Times are whatever counts upwards:
 * nanoseconds, or events when a recording has no times.
 *
 * Words: a *temporary* object is freed before the CPU that allocated it allocates
 * again; a *remote* free is one on another CPU than the allocation; *waste* is
 * what an object takes in its cache beyond what was asked for.
 */
#ifndef KMEMTRACE_AGGREGATE_H
#define KMEMTRACE_AGGREGATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtrace/histogram.h"
#include "kmemtrace/live.h"

struct aggregate_event {
	uint64_t time_ns, ptr, size;
	uint32_t stack; /* 0: not known */
	uint32_t cache;
	uint32_t pid;   /* counted under */
	uint32_t space; /* whose addresses: the pid's, or 0 for the kernel's */
	uint16_t cpu;
};

/* What most events change stands together. */
struct stats {
	uint64_t live_objects, live_bytes;        /* at the end */
	uint64_t high_bytes;                      /* most that were ever alive */
	uint64_t allocs, frees;
	uint64_t bytes, freed_bytes;              /* asked for by those allocs, given back by those frees */
	uint64_t waste, live_waste, peak_waste;   /* bytes beyond those asked for: of all allocs; of what is alive, at the peak */
	uint64_t temporary, remote;               /* frees */
	struct histogram lifetime;                /* of the frees whose allocation was seen */
	uint64_t start_objects, start_bytes;      /* alive when the window began */
	uint64_t peak_objects, peak_bytes;        /* alive at the moment of the total's peak */
	struct histogram age;                     /* at the end, of what is alive and was seen allocated */
};

struct group {
	uint32_t stack, cache, pid;
	uint64_t size;      /* asked for: with options.by_size, else 0 */
	uint32_t stride;    /* bytes that an object takes; 0: whole pages */
	bool selected;      /* others are followed, but counted nowhere */
	uint32_t epoch;     /* peak to which at_peak belongs */
	struct stats stats;
	uint64_t at_peak_objects, at_peak_bytes, at_peak_waste;
};

#define TIMELINE_BINS 1024u

struct timeline_bin {
	uint64_t allocs, frees, bytes;
	uint64_t live_objects, live_bytes; /* at its end */
	uint64_t high_bytes;               /* most during it */
};

/* Bins double in width when the recording outgrows them. */
struct timeline {
	uint64_t start_ns, width_ns;
	uint64_t last_ns; /* behind the last bin: earlier ones take no more events */
	size_t nr; /* bins in use: the last one is being filled */
	struct timeline_bin bin[TIMELINE_BINS];
};

/* What cannot be, unless events are missing. */
struct aggregate_errors {
	uint64_t double_allocs;  /* of an address that was alive */
	uint64_t unknown_frees;  /* of an address that was not */
	struct aggregate_event first_double, first_unknown;
};

struct aggregate_options {
	uint64_t start_ns;          /* when the recording began */
	uint64_t from_ns, to_ns;    /* count events in [from, to); to 0: no end */
	bool by_size;
	/* A new group: set its stride and selected. */
	void (*describe)(void *context, struct group *g);
	void *context;
};

struct aggregate {
	struct aggregate_options options;
	struct live live;
	struct group *group;
	size_t nr_groups;
	struct stats total;
	struct histogram sizes;     /* asked for, of the allocs */
	struct timeline timeline;
	struct aggregate_errors errors;
	uint64_t peak_ns;
	uint64_t events;            /* in the window, of selected groups */
	uint64_t replaced;          /* objects of before that an allocation showed to be gone */
	uint64_t last_ns;
	bool no_memory;             /* the results are of no use */

	/* Private. */
	bool counting;
	uint32_t epoch;
	uint32_t *index;            /* hash of groups: number + 1 */
	size_t index_mask, groups_room;
	struct { uint64_t ptr; uint32_t space; } *last; /* allocation, per CPU */
};

/* False: no memory. aggregate_close() in any case. */
bool aggregate_init(struct aggregate *a, const struct aggregate_options *options);
void aggregate_close(struct aggregate *a);

void aggregate_before(struct aggregate *a, const struct aggregate_event *e);
void aggregate_alloc(struct aggregate *a, const struct aggregate_event *e);
void aggregate_free(struct aggregate *a, const struct aggregate_event *e);

/* A process has ended: what it had alive is gone, without having been freed. Return how many objects. */
uint64_t aggregate_forget(struct aggregate *a, uint32_t space, uint64_t time_ns);

/* No more events; the recording went on until time_ns. */
void aggregate_end(struct aggregate *a, uint64_t time_ns);

/* Add what `from` counts to `to`; groups only, not totals. False: no memory. */
bool stats_merge(struct stats *to, const struct stats *from);
void stats_free(struct stats *s);

/* The bytes that an object of `size` takes beyond that. */
uint64_t group_waste(const struct group *g, uint64_t size);

#endif
