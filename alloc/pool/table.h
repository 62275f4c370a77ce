/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table.h - the tables of mempools, genpools and region pools that readers
 * outside see.
 *
 * A pool's live state is an entry of its table, in the allocator's own memory;
 * struct mempool, struct gen_pool and struct mp_pool, in the program's memory, hold
 * what keeps elements, chunks and nodes reachable for a leak scan, and point to
 * the entry.
 */
#ifndef POOL_TABLE_H
#define POOL_TABLE_H

#include <kmem/observe_pool.h>

#include "base/base.h"
#include "base/lock.h"

#define TABLE_MAX_POOLS    16384u
#define TABLE_MAX_MP_POOLS 262144u /* programs make one for every request that they serve */

extern KMEM_HIDDEN struct kmem_pools pools;

/* Reserve the tables and publish them. Return: 0 or -ENOMEM. */
int table_init(void);

/* A cleared entry, not yet LIVE; NULL when the table is full or memory is out. And back. */
struct kmem_mempool *table_take_mempool(void);
void table_put_mempool(struct kmem_mempool *m);
struct kmem_genpool *table_take_genpool(void);
void table_put_genpool(struct kmem_genpool *g);
struct kmem_mp_pool *table_take_mp_pool(void);
void table_put_mp_pool(struct kmem_mp_pool *m);

/* Entry i of 0 .. pools.nr_mempools - 1. */
static inline struct kmem_mempool *table_mempool(uint32_t i)
{
	return (struct kmem_mempool *)(uintptr_t)pools.mempools + i;
}

static inline struct kmem_genpool *table_genpool(uint32_t i)
{
	return (struct kmem_genpool *)(uintptr_t)pools.genpools + i;
}

static inline struct kmem_mp_pool *table_mp_pool(uint32_t i)
{
	return (struct kmem_mp_pool *)(uintptr_t)pools.mp_pools + i;
}

/* Whether p points to an entry: a pool that was destroyed, or never made, has another pointer there. */
bool table_has_mempool(const struct kmem_mempool *p);
bool table_has_genpool(const struct kmem_genpool *p);
bool table_has_mp_pool(const struct kmem_mp_pool *p);

/* Around fork(): the tables themselves. */
void table_lock_for_fork(void);
void table_unlock_after_fork(bool child);

#endif
