/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * leaks.h - from the objects that marking left white to a list of leaks.
 *
 * A direct leak is what the program lost; indirect leaks are what only a lost
 * object still points to. Of objects that point at each other in a circle, the
 * one with the lowest address is the direct leak (the leader), the others hang
 * off it. Every indirect leak belongs to one leader, whose `held_bytes` say
 * what one free() too few costs.
 *
 * Pure functions on a marked model and the memory it was marked on.
 */
#ifndef KMEMLEAK_LEAKS_H
#define KMEMLEAK_LEAKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemleak/model.h"

struct leak {
	uint64_t number;       /* of the object in the model */
	uint64_t address;      /* in the target */
	uint64_t bytes;
	uint64_t held_objects; /* leader: indirect leaks that hang off it */
	uint64_t held_bytes;
	uint32_t block;
	uint32_t index;        /* of the object in its block */
	uint32_t leader;       /* index in leaks.list; its own for a direct leak */
	bool hidden;           /* left out of the report */
	uint64_t call_site;    /* that allocated it; 0: not known */
	uint64_t age_ns;       /* when the target was stopped; with call_site */
};

/* Leaks of one cache and call site. */
struct leak_group {
	uint16_t cache_id; /* or KMEM_ID_LARGE */
	uint64_t call_site; /* 0: not known */
	uint64_t direct, indirect;
	uint64_t direct_bytes, indirect_bytes;
	uint64_t held_bytes; /* by its direct leaks */
};

struct leaks {
	struct leak *list; /* by address */
	size_t nr;
	struct leak_group *groups; /* most bytes first */
	size_t nr_groups;
	uint64_t bytes;
	uint64_t nr_direct;
};

/*
 * Collect all white objects and tell direct from indirect. `memory` as for
 * marking. Return 0 or -ENOMEM. Call leaks_free() in any case.
 */
int leaks_find(struct leaks *leaks, const struct model *m, const uint8_t *memory);

/* Count what is not hidden by cache and call site: groups, nr_direct, bytes. Return 0 or -ENOMEM. */
int leaks_group(struct leaks *leaks, const struct model *m);

void leaks_free(struct leaks *leaks);

static inline bool leak_is_direct(const struct leaks *leaks, const struct leak *leak)
{
	return &leaks->list[leak->leader] == leak;
}

#endif
