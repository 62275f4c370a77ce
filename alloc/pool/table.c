/* SPDX-License-Identifier: BSD-2-Clause */
/* table.c - the tables of pools; see table.h. */
#include "pool/table.h"

#include <errno.h>

#include "base/meta.h"
#include "base/observe.h"

struct kmem_pools pools KMEM_STATE;

/* Unused entries are chained through `pool`: index + 1 of the next, 0 ends. */
static struct {
	lock_t lock;
	struct meta_range mempools, genpools;
	uint64_t free_mempool, free_genpool;
} table KMEM_STATE;

int table_init(void)
{
	int rc = meta_reserve(&table.mempools, "kmem mempools", TABLE_MAX_POOLS * sizeof(struct kmem_mempool));

	if (!rc)
		rc = meta_reserve(&table.genpools, "kmem genpools", TABLE_MAX_POOLS * sizeof(struct kmem_genpool));
	if (rc)
		return rc;
	pools.size = sizeof(pools);
	pools.mempool_bytes = sizeof(struct kmem_mempool);
	pools.genpool_bytes = sizeof(struct kmem_genpool);
	pools.mempools = (uintptr_t)table.mempools.base;
	pools.genpools = (uintptr_t)table.genpools.base;
	observe_root.pools = (uintptr_t)&pools;
	return 0;
}

/* Index of an entry that nobody uses: a freed one, or the next new one. -1: there is none. Locked. */
static int64_t take(struct meta_range *range, const uint64_t *chain, uint32_t nr, size_t bytes)
{
	if (*chain)
		return (int64_t)*chain - 1;
	if (nr == TABLE_MAX_POOLS || meta_ensure(range, (nr + 1) * bytes))
		return -1;
	return nr;
}

struct kmem_mempool *table_take_mempool(void)
{
	struct kmem_mempool *m = NULL;
	int64_t i;

	lock_acquire(&table.lock, LOCK_META);
	i = take(&table.mempools, &table.free_mempool, pools.nr_mempools, sizeof(*m));
	if (i >= 0) {
		m = table_mempool((uint32_t)i);
		if (table.free_mempool)
			table.free_mempool = m->pool;
		memset(m, 0, sizeof(*m));
		if (i == pools.nr_mempools)
			__atomic_store_n(&pools.nr_mempools, (uint32_t)i + 1, __ATOMIC_RELEASE);
	}
	lock_release(&table.lock, LOCK_META);
	return m;
}

void table_put_mempool(struct kmem_mempool *m)
{
	lock_acquire(&table.lock, LOCK_META);
	WRITE_ONCE(m->state, KMEM_POOL_FREE);
	m->pool = table.free_mempool;
	table.free_mempool = (uint64_t)(m - table_mempool(0)) + 1;
	lock_release(&table.lock, LOCK_META);
}

struct kmem_genpool *table_take_genpool(void)
{
	struct kmem_genpool *g = NULL;
	int64_t i;

	lock_acquire(&table.lock, LOCK_META);
	i = take(&table.genpools, &table.free_genpool, pools.nr_genpools, sizeof(*g));
	if (i >= 0) {
		g = table_genpool((uint32_t)i);
		if (table.free_genpool)
			table.free_genpool = g->pool;
		memset(g, 0, sizeof(*g));
		if (i == pools.nr_genpools)
			__atomic_store_n(&pools.nr_genpools, (uint32_t)i + 1, __ATOMIC_RELEASE);
	}
	lock_release(&table.lock, LOCK_META);
	return g;
}

void table_put_genpool(struct kmem_genpool *g)
{
	lock_acquire(&table.lock, LOCK_META);
	WRITE_ONCE(g->state, KMEM_POOL_FREE);
	g->pool = table.free_genpool;
	table.free_genpool = (uint64_t)(g - table_genpool(0)) + 1;
	lock_release(&table.lock, LOCK_META);
}

static bool is_entry(const void *p, const struct meta_range *range, uint32_t nr, size_t bytes)
{
	uintptr_t offset = (uintptr_t)p - (uintptr_t)range->base;

	return offset < nr * bytes && offset % bytes == 0;
}

bool table_has_mempool(const struct kmem_mempool *p)
{
	return is_entry(p, &table.mempools, READ_ONCE(pools.nr_mempools), sizeof(*p));
}

bool table_has_genpool(const struct kmem_genpool *p)
{
	return is_entry(p, &table.genpools, READ_ONCE(pools.nr_genpools), sizeof(*p));
}

void table_lock_for_fork(void)
{
	lock_for_fork(&table.lock, false);
}

void table_unlock_after_fork(bool child)
{
	lock_after_fork(&table.lock, child);
}
