/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pools.h - the pools of a libkmem process: mempools, genpools, region pools and
 * the per-CPU area, as one type.
 *
 * As with rows.h what a kind of pool does not have is unknown and never a zero.
 * Sizes of mempools are elements, of all others bytes.
 */
#ifndef COMMON_POOLS_H
#define COMMON_POOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <kmem/observe_pool.h>

#include "common/rows.h"

enum pool_kind {
	POOL_MEMPOOL,
	POOL_GENPOOL,
	POOL_REGION,
	POOL_PERCPU,
	POOL_NR_KINDS
};

enum pool_field {
	POOL_UNIT,          /* bytes of an element, a granule, a node */
	POOL_SIZE,          /* min_nr; bytes of all chunks; of nodes and blocks; committed for each CPU */
	POOL_CURRENT,       /* elements in reserve; bytes handed out */
	POOL_LOW,           /* mempools: fewest elements that ever were in reserve */
	POOL_PEAK,          /* region pools: most bytes that ever were handed out */
	POOL_ALLOCS,        /* from the reserve; calls */
	POOL_FREES,
	POOL_WAITING,       /* mempools: threads that wait now */
	POOL_WAITS,
	POOL_WAIT_NS,       /* all of them together */
	POOL_LONGEST_NS,
	POOL_FAILURES,
	POOL_FRAGMENTATION, /* genpools: per mille of the free bytes outside the longest free run */
	POOL_NR_FIELDS
};

struct pool {
	const struct row_source *source;
	enum pool_kind kind;
	const char *below;     /* where a mempool's elements come from ("kmalloc"), how a region grows; "" */
	uint32_t known;        /* bits 1 << enum pool_field */
	uint32_t index;        /* position in its source */
	uint64_t address;      /* of the program's struct mempool, gen_pool, mp_pool; CPU 0's area */
	uint64_t value[POOL_NR_FIELDS];
	char name[KMEM_POOL_NAME_BYTES];
};

struct pools {
	struct pool *pool;
	size_t nr, room;
};

struct heap;

/* "mempool", ...; the key of a field in JSON and CSV ("waits"). */
const char *pool_kind_name(enum pool_kind kind);
const char *pool_field_key(enum pool_field field);

static inline bool pool_known(const struct pool *pool, enum pool_field field)
{
	return pool->known & 1u << field;
}

/* Forget the pools, keep the room. Release the memory. */
void pools_clear(struct pools *pools);
void pools_free(struct pools *pools);

/*
 * Append the live pools of a process whose heap has been read. A pool that goes away
 * meanwhile is left out, or lacks what could not be read. Return: 0, or -errno with
 * the line in heap->target->message: -EPROTO the tables are damaged or of another
 * release, -ESRCH the process has ended, -ENOMEM.
 */
int pools_add_heap(struct pools *pools, const struct row_source *source, struct heap *heap);

/*
 * Sort by n name, c size, a current, i allocs, f frees, l longest wait or u
 * fragmentation, of either case; by any other key, and what is equal, by source and
 * kind. Unknown values come last. `reverse` turns it round.
 */
void pools_sort(struct pools *pools, char key, bool reverse);

#endif
