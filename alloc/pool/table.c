/* SPDX-License-Identifier: BSD-2-Clause */
/* table.c - the tables of pools; see table.h. */
#include "pool/table.h"

#include <errno.h>

#include "base/meta.h"
#include "base/observe.h"

struct kmem_pools pools KMEM_STATE;

enum kind { MEMPOOLS, GENPOOLS, MP_POOLS, NR_KINDS };

static const struct {
	const char *name;
	size_t bytes, chain, state; /* of an entry, and where those members are in it */
	uint32_t max;
	uint32_t *nr;
} kinds[NR_KINDS] = {
#define KIND(text, type, most, count) \
	{ text, sizeof(struct type), offsetof(struct type, pool), offsetof(struct type, state), most, &pools.count }
	[MEMPOOLS] = KIND("kmem mempools", kmem_mempool, TABLE_MAX_POOLS, nr_mempools),
	[GENPOOLS] = KIND("kmem genpools", kmem_genpool, TABLE_MAX_POOLS, nr_genpools),
	[MP_POOLS] = KIND("kmem mp_pools", kmem_mp_pool, TABLE_MAX_MP_POOLS, nr_mp_pools),
};

/* Unused entries are chained through `pool`: index + 1 of the next, 0 ends. */
static struct {
	lock_t lock;
	struct meta_range range[NR_KINDS];
	uint64_t unused[NR_KINDS];
} table KMEM_STATE;

int table_init(void)
{
	unsigned int kind;

	for (kind = 0; kind < NR_KINDS; kind++) {
		int rc = meta_reserve(&table.range[kind], kinds[kind].name, kinds[kind].max * kinds[kind].bytes);

		if (rc)
			return rc;
	}
	pools.size = sizeof(pools);
	pools.mempool_bytes = sizeof(struct kmem_mempool);
	pools.genpool_bytes = sizeof(struct kmem_genpool);
	pools.mp_pool_bytes = sizeof(struct kmem_mp_pool);
	pools.mempools = (uintptr_t)table.range[MEMPOOLS].base;
	pools.genpools = (uintptr_t)table.range[GENPOOLS].base;
	pools.mp_pools = (uintptr_t)table.range[MP_POOLS].base;
	observe_root.pools = (uintptr_t)&pools;
	return 0;
}

static uint8_t *entry(enum kind kind, uint64_t i)
{
	return table.range[kind].base + i * kinds[kind].bytes;
}

static uint64_t *chain(enum kind kind, void *e)
{
	return (uint64_t *)(void *)((uint8_t *)e + kinds[kind].chain);
}

/* An entry that nobody uses: a freed one, or the next new one. NULL: there is none. Locked. */
static void *take_locked(enum kind kind)
{
	uint32_t nr = *kinds[kind].nr;
	void *e;

	if (table.unused[kind]) {
		e = entry(kind, table.unused[kind] - 1);
		table.unused[kind] = *chain(kind, e);
		memset(e, 0, kinds[kind].bytes);
		return e;
	}
	if (nr == kinds[kind].max || meta_ensure(&table.range[kind], (nr + 1) * kinds[kind].bytes))
		return NULL;
	__atomic_store_n(kinds[kind].nr, nr + 1, __ATOMIC_RELEASE);
	return entry(kind, nr);
}

static void *take(enum kind kind)
{
	void *e;

	lock_acquire(&table.lock, LOCK_META);
	e = take_locked(kind);
	lock_release(&table.lock, LOCK_META);
	return e;
}

static void put(enum kind kind, void *e)
{
	uint16_t *state = (uint16_t *)(void *)((uint8_t *)e + kinds[kind].state);

	lock_acquire(&table.lock, LOCK_META);
	WRITE_ONCE(*state, KMEM_POOL_FREE);
	*chain(kind, e) = table.unused[kind];
	table.unused[kind] = (uint64_t)((uint8_t *)e - table.range[kind].base) / kinds[kind].bytes + 1;
	lock_release(&table.lock, LOCK_META);
}

static bool has(enum kind kind, const void *p)
{
	uintptr_t offset = (uintptr_t)p - (uintptr_t)table.range[kind].base;

	return offset < READ_ONCE(*kinds[kind].nr) * kinds[kind].bytes && offset % kinds[kind].bytes == 0;
}

struct kmem_mempool *table_take_mempool(void)
{
	return take(MEMPOOLS);
}

void table_put_mempool(struct kmem_mempool *m)
{
	put(MEMPOOLS, m);
}

bool table_has_mempool(const struct kmem_mempool *p)
{
	return has(MEMPOOLS, p);
}

struct kmem_genpool *table_take_genpool(void)
{
	return take(GENPOOLS);
}

void table_put_genpool(struct kmem_genpool *g)
{
	put(GENPOOLS, g);
}

bool table_has_genpool(const struct kmem_genpool *p)
{
	return has(GENPOOLS, p);
}

struct kmem_mp_pool *table_take_mp_pool(void)
{
	return take(MP_POOLS);
}

void table_put_mp_pool(struct kmem_mp_pool *m)
{
	put(MP_POOLS, m);
}

bool table_has_mp_pool(const struct kmem_mp_pool *p)
{
	return has(MP_POOLS, p);
}

void table_lock_for_fork(void)
{
	lock_for_fork(&table.lock, false);
}

void table_unlock_after_fork(bool child)
{
	lock_after_fork(&table.lock, child);
}
