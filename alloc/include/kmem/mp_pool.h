/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mp_pool.h - region pools: pieces that are freed together. For what one request,
 * connection or pass needs, and nobody needs afterwards.
 *
 *	struct mp_pool *pool = mp_create_pool(4096);
 *	struct header *h = mp_alloc(pool, sizeof(*h));
 *	char *name = mp_nalloc(pool, len + 1);
 *	...
 *	mp_destroy_pool(pool);                    h, name and all others
 *
 * A pool takes nodes of one size from kmalloc() and deals out their bytes from
 * front to back: a piece has no header and costs an addition. A request that does
 * not fit looks at the nodes after it, and at last a new one is added. A node in
 * which more than 4 requests in search of room found none is no longer looked at.
 * Requests of more than a page, or more than a node holds, get a block of their own,
 * which can be freed alone.
 *
 * A pool is used by one thread at a time; different pools know nothing of each
 * other. Nothing here is safe in signal handlers. All calls but those that only
 * take bytes of a node may block (GFP_KERNEL).
 */
#ifndef KMEM_MP_POOL_H
#define KMEM_MP_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <kmem/attr.h>

KMEM_BEGIN

struct mp_pool;
typedef struct mp_pool mp_pool_t;

#define MP_ALIGNMENT      16u  /* of what mp_alloc() returns */
#define MP_MIN_POOL_SIZE  256u /* smaller nodes are made this large */
#define MP_MAX_FAILED     4u   /* failed searches after which a node is skipped */

/* Make a pool with nodes of `size` bytes, the first of them at once. Return: NULL when memory is out. */
KMEM_API struct mp_pool *mp_create_pool(size_t size) KMEM_CHECK;

/*
 * Make a pool over `size` bytes at `buffer`, which stay the caller's: on the stack,
 * in shared memory, anywhere. It never grows: every piece, large or not, is in the
 * buffer. Nothing but the pieces is written there. Return: NULL when memory is
 * out, and, with one line on stderr, when buffer is NULL or the end wraps around.
 */
KMEM_API struct mp_pool *mp_create_fixed_pool(void *buffer, size_t size) KMEM_CHECK;

/*
 * Free all pieces; with destroy, the pool, too. Reset keeps the nodes, as they are,
 * for what comes next. Cleanup handlers run first, see mp_cleanup_add(). NULL is
 * ignored. A pool that was destroyed before is reported and the process aborts.
 */
KMEM_API void mp_destroy_pool(struct mp_pool *pool);
KMEM_API void mp_reset_pool(struct mp_pool *pool);

/*
 * `size` bytes: aligned to MP_ALIGNMENT; not aligned, for text; aligned and cleared;
 * aligned to `alignment`, a power of two. Size 0 gives a piece of one byte.
 * Return: NULL when memory is out or the buffer of a fixed pool is full; when the
 * pool was destroyed, and for another alignment, with one line on stderr.
 *
 * The compiler is not told that pieces alias nothing: they do, a fixed pool's buffer.
 */
KMEM_API void *mp_alloc(struct mp_pool *pool, size_t size) KMEM_CHECK KMEM_SIZE(2) KMEM_ALIGNS(16);
KMEM_API void *mp_nalloc(struct mp_pool *pool, size_t size) KMEM_CHECK KMEM_SIZE(2);
KMEM_API void *mp_calloc(struct mp_pool *pool, size_t size) KMEM_CHECK KMEM_SIZE(2) KMEM_ALIGNS(16);
KMEM_API void *mp_memalign(struct mp_pool *pool, size_t size, size_t alignment) KMEM_CHECK KMEM_SIZE(2);

/* n * size, as much as there is when that is too much: such a request fails. */
static inline size_t mp_array_size(size_t n, size_t size)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? SIZE_MAX : bytes;
}

/* Arrays of n elements, n * size in bytes; the second cleared. */
#define mp_alloc_array(pool, n, size)  mp_alloc((pool), mp_array_size((n), (size)))
#define mp_calloc_array(pool, n, size) mp_calloc((pool), mp_array_size((n), (size)))

/*
 * Give back a piece before the others. Only those with a block of their own can be:
 * for the others this does nothing. NULL is ignored. Return: whether memory was
 * freed. What was freed before is reported and left alone; what is not of this pool
 * is reported and the process aborts. Takes time in proportion to the number of
 * nodes and of blocks that are younger.
 */
KMEM_API bool mp_free(struct mp_pool *pool, void *p);

/*
 * Call handler(data) when the pool is reset or destroyed, once, before any piece is
 * freed: to close what a piece refers to. The last one added is called first.
 * Handlers may use the pool, but not reset or destroy it. Return: 0 or -ENOMEM.
 */
KMEM_API int mp_cleanup_add(struct mp_pool *pool, void (*handler)(void *data), void *data) KMEM_CHECK;

/* The name that tools show (47 bytes, the rest is cut off), "mp_pool-N" if none is given. */
KMEM_API void mp_set_name(struct mp_pool *pool, const char *name);

struct mp_stats {
	uint64_t total_allocated;   /* bytes asked for since the pool was made */
	uint64_t current_allocated; /* of those, not freed and not reset */
	uint64_t peak_allocated;    /* the most that this ever was */
	uint64_t allocation_count;  /* pieces */
	uint64_t free_count;        /* pieces freed alone, and all pieces at a reset */
	uint64_t failed_count;      /* calls that returned NULL */
	uint64_t held;              /* bytes in nodes and blocks; of the buffer of a fixed pool */
	unsigned int nodes, blocks; /* that there are now */
	uint64_t resets;
};

/* By the thread that uses the pool. */
KMEM_API void mp_stats(const struct mp_pool *pool, struct mp_stats *stats);

KMEM_END

#endif
