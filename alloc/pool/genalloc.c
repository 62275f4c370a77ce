/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * genalloc.c - pools of addresses; see kmem/genalloc.h.
 *
 * Chunks are only ever added, in front, so readers walk the list without a lock;
 * the bits of a chunk change by compare-and-exchange (bits.c). A thread that
 * finds some of the bits it chose taken by another puts back what it got, and
 * chooses again.
 */
#include <kmem/genalloc.h>

#include <errno.h>
#include <limits.h>

#include <kmem/slab.h>

#include "base/os.h"
#include "base/report.h"
#include "base/trace.h"
#include "pool/bits.h"
#include "pool/table.h"
#include "slab/kmalloc.h"

#define SAME_PLACE(a, b) \
	(offsetof(struct gen_pool_chunk, a) == offsetof(struct kmem_genpool_chunk, b))
_Static_assert(SAME_PLACE(next_chunk, next) && SAME_PLACE(avail, avail) && SAME_PLACE(phys_addr, phys_addr) &&
	       SAME_PLACE(owner, owner) && SAME_PLACE(end_addr, end_addr) && SAME_PLACE(frees, frees) &&
	       SAME_PLACE(bits, bits), "readers outside know a chunk by the other name");

static struct gen_pool_chunk *first_chunk(struct gen_pool *pool)
{
	return __atomic_load_n(&pool->chunks, __ATOMIC_ACQUIRE);
}

static struct gen_pool_chunk *chunk_of(struct gen_pool *pool, unsigned long addr)
{
	struct gen_pool_chunk *chunk;

	for (chunk = first_chunk(pool); chunk; chunk = chunk->next_chunk)
		if (addr >= chunk->start_addr && addr <= chunk->end_addr)
			return chunk;
	return NULL;
}

static size_t chunk_size(const struct gen_pool_chunk *chunk)
{
	return chunk->end_addr - chunk->start_addr + 1;
}

static unsigned long granules(const struct gen_pool *pool, size_t size)
{
	size_t rest = size & ((1UL << pool->min_alloc_order) - 1);

	return (size >> pool->min_alloc_order) + (rest != 0);
}

/* ---- creation ---- */

KMEM_API struct gen_pool *gen_pool_create(int min_alloc_order, int nid)
{
	const void *call_site = __builtin_return_address(0);
	struct kmem_genpool *g;
	struct gen_pool *pool;

	if (min_alloc_order < 0 || min_alloc_order >= (int)BITS_PER_WORD) {
		report("gen_pool_create(%d): the order of the granule must be 0-63", min_alloc_order);
		return NULL;
	}
	g = table_take_genpool();
	pool = g ? kmalloc_at(sizeof(*pool), GFP_KERNEL | __GFP_ZERO, nid, call_site) : NULL;
	if (!pool) {
		if (g)
			table_put_genpool(g);
		return NULL;
	}
	pool->live = g;
	pool->min_alloc_order = min_alloc_order;
	pool->algo = gen_pool_first_fit;
	pool->name = g->name;
	g->min_alloc_order = (uint32_t)min_alloc_order;
	g->pool = (uintptr_t)pool;
	g->created_ns = os_now_ns();
	g->call_site = (uintptr_t)call_site;
	report_format(g->name, sizeof(g->name), "genpool-%u", (unsigned int)(g - table_genpool(0)));
	__atomic_store_n(&g->state, KMEM_POOL_LIVE, __ATOMIC_RELEASE);
	return pool;
}

static const char *refuse_range(unsigned long virt, size_t size)
{
	if (!size)
		return "it is empty";
	if (!virt)
		return "address 0 means failure";
	return virt + (size - 1) < virt ? "it wraps around" : NULL;
}

KMEM_API int gen_pool_add_owner(struct gen_pool *pool, unsigned long virt, phys_addr_t phys, size_t size, int nid,
				void *owner)
{
	const char *why = refuse_range(virt, size);
	size_t nr_bits = size >> pool->min_alloc_order, words = nr_bits / BITS_PER_WORD + 1;
	struct kmem_genpool *g = pool->live;
	struct gen_pool_chunk *chunk;

	if (why) {
		report("gen_pool_add(%s, %p, %zu): %s", pool->name, (void *)virt, size, why);
		return -EINVAL;
	}
	chunk = kvmalloc_node(sizeof(*chunk) + words * sizeof(unsigned long), GFP_KERNEL | __GFP_ZERO, nid);
	if (!chunk)
		return -ENOMEM;
	chunk->phys_addr = phys;
	chunk->owner = owner;
	chunk->start_addr = virt;
	chunk->end_addr = virt + size - 1;
	chunk->avail = (long)size;
	chunk->nr_bits = nr_bits;
	lock_acquire(&g->lock, LOCK_POOL);
	chunk->next_chunk = pool->chunks;
	__atomic_store_n(&pool->chunks, chunk, __ATOMIC_RELEASE);
	__atomic_store_n(&g->chunks, (uintptr_t)chunk, __ATOMIC_RELEASE);
	WRITE_ONCE(g->nr_chunks, g->nr_chunks + 1);
	WRITE_ONCE(g->size, g->size + size);
	lock_release(&g->lock, LOCK_POOL);
	return 0;
}

KMEM_API void gen_pool_set_algo(struct gen_pool *pool, genpool_algo_t algo, void *data)
{
	lock_acquire(&pool->live->lock, LOCK_POOL);
	WRITE_ONCE(pool->algo, algo ? algo : gen_pool_first_fit);
	WRITE_ONCE(pool->data, data);
	lock_release(&pool->live->lock, LOCK_POOL);
}

KMEM_API void gen_pool_set_misuse(struct gen_pool *pool, enum gen_pool_misuse misuse)
{
	WRITE_ONCE(pool->live->misuse, (uint16_t)misuse);
}

KMEM_API void gen_pool_set_name(struct gen_pool *pool, const char *name)
{
	lock_acquire(&pool->live->lock, LOCK_POOL);
	report_format(pool->live->name, sizeof(pool->live->name), "%s", name);
	lock_release(&pool->live->lock, LOCK_POOL);
}

/* ---- destruction ---- */

static size_t taken_bytes(struct gen_pool *pool)
{
	struct gen_pool_chunk *chunk;
	size_t taken = 0;

	for (chunk = first_chunk(pool); chunk; chunk = chunk->next_chunk)
		taken += chunk_size(chunk) - (size_t)READ_ONCE(chunk->avail);
	return taken;
}

/* After the report of a misuse. g: NULL when there is no telling whose. */
static void end_misuse(const struct kmem_genpool *g)
{
	uint16_t misuse = g ? READ_ONCE(g->misuse) : GEN_POOL_POLICY;

	if (misuse == GEN_POOL_ABORT)
		os_abort();
	if (misuse == GEN_POOL_POLICY)
		report_misuse_end(true);
}

KMEM_API size_t gen_pool_destroy(struct gen_pool *pool)
{
	struct gen_pool_chunk *chunk, *next;
	struct kmem_genpool *g;
	size_t taken;

	if (!pool)
		return 0;
	g = pool->live;
	if (!table_has_genpool(g) || g->state != KMEM_POOL_LIVE || g->pool != (uintptr_t)pool) {
		report("BUG: gen_pool_destroy(%p): not a live genpool", (void *)pool);
		end_misuse(NULL);
		return 0;
	}
	taken = taken_bytes(pool);
	if (taken) {
		report("BUG genpool %s: destroyed with %zu bytes handed out; the pool is kept", pool->name, taken);
		end_misuse(g);
		WRITE_ONCE(g->state, KMEM_POOL_DEAD);
		return taken;
	}
	/* No reader outside may follow the list from here on. */
	WRITE_ONCE(g->chunks, 0);
	for (chunk = pool->chunks; chunk; chunk = next) {
		next = chunk->next_chunk;
		kvfree(chunk);
	}
	table_put_genpool(g);
	pool->live = NULL;
	kfree(pool);
	return 0;
}

/* ---- allocation ---- */

/* nr granules of one chunk. Return: index of the first, nr_bits when there is no room. */
static unsigned long take_granules(struct gen_pool *pool, struct gen_pool_chunk *chunk, unsigned int nr,
				   genpool_algo_t algo, void *data)
{
	unsigned long at = 0;

	for (;;) {
		unsigned long got;

		at = algo(chunk->bits, chunk->nr_bits, at, nr, data, pool, chunk->start_addr);
		if (at >= chunk->nr_bits)
			return chunk->nr_bits;
		got = bits_set(chunk->bits, at, nr);
		if (got == nr)
			return at;
		BUG_ON(bits_clear(chunk->bits, at, got) != got);
	}
}

static unsigned long take(struct gen_pool *pool, size_t size, genpool_algo_t algo, void *data, void **owner)
{
	unsigned long nr = granules(pool, size), at;
	struct gen_pool_chunk *chunk;

	if (!nr || nr > UINT_MAX || size > LONG_MAX)
		return 0;
	for (chunk = first_chunk(pool); chunk; chunk = chunk->next_chunk) {
		if ((long)size > READ_ONCE(chunk->avail))
			continue;
		at = take_granules(pool, chunk, (unsigned int)nr, algo, data);
		if (at == chunk->nr_bits)
			continue;
		__atomic_fetch_sub(&chunk->avail, (long)(nr << pool->min_alloc_order), __ATOMIC_RELAXED);
		__atomic_fetch_add(&chunk->allocs, 1, __ATOMIC_RELAXED);
		if (owner)
			*owner = chunk->owner;
		return chunk->start_addr + (at << pool->min_alloc_order);
	}
	__atomic_fetch_add(&pool->live->failures, 1, __ATOMIC_RELAXED);
	return 0;
}

static unsigned long alloc_from(struct gen_pool *pool, size_t size, genpool_algo_t algo, void *data, void **owner,
				const void *call_site)
{
	unsigned long addr;

	if (owner)
		*owner = NULL;
	addr = take(pool, size, algo, data, owner);
	if (trace_on(TRACE_GENPOOL_ALLOC))
		trace_genpool_alloc(call_site, addr, pool, pool->name, size);
	return addr;
}

#define CALL_SITE __builtin_return_address(0)
#define POOL_ALGO READ_ONCE(pool->algo), READ_ONCE(pool->data)

KMEM_API unsigned long gen_pool_alloc_algo_owner(struct gen_pool *pool, size_t size, genpool_algo_t algo, void *data,
						 void **owner)
{
	return alloc_from(pool, size, algo, data, owner, CALL_SITE);
}

KMEM_API unsigned long gen_pool_alloc(struct gen_pool *pool, size_t size)
{
	return alloc_from(pool, size, POOL_ALGO, NULL, CALL_SITE);
}

KMEM_API unsigned long gen_pool_alloc_owner(struct gen_pool *pool, size_t size, void **owner)
{
	return alloc_from(pool, size, POOL_ALGO, owner, CALL_SITE);
}

KMEM_API unsigned long gen_pool_alloc_algo(struct gen_pool *pool, size_t size, genpool_algo_t algo, void *data)
{
	return alloc_from(pool, size, algo, data, NULL, CALL_SITE);
}

/* As memory: with its other address, and perhaps cleared. */
static void *dma_from(struct gen_pool *pool, size_t size, dma_addr_t *dma, genpool_algo_t algo, void *data, bool clear,
		      const void *call_site)
{
	unsigned long addr = alloc_from(pool, size, algo, data, NULL, call_site);

	if (!addr)
		return NULL;
	if (dma)
		*dma = gen_pool_virt_to_phys(pool, addr);
	if (clear)
		memset((void *)addr, 0, size);
	return (void *)addr;
}

KMEM_API void *gen_pool_dma_alloc(struct gen_pool *pool, size_t size, dma_addr_t *dma)
{
	return pool ? dma_from(pool, size, dma, POOL_ALGO, false, CALL_SITE) : NULL;
}

KMEM_API void *gen_pool_dma_alloc_algo(struct gen_pool *pool, size_t size, dma_addr_t *dma, genpool_algo_t algo,
				       void *data)
{
	return pool ? dma_from(pool, size, dma, algo, data, false, CALL_SITE) : NULL;
}

KMEM_API void *gen_pool_dma_alloc_align(struct gen_pool *pool, size_t size, dma_addr_t *dma, int align)
{
	struct genpool_data_align data = { align };

	return pool ? dma_from(pool, size, dma, gen_pool_first_fit_align, &data, false, CALL_SITE) : NULL;
}

KMEM_API void *gen_pool_dma_zalloc(struct gen_pool *pool, size_t size, dma_addr_t *dma)
{
	return pool ? dma_from(pool, size, dma, POOL_ALGO, true, CALL_SITE) : NULL;
}

KMEM_API void *gen_pool_dma_zalloc_algo(struct gen_pool *pool, size_t size, dma_addr_t *dma, genpool_algo_t algo,
					void *data)
{
	return pool ? dma_from(pool, size, dma, algo, data, true, CALL_SITE) : NULL;
}

KMEM_API void *gen_pool_dma_zalloc_align(struct gen_pool *pool, size_t size, dma_addr_t *dma, int align)
{
	struct genpool_data_align data = { align };

	return pool ? dma_from(pool, size, dma, gen_pool_first_fit_align, &data, true, CALL_SITE) : NULL;
}

/* ---- free ---- */

/* Why a range cannot be freed; NULL when it can. */
static const char *refuse_free(const struct gen_pool *pool, const struct gen_pool_chunk *chunk, unsigned long addr,
			       size_t size)
{
	unsigned long at, nr = granules(pool, size);

	if (!chunk)
		return "it lies in no chunk";
	if (size - 1 > chunk->end_addr - addr)
		return "it goes beyond the end of its chunk";
	at = (addr - chunk->start_addr) >> pool->min_alloc_order;
	if ((addr - chunk->start_addr) & ((1UL << pool->min_alloc_order) - 1))
		return "it does not start at a granule";
	if (at + nr > chunk->nr_bits || bits_next_clear(chunk->bits, at + nr, at) < at + nr)
		return "some of it is not allocated";
	return NULL;
}

/* Return: why not, NULL when freed. size > 0. */
static const char *give_back(struct gen_pool *pool, struct gen_pool_chunk *chunk, unsigned long addr, size_t size)
{
	const char *why = refuse_free(pool, chunk, addr, size);
	unsigned long nr = granules(pool, size), at, done;

	if (why)
		return why;
	at = (addr - chunk->start_addr) >> pool->min_alloc_order;
	done = bits_clear(chunk->bits, at, nr);
	if (done < nr) {
		/* Another thread frees some of the same bits right now. */
		bits_set(chunk->bits, at, done);
		return "some of it is not allocated";
	}
	__atomic_fetch_add(&chunk->avail, (long)(nr << pool->min_alloc_order), __ATOMIC_RELAXED);
	__atomic_fetch_add(&chunk->frees, 1, __ATOMIC_RELAXED);
	return NULL;
}

static const char *free_from(struct gen_pool *pool, unsigned long addr, size_t size, void **owner,
			     const void *call_site)
{
	struct gen_pool_chunk *chunk = chunk_of(pool, addr);

	if (owner)
		*owner = chunk ? chunk->owner : NULL;
	/* Before the address can be another thread's. */
	if (trace_on(TRACE_GENPOOL_FREE))
		trace_genpool_free(call_site, addr, pool, pool->name, size);
	return size || !chunk ? give_back(pool, chunk, addr, size) : NULL;
}

static void complain(const struct gen_pool *pool, unsigned long addr, size_t size, const char *why)
{
	report("BUG genpool %s: gen_pool_free(%p, %zu): %s; it was left alone", pool->name, (void *)addr, size, why);
	end_misuse(pool->live);
}

KMEM_API void gen_pool_free_owner(struct gen_pool *pool, unsigned long addr, size_t size, void **owner)
{
	const char *why = free_from(pool, addr, size, owner, CALL_SITE);

	if (why)
		complain(pool, addr, size, why);
}

KMEM_API void gen_pool_free(struct gen_pool *pool, unsigned long addr, size_t size)
{
	const char *why = free_from(pool, addr, size, NULL, CALL_SITE);

	if (why)
		complain(pool, addr, size, why);
}

KMEM_API int gen_pool_try_free(struct gen_pool *pool, unsigned long addr, size_t size)
{
	return free_from(pool, addr, size, NULL, CALL_SITE) ? -EINVAL : 0;
}

/* ---- questions ---- */

KMEM_API phys_addr_t gen_pool_virt_to_phys(struct gen_pool *pool, unsigned long addr)
{
	const struct gen_pool_chunk *chunk = chunk_of(pool, addr);

	if (!chunk || chunk->phys_addr == (phys_addr_t)-1)
		return (phys_addr_t)-1;
	return chunk->phys_addr + (addr - chunk->start_addr);
}

KMEM_API bool gen_pool_has_addr(struct gen_pool *pool, unsigned long start, size_t size)
{
	const struct gen_pool_chunk *chunk = chunk_of(pool, start);

	return chunk && (!size || size - 1 <= chunk->end_addr - start);
}

KMEM_API size_t gen_pool_avail(struct gen_pool *pool)
{
	struct gen_pool_chunk *chunk;
	size_t avail = 0;

	for (chunk = first_chunk(pool); chunk; chunk = chunk->next_chunk)
		avail += (size_t)READ_ONCE(chunk->avail);
	return avail;
}

KMEM_API size_t gen_pool_size(struct gen_pool *pool)
{
	struct gen_pool_chunk *chunk;
	size_t size = 0;

	for (chunk = first_chunk(pool); chunk; chunk = chunk->next_chunk)
		size += chunk_size(chunk);
	return size;
}

KMEM_API void gen_pool_for_each_chunk(struct gen_pool *pool,
	void (*func)(struct gen_pool *pool, struct gen_pool_chunk *chunk, void *data), void *data)
{
	struct gen_pool_chunk *chunk;

	for (chunk = first_chunk(pool); chunk; chunk = chunk->next_chunk)
		func(pool, chunk, data);
}

/* The free runs of a pool, in granules. */
struct runs {
	unsigned long nr, free, largest;
	unsigned long unit, usable; /* of requests of `unit` granules: in what is free */
};

static void count_runs(struct gen_pool *pool, struct runs *runs)
{
	struct gen_pool_chunk *chunk;

	for (chunk = first_chunk(pool); chunk; chunk = chunk->next_chunk) {
		unsigned long at = 0;

		while ((at = bits_next_clear(chunk->bits, chunk->nr_bits, at)) < chunk->nr_bits) {
			unsigned long end = bits_next_set(chunk->bits, chunk->nr_bits, at), len = end - at;

			runs->nr++;
			runs->free += len;
			runs->largest = MAX(runs->largest, len);
			runs->usable += len / runs->unit * runs->unit;
			at = end;
		}
	}
}

static unsigned int per_mille(unsigned long part, unsigned long whole)
{
	return whole ? (unsigned int)((unsigned __int128)part * 1000 / whole) : 0;
}

KMEM_API void gen_pool_stat(struct gen_pool *pool, struct gen_pool_stat *stat)
{
	struct gen_pool_chunk *chunk;
	struct runs runs = { .unit = 1 };

	count_runs(pool, &runs);
	*stat = (struct gen_pool_stat){
		.size = gen_pool_size(pool),
		.avail = gen_pool_avail(pool),
		.largest_free = runs.largest << pool->min_alloc_order,
		.free_runs = runs.nr,
		.failures = READ_ONCE(pool->live->failures),
		.fragmentation = per_mille(runs.free - runs.largest, runs.free),
	};
	for (chunk = first_chunk(pool); chunk; chunk = chunk->next_chunk) {
		stat->chunks++;
		stat->allocs += READ_ONCE(chunk->allocs);
		stat->frees += READ_ONCE(chunk->frees);
	}
}

KMEM_API unsigned int gen_pool_unusable(struct gen_pool *pool, size_t size)
{
	struct runs runs = { .unit = MAX(granules(pool, size), 1ul) };

	count_runs(pool, &runs);
	return per_mille(runs.free - runs.usable, runs.free);
}
