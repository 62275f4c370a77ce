/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * heap.h - a snapshot of one libkmem root: caches, per-CPU slots, barns, zones.
 *
 * The target runs on while it is read. Each cache is read between two looks at
 * its sequence counters; a cache whose counters moved is read again by itself,
 * a bounded number of times, and then marked torn: its numbers are then off by
 * the few operations that were in flight, never nonsense.
 *
 * Needs no privilege beyond that of target_open(). A heap belongs to the
 * thread of its target.
 */
#ifndef COMMON_HEAP_H
#define COMMON_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <kmem/observe.h>

#include "common/target.h"

/*
 * One cache, that is one name. Counts are objects unless the name says otherwise. Of
 * merged caches the slabs, and what is in them, are the root's; aliases have 0 there.
 */
struct heap_cache {
	struct kmem_cache cache;    /* as read */
	uint64_t slabs;
	uint64_t objects;           /* that fit into the slabs */
	uint64_t taken;             /* out of the slabs: active + cached, of all its aliases, too */
	uint64_t active;            /* in the hands of callers: exact when not torn and the target stands still */
	uint64_t cached_slots;      /* free, parked in per-CPU slots (or the shared slot) */
	uint64_t guarded;           /* active, between guard pages: in no slab, but counted in objects */
	uint64_t cached_barn;       /* free, parked in full sheaves of the nodes */
	uint64_t partial_slabs;     /* on the nodes' partial lists */
	uint64_t allocs, frees;     /* served since the cache was made */
	struct kmem_node_stat stat; /* slow path counters, summed over nodes */
	bool torn;                  /* changed at every attempt */
};

struct heap {
	struct target *target;
	uint64_t root_addr;
	struct kmem_observe root;   /* of this snapshot */
	struct heap_cache *caches;  /* those in use, by ascending id */
	size_t nr_caches;
	struct kmem_zone zones[KMEM_MAX_ZONES]; /* root.nr_zones of them */
	uint64_t pcp_pages;         /* parked in per-CPU lists */
	uint32_t zones_torn;        /* bit per zone */
	uint64_t ns;                /* CLOCK_MONOTONIC when the snapshot was taken */
	size_t nr_torn;             /* caches that are torn */

	/* scratch, kept between snapshots */
	size_t caches_room;
	struct heap_scratch *scratch;
};

#define HEAP_FULLNESS 11 /* classes of slabs: class i holds slabs that are i * 10 .. i * 10 + 9 % full; 10 is full */

/* All slabs of one cache, from page descriptors and bitmaps. */
struct heap_slabs {
	uint64_t slabs;
	uint64_t pages;
	uint64_t objects;            /* that fit */
	uint64_t inuse;              /* sum of page.inuse */
	uint64_t taken;              /* bits set in the bitmaps: equals inuse when nothing is in flight */
	uint64_t empty_slabs;        /* not a single object taken */
	uint64_t full_slabs;
	uint64_t fullness[HEAP_FULLNESS];
};

/* Prepare to read the root at root_addr (target_root.addr). Reads nothing; cannot fail. */
void heap_init(struct heap *h, struct target *t, uint64_t root_addr);

/* Release the memory of a heap, not its target. */
void heap_close(struct heap *h);

/*
 * Take a snapshot: replaces the one before. Return 0 or -errno with the line
 * in target->message (-ESRCH gone, -ENOENT the root is no more: exec, -EPROTO
 * damaged tables, -ENOMEM); the snapshot is then empty.
 */
int heap_read(struct heap *h);

/* The cache with this id in the snapshot, or NULL. */
const struct heap_cache *heap_cache_by_id(const struct heap *h, unsigned int id);

/* Objects parked in per-CPU slots and barns. */
static inline uint64_t heap_cached(const struct heap_cache *c)
{
	return c->cached_slots + c->cached_barn;
}

/* Free pages of all zones, those parked in per-CPU lists included. */
uint64_t heap_free_pages(const struct heap *h);

/* Committed pages of all zones and of objects with their own mapping. */
uint64_t heap_present_pages(const struct heap *h);

/*
 * Read the descriptors and bitmaps of all slabs of cache `id` and add them up,
 * in few contiguous reads. heap_read() must have succeeded before. Slabs that
 * come or go meanwhile may be missed. Return 0 or -errno as heap_read().
 */
int heap_read_slabs(struct heap *h, unsigned int id, struct heap_slabs *out);

#endif
