/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * observe_pool.h - what the outside may read of mempools, genpools, region pools
 * and per-CPU areas: part two of kmem/observe.h, found through kmem_observe.pools.
 *
 *   struct kmem_pools --- mempools[]  struct kmem_mempool, some of them unused
 *                     --- genpools[]  struct kmem_genpool --- chunks: a list of struct kmem_genpool_chunk
 *                     --- mp_pools[]  struct kmem_mp_pool
 *                     --- percpu areas: copy of CPU n at address + (n << percpu_shift)
 *
 * These, too, are the allocator's own live structures.
 */
#ifndef KMEM_OBSERVE_POOL_H
#define KMEM_OBSERVE_POOL_H

#include <kmem/observe.h>

#define KMEM_POOL_NAME_BYTES 48 /* of a pool's name, with the terminating NUL */

enum kmem_pool_state {
	KMEM_POOL_FREE = 0, /* the entry is unused */
	KMEM_POOL_LIVE,
	KMEM_POOL_DEAD,     /* destroyed with memory still handed out: kept, leaked on purpose */
};

/* Where a mempool's elements come from. */
enum kmem_mempool_kind {
	KMEM_MEMPOOL_CUSTOM = 0, /* functions of the program */
	KMEM_MEMPOOL_SLAB,       /* pool_data: struct kmem_cache */
	KMEM_MEMPOOL_KMALLOC,    /* pool_data: size in bytes */
	KMEM_MEMPOOL_KVMALLOC,
	KMEM_MEMPOOL_PAGES,      /* pool_data: order */
};

/* A mempool. `seq` is odd while the holder of the lock changes it. */
struct kmem_mempool {
	uint32_t lock;
	uint32_t seq;
	uint16_t state;          /* enum kmem_pool_state */
	uint16_t kind;           /* enum kmem_mempool_kind */
	int32_t min_nr;          /* elements that the reserve should hold */
	int32_t curr_nr;         /* that it holds */
	int32_t promised;        /* of those, for waiters that have been woken */
	uint32_t nr_waiting;     /* threads in mempool_alloc() now */
	int32_t low_water;       /* smallest curr_nr ever */
	uint64_t pool;           /* struct mempool; of an unused entry, the next such entry's index */
	uint64_t elements;       /* the reserve: element[0 .. curr_nr), room for `capacity` */
	uint64_t element_bytes;  /* 0 when custom */
	uint64_t poison_bytes;   /* of each element, while it is in the reserve; 0 none */
	uint64_t waiter_head, waiter_tail; /* in the order of their arrival */
	uint64_t reserve_hits;   /* elements taken from the reserve */
	uint64_t refills;        /* elements put back into it */
	uint64_t waits;          /* allocations that had to sleep */
	uint64_t wait_ns;        /* that all of them slept */
	uint64_t longest_wait_ns;
	uint64_t failures;       /* allocations that returned NULL */
	uint64_t resizes;
	uint64_t created_ns;     /* CLOCK_MONOTONIC */
	uint64_t call_site;      /* of its creation */
	uint64_t capacity;
	char name[KMEM_POOL_NAME_BYTES];
	uint32_t resizing;       /* threads in mempool_resize() now */
	uint32_t reserved_word;
	uint64_t reserved[5];
};

/* One piece of memory that a genpool hands out. Addresses are numbers: any address space will do. */
struct kmem_genpool_chunk {
	uint64_t next;           /* struct kmem_genpool_chunk, added before this one; 0 ends the list */
	int64_t avail;           /* free bytes */
	uint64_t phys_addr;      /* of its start, -1 unknown */
	uint64_t owner;
	uint64_t start_addr, end_addr; /* end_addr: of its last byte */
	uint64_t allocs, frees;  /* so far */
	uint64_t nr_bits;        /* granules */
	uint64_t bits[];         /* one per granule, 1 taken */
};

/* A genpool. */
struct kmem_genpool {
	uint32_t lock;           /* creation and set_algo only */
	uint32_t min_alloc_order; /* log2 of the granule in bytes */
	uint16_t state;          /* enum kmem_pool_state */
	uint16_t misuse;         /* enum gen_pool_misuse */
	uint32_t nr_chunks;
	uint64_t pool;           /* struct gen_pool; of an unused entry, the next such entry's index */
	uint64_t chunks;         /* the newest struct kmem_genpool_chunk */
	uint64_t size;           /* bytes in all chunks */
	uint64_t failures;       /* allocations that returned 0 */
	uint64_t created_ns;
	uint64_t call_site;
	char name[KMEM_POOL_NAME_BYTES];
	uint64_t reserved[2];
};

/*
 * A region pool of kmem/mp_pool.h. Its owner writes without a lock: the numbers are
 * whole each, but off by the call that is in flight.
 */
struct kmem_mp_pool {
	uint16_t state;          /* enum kmem_pool_state */
	uint16_t fixed;          /* 1: over memory of the program's, never grows */
	uint32_t nr_nodes;
	uint64_t pool;           /* struct mp_pool; of an unused entry, the next such entry's index */
	uint64_t node_bytes;     /* of each node; of the whole memory when fixed */
	uint64_t allocated;      /* bytes asked for, ever */
	uint64_t released;       /* of those, given back by frees and resets */
	uint64_t peak;           /* most bytes in use until the last free or reset: kmem_mp_pool_peak() */
	uint64_t allocs, frees;  /* pieces; a reset frees all */
	uint64_t failures;       /* allocations that returned NULL */
	uint64_t held;           /* bytes of all nodes and large blocks */
	uint64_t nr_large;       /* blocks of their own, now */
	uint64_t resets;
	uint64_t created_ns;     /* CLOCK_MONOTONIC */
	uint64_t call_site;      /* of its creation */
	char name[KMEM_POOL_NAME_BYTES];
	uint64_t reserved[4];
};

/* Bytes in use now; and the most that ever were. An allocation changes only `allocated` and `allocs`. */
static inline uint64_t kmem_mp_pool_current(const struct kmem_mp_pool *m)
{
	return m->allocated - m->released;
}

static inline uint64_t kmem_mp_pool_peak(const struct kmem_mp_pool *m)
{
	return m->peak > kmem_mp_pool_current(m) ? m->peak : kmem_mp_pool_current(m);
}

struct kmem_pools {
	uint32_t size;           /* sizeof(struct kmem_pools), to be compared by the reader like the next two */
	uint32_t mempool_bytes;
	uint32_t genpool_bytes;
	uint32_t nr_mempools;    /* mempools[0 .. nr_mempools) may be in use */
	uint32_t nr_genpools;
	uint32_t percpu_shift;
	uint64_t mempools;       /* struct kmem_mempool[] */
	uint64_t genpools;       /* struct kmem_genpool[] */
	uint64_t percpu;         /* CPU 0's copies, 0 before the first alloc_percpu() */
	uint64_t percpu_end;     /* of the part of them that is committed */
	uint64_t percpu_used;    /* bytes handed out of it, for each CPU */
	uint64_t percpu_allocs, percpu_frees;
	uint64_t mp_pools;       /* struct kmem_mp_pool[] */
	uint32_t mp_pool_bytes;  /* sizeof(struct kmem_mp_pool), to be compared, too */
	uint32_t nr_mp_pools;    /* mp_pools[0 .. nr_mp_pools) may be in use */
	uint64_t reserved[2];
};

KMEM_ASSERT(sizeof(struct kmem_mempool) == 256, "table stride");
KMEM_ASSERT(sizeof(struct kmem_genpool) == 128, "table stride");
KMEM_ASSERT(sizeof(struct kmem_mp_pool) == 192, "table stride");
KMEM_ASSERT(sizeof(struct kmem_genpool_chunk) == 72, "header of a chunk");

#endif
