/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * genalloc.h - an allocator of addresses: it deals out pieces of any range that
 * it is given, and never touches the memory (include/linux/genalloc.h of Linux
 * 6.12). For shared memory, device memory, huge pages, offsets in a file.
 *
 * A pool is a list of chunks, each with one bit per granule. Allocation and free
 * change the bits with compare-and-exchange and take no lock: they are thread
 * safe, and safe in signal handlers. Chunks are searched newest first. The size
 * of a piece is not stored: who frees it must know it.
 *
 * Address 0 means failure, so it cannot be handed out: do not add it.
 */
#ifndef KMEM_GENALLOC_H
#define KMEM_GENALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <kmem/attr.h>

KMEM_BEGIN

typedef uint64_t phys_addr_t;
typedef uint64_t dma_addr_t;

struct gen_pool;
struct kmem_genpool;

/*
 * An algorithm: where in map (size bits, 1 taken) nr free bits lie, not before
 * bit `start`. data: as given with the algorithm; start_addr: of the chunk.
 * Return: index of the first; size or more when there is no room.
 */
typedef unsigned long (*genpool_algo_t)(unsigned long *map, unsigned long size, unsigned long start, unsigned int nr,
					void *data, struct gen_pool *pool, unsigned long start_addr);

/* One range. The layout is that of struct kmem_genpool_chunk (kmem/observe_pool.h). Read only. */
struct gen_pool_chunk {
	struct gen_pool_chunk *next_chunk; /* added before this one */
	long avail;                        /* free bytes */
	phys_addr_t phys_addr;             /* of start_addr; -1: unknown */
	void *owner;
	unsigned long start_addr;
	unsigned long end_addr;            /* of the last byte */
	uint64_t allocs, frees;
	uint64_t nr_bits;
	unsigned long bits[];
};

/* A pool. Read only. */
struct gen_pool {
	struct kmem_genpool *live; /* kmem/observe_pool.h */
	struct gen_pool_chunk *chunks;
	int min_alloc_order;       /* log2 of the granule in bytes */
	genpool_algo_t algo;
	void *data;                /* for algo */
	const char *name;
};

/* Data of gen_pool_first_fit_align(), in bytes, a power of two; and of gen_pool_fixed_alloc(), in bytes from the chunk's start. */
struct genpool_data_align {
	int align;
};
struct genpool_data_fixed {
	unsigned long offset;
};

/*
 * Make a pool with granules of 2^min_alloc_order bytes; nid: node for its own
 * memory, -1 any. Context: may block. Return: NULL when memory is out, and, with
 * one line on stderr, when the order is not 0-63.
 */
KMEM_API struct gen_pool *gen_pool_create(int min_alloc_order, int nid) KMEM_CHECK;

/*
 * Add the range of `size` bytes at `virt`; `phys` is what gen_pool_virt_to_phys()
 * gives for it, -1 unknown; `owner` is yours. What lies beyond the last whole
 * granule is never used. Context: may block. Return: 0; -ENOMEM; -EINVAL, with one
 * line on stderr, for a range that is empty, begins at 0 or wraps around.
 */
KMEM_API int gen_pool_add_owner(struct gen_pool *pool, unsigned long virt, phys_addr_t phys, size_t size, int nid,
				void *owner) KMEM_CHECK;

static inline int gen_pool_add_virt(struct gen_pool *pool, unsigned long virt, phys_addr_t phys, size_t size, int nid)
{
	return gen_pool_add_owner(pool, virt, phys, size, nid, NULL);
}

static inline int gen_pool_add(struct gen_pool *pool, unsigned long addr, size_t size, int nid)
{
	return gen_pool_add_virt(pool, addr, (phys_addr_t)-1, size, nid);
}

/*
 * Free the pool's own memory; the ranges were never the pool's. Memory that is
 * still handed out is misuse (below). NULL is ignored. Return: bytes handed out;
 * when not 0, the pool is kept.
 */
KMEM_API size_t gen_pool_destroy(struct gen_pool *pool);

/*
 * Take `size` bytes, rounded up to granules, with the pool's algorithm, or with
 * `algo` and `data`. *owner (may be NULL) is set to the chunk's.
 * Return: address; 0 for size 0 and when no chunk has room.
 */
KMEM_API unsigned long gen_pool_alloc_algo_owner(struct gen_pool *pool, size_t size, genpool_algo_t algo, void *data,
						 void **owner) KMEM_CHECK;
KMEM_API unsigned long gen_pool_alloc(struct gen_pool *pool, size_t size) KMEM_CHECK;
KMEM_API unsigned long gen_pool_alloc_owner(struct gen_pool *pool, size_t size, void **owner) KMEM_CHECK;
KMEM_API unsigned long gen_pool_alloc_algo(struct gen_pool *pool, size_t size, genpool_algo_t algo,
					   void *data) KMEM_CHECK;

/*
 * As above, as a pointer, with *dma (may be NULL) set to gen_pool_virt_to_phys()
 * of it; the z variants clear the memory. A NULL pool gives NULL.
 */
KMEM_API void *gen_pool_dma_alloc(struct gen_pool *pool, size_t size, dma_addr_t *dma) KMEM_CHECK;
KMEM_API void *gen_pool_dma_alloc_algo(struct gen_pool *pool, size_t size, dma_addr_t *dma, genpool_algo_t algo,
				       void *data) KMEM_CHECK;
KMEM_API void *gen_pool_dma_alloc_align(struct gen_pool *pool, size_t size, dma_addr_t *dma, int align) KMEM_CHECK;
KMEM_API void *gen_pool_dma_zalloc(struct gen_pool *pool, size_t size, dma_addr_t *dma) KMEM_CHECK;
KMEM_API void *gen_pool_dma_zalloc_algo(struct gen_pool *pool, size_t size, dma_addr_t *dma, genpool_algo_t algo,
					void *data) KMEM_CHECK;
KMEM_API void *gen_pool_dma_zalloc_align(struct gen_pool *pool, size_t size, dma_addr_t *dma, int align) KMEM_CHECK;

/*
 * Give back `size` bytes at addr, as allocated. What was not handed out, or lies
 * in no chunk, or beyond its end, is misuse (below).
 */
KMEM_API void gen_pool_free_owner(struct gen_pool *pool, unsigned long addr, size_t size, void **owner);
KMEM_API void gen_pool_free(struct gen_pool *pool, unsigned long addr, size_t size);

/* As gen_pool_free(), without a message: 0, or -EINVAL and nothing changed. */
KMEM_API int gen_pool_try_free(struct gen_pool *pool, unsigned long addr, size_t size) KMEM_CHECK;

/* What follows the message about a misuse of the pool. */
enum gen_pool_misuse {
	GEN_POOL_POLICY, /* what KMEM_OPTIONS=misuse= says: end the process, as BUG() in the kernel, unless that is repair */
	GEN_POOL_ABORT,  /* end the process */
	GEN_POOL_REPORT, /* leave all as it was, and go on */
};
KMEM_API void gen_pool_set_misuse(struct gen_pool *pool, enum gen_pool_misuse misuse);

/* Use another algorithm from now on; NULL is gen_pool_first_fit(). */
KMEM_API void gen_pool_set_algo(struct gen_pool *pool, genpool_algo_t algo, void *data);

/*
 * The algorithms: lowest free run; the same at an address with the alignment of
 * struct genpool_data_align; the same at an index that is a multiple of nr rounded
 * up to a power of two; smallest run that is large enough; largest run; the given
 * place or none.
 */
KMEM_API unsigned long gen_pool_first_fit(unsigned long *map, unsigned long size, unsigned long start,
	unsigned int nr, void *data, struct gen_pool *pool, unsigned long start_addr);
KMEM_API unsigned long gen_pool_first_fit_align(unsigned long *map, unsigned long size, unsigned long start,
	unsigned int nr, void *data, struct gen_pool *pool, unsigned long start_addr);
KMEM_API unsigned long gen_pool_first_fit_order_align(unsigned long *map, unsigned long size, unsigned long start,
	unsigned int nr, void *data, struct gen_pool *pool, unsigned long start_addr);
KMEM_API unsigned long gen_pool_best_fit(unsigned long *map, unsigned long size, unsigned long start,
	unsigned int nr, void *data, struct gen_pool *pool, unsigned long start_addr);
KMEM_API unsigned long gen_pool_worst_fit(unsigned long *map, unsigned long size, unsigned long start,
	unsigned int nr, void *data, struct gen_pool *pool, unsigned long start_addr);
KMEM_API unsigned long gen_pool_fixed_alloc(unsigned long *map, unsigned long size, unsigned long start,
	unsigned int nr, void *data, struct gen_pool *pool, unsigned long start_addr);

/* phys of an address of the pool; -1 when its chunk has none or it lies in no chunk. */
KMEM_API phys_addr_t gen_pool_virt_to_phys(struct gen_pool *pool, unsigned long addr) KMEM_CHECK;

/* Whether [start, start + size) lies in one chunk; with size 0, whether start does. */
KMEM_API bool gen_pool_has_addr(struct gen_pool *pool, unsigned long start, size_t size) KMEM_CHECK;
static inline bool addr_in_gen_pool(struct gen_pool *pool, unsigned long start, size_t size)
{
	return gen_pool_has_addr(pool, start, size);
}

/* Free bytes; bytes in all chunks. */
KMEM_API size_t gen_pool_avail(struct gen_pool *pool) KMEM_CHECK;
KMEM_API size_t gen_pool_size(struct gen_pool *pool) KMEM_CHECK;

/* Call func for every chunk, newest first. */
KMEM_API void gen_pool_for_each_chunk(struct gen_pool *pool,
	void (*func)(struct gen_pool *pool, struct gen_pool_chunk *chunk, void *data), void *data);

/* ---- what the kernel lacks ---- */

/* The name that tools show (47 bytes, the rest is cut off), "genpool-N" if none is given. */
KMEM_API void gen_pool_set_name(struct gen_pool *pool, const char *name);

/* A count of the free runs, bit by bit: takes time in proportion to the pool's size. Exact when no call is in flight. */
struct gen_pool_stat {
	size_t size, avail;      /* bytes */
	size_t largest_free;     /* longest free run */
	size_t free_runs;        /* number of them */
	unsigned int chunks;
	uint64_t allocs, frees, failures; /* calls */
	unsigned int fragmentation; /* per mille of the free bytes that lie outside the largest run */
};
KMEM_API void gen_pool_stat(struct gen_pool *pool, struct gen_pool_stat *stat);

/* Per mille of the free bytes that cannot serve requests of `size` bytes; as the kernel's unusable_index of the buddy. */
KMEM_API unsigned int gen_pool_unusable(struct gen_pool *pool, size_t size) KMEM_CHECK;

KMEM_END

#endif
