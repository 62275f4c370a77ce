/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mp_pool.c - region pools; see kmem/mp_pool.h.
 *
 * The common case is an addition, a comparison and two counters. Everything else,
 * misuse included, is behind its failure: a pool that was destroyed serves no
 * small requests.
 */
#include <kmem/mp_pool.h>

#include <errno.h>

#include <kmem/slab.h>

#include "base/fault.h"
#include "base/os.h"
#include "base/report.h"
#include "base/shadow.h"
#include "base/trace.h"
#include "pool/table.h"
#include "slab/kmalloc.h"

#define CALL_SITE __builtin_return_address(0)

/* In front of its memory; that of a fixed pool is in the pool. */
struct mp_node {
	struct mp_node *next;
	uintptr_t start, end; /* of what it deals out */
	uintptr_t at;         /* of what is left of it */
	uint32_t failed;      /* searches that found no room here */
};

/* A block of its own. These and the handlers are pieces of the pool themselves. */
struct mp_large {
	struct mp_large *next;
	uintptr_t piece;      /* what the program has; of a freed one the complement, which keeps no object alive */
	void *block;          /* what it lies in */
	size_t size, held;    /* bytes asked for; taken */
};

struct mp_cleanup {
	struct mp_cleanup *next;
	void (*handler)(void *data);
	void *data;
};

struct mp_pool {
	struct kmem_mp_pool *live; /* kmem/observe_pool.h */
	struct mp_node *current;   /* where a search begins */
	size_t max_small;          /* larger requests get a block of their own */
	struct mp_node *nodes;
	struct mp_large *large, *freed;
	struct mp_cleanup *cleanups;
	bool cleaning;
	struct mp_node buffer;     /* of a fixed pool */
};

/* ---- nodes ---- */

static void node_init(struct mp_node *node, const void *start, size_t bytes)
{
	*node = (struct mp_node){
		.start = (uintptr_t)start,
		.end = (uintptr_t)start + bytes,
		.at = (uintptr_t)start,
	};
	shadow_close(start, bytes);
}

static force_inline void *take_from(struct mp_node *node, size_t size, size_t alignment)
{
	uintptr_t at = ALIGN_UP(node->at, alignment); /* no address is so high that this wraps around */

	if (unlikely(at > node->end || node->end - at < size))
		return NULL;
	node->at = at + size;
	shadow_forget((void *)at, size);
	return (void *)at;
}

static void *allocate(size_t size, const void *call_site)
{
	return size <= KMALLOC_MAX_SIZE ? kmalloc_at(size, GFP_KERNEL, -1, call_site) : kvmalloc(size, GFP_KERNEL);
}

/* What kmalloc() says about alignment depends on the size. */
static size_t natural_alignment(size_t size)
{
	size_t rounded = kmalloc_size_roundup(size);

	if (rounded > KMALLOC_MAX_CACHE_SIZE)
		return PAGE_SIZE;
	return is_pow2(rounded) ? MIN(rounded, PAGE_SIZE) : ARCH_KMALLOC_MINALIGN;
}

static void grown(struct mp_pool *pool, const void *memory, size_t bytes, const void *call_site)
{
	pool->live->held += bytes;
	if (trace_on(TRACE_MP_GROW))
		trace_mp_grow(call_site, memory, pool, pool->live->name, bytes);
}

static struct mp_node *new_node(struct mp_pool *pool, const void *call_site)
{
	size_t bytes = pool->live->node_bytes;
	struct mp_node *node = allocate(bytes, call_site);

	if (node) {
		node_init(node, node + 1, bytes - sizeof(*node));
		pool->live->nr_nodes++;
	}
	return node;
}

/* The nodes from `current` on had no room: those that say so too often are not asked again. */
static struct mp_node *add_node(struct mp_pool *pool, const void *call_site)
{
	struct mp_node *node = new_node(pool, call_site), *at = pool->current, *next;

	if (!node)
		return NULL;
	grown(pool, node, pool->live->node_bytes, call_site);
	for (;; at = next) {
		next = at->next ? at->next : node;
		if (++at->failed > MP_MAX_FAILED)
			pool->current = next;
		if (!at->next)
			break;
	}
	at->next = node;
	return node;
}

static void *take_small(struct mp_pool *pool, size_t size, size_t alignment, const void *call_site)
{
	struct mp_node *node;

	for (node = pool->current; node; node = node->next) {
		void *p = take_from(node, size, alignment);

		if (p)
			return p;
	}
	node = pool->live->fixed ? NULL : add_node(pool, call_site);
	return node ? take_from(node, size, alignment) : NULL;
}

static void free_nodes(struct mp_pool *pool)
{
	struct mp_node *node = pool->nodes, *next;

	if (pool->live->fixed) {
		shadow_forget((void *)node->start, node->end - node->start);
		return;
	}
	for (; node; node = next) {
		next = node->next;
		shadow_forget(node + 1, pool->live->node_bytes - sizeof(*node));
		kvfree(node);
	}
}

/* ---- large blocks ---- */

static struct mp_large *new_record(struct mp_pool *pool, const void *call_site)
{
	struct mp_large *record = pool->freed;

	if (record)
		pool->freed = record->next;
	else
		record = take_small(pool, sizeof(*record), _Alignof(struct mp_large), call_site);
	return record;
}

static void *take_large(struct mp_pool *pool, size_t size, size_t alignment, const void *call_site)
{
	struct mp_large *record;
	size_t held = size;
	void *block;

	if (alignment > natural_alignment(size) && __builtin_add_overflow(size, alignment - 1, &held))
		return NULL;
	block = allocate(held, call_site);
	if (!block)
		return NULL;
	record = new_record(pool, call_site);
	if (!record) {
		kvfree(block);
		return NULL;
	}
	*record = (struct mp_large){
		.next = pool->large,
		.piece = ALIGN_UP((uintptr_t)block, alignment),
		.block = block,
		.size = size,
		.held = held,
	};
	pool->large = record;
	pool->live->nr_large++;
	grown(pool, block, held, call_site);
	return (void *)record->piece;
}

static void free_large(struct mp_pool *pool, struct mp_large *record)
{
	pool->live->nr_large--;
	pool->live->held -= record->held;
	kvfree(record->block);
}

static void free_all_large(struct mp_pool *pool)
{
	while (pool->large) {
		struct mp_large *record = pool->large;

		pool->large = record->next;
		free_large(pool, record);
	}
	pool->freed = NULL;
}

/* ---- creation ---- */

static struct mp_pool *create(size_t node_bytes, bool fixed, const void *call_site)
{
	struct kmem_mp_pool *m = table_take_mp_pool();
	struct mp_pool *pool = m ? kmalloc_at(sizeof(*pool), GFP_KERNEL | __GFP_ZERO, -1, call_site) : NULL;

	if (!pool) {
		if (m)
			table_put_mp_pool(m);
		return NULL;
	}
	pool->live = m;
	m->pool = (uintptr_t)pool;
	m->fixed = fixed;
	m->node_bytes = m->held = node_bytes;
	m->created_ns = os_now_ns();
	m->call_site = (uintptr_t)call_site;
	report_format(m->name, sizeof(m->name), "mp_pool-%u", (unsigned int)(m - table_mp_pool(0)));
	return pool;
}

static struct mp_pool *publish(struct mp_pool *pool, struct mp_node *node, const void *call_site)
{
	struct kmem_mp_pool *m = pool->live;

	pool->nodes = pool->current = node;
	__atomic_store_n(&m->state, KMEM_POOL_LIVE, __ATOMIC_RELEASE);
	if (trace_on(TRACE_MP_CREATE))
		trace_mp_create(call_site, pool, m->name, m->node_bytes);
	return pool;
}

KMEM_API struct mp_pool *mp_create_pool(size_t size)
{
	struct mp_pool *pool = create(MAX(size, MP_MIN_POOL_SIZE), false, CALL_SITE);
	struct mp_node *node = pool ? new_node(pool, CALL_SITE) : NULL;

	if (!node) {
		if (pool)
			table_put_mp_pool(pool->live);
		kfree(pool);
		return NULL;
	}
	/* Whatever it ends on, a fresh node has room for it. */
	pool->max_small = MIN(PAGE_SIZE, pool->live->node_bytes - sizeof(*node) - (MP_ALIGNMENT - 1));
	return publish(pool, node, CALL_SITE);
}

KMEM_API struct mp_pool *mp_create_fixed_pool(void *buffer, size_t size)
{
	struct mp_pool *pool;

	if (!buffer || (uintptr_t)buffer + size < (uintptr_t)buffer) {
		report("mp_create_fixed_pool(%p, %zu): %s", buffer, size, buffer ? "it wraps around" : "there is no buffer");
		return NULL;
	}
	pool = create(size, true, CALL_SITE);
	if (!pool)
		return NULL;
	node_init(&pool->buffer, buffer, size);
	pool->live->nr_nodes = 1;
	pool->max_small = SIZE_MAX;
	return publish(pool, &pool->buffer, CALL_SITE);
}

KMEM_API void mp_set_name(struct mp_pool *pool, const char *name)
{
	report_format(pool->live->name, sizeof(pool->live->name), "%s", name);
}

/* Else it was reported. */
static bool is_live(const struct mp_pool *pool, const char *function)
{
	const struct kmem_mp_pool *m = pool->live;

	if (likely(table_has_mp_pool(m) && m->state == KMEM_POOL_LIVE && m->pool == (uintptr_t)pool))
		return true;
	report("BUG: %s(%p): not a live mp_pool", function, (const void *)pool);
	report_misuse_end(true);
	return false;
}

/* ---- allocation ---- */

/* As few stores as possible: the peak is left for the next free. */
static force_inline void *counted(struct mp_pool *pool, void *p, size_t size)
{
	struct kmem_mp_pool *m = pool->live;

	WRITE_ONCE(m->allocated, m->allocated + size);
	WRITE_ONCE(m->allocs, m->allocs + 1);
	return p;
}

static bool is_small(const struct mp_pool *pool, size_t size, size_t alignment)
{
	if (pool->live->fixed)
		return true;
	if (alignment <= MP_ALIGNMENT)
		return size <= pool->max_small;
	return size <= pool->max_small && alignment <= pool->max_small - size;
}

static noinline void *alloc_slow(struct mp_pool *pool, size_t size, size_t alignment, const void *call_site)
{
	void *p = NULL;

	if (!is_live(pool, "mp_alloc"))
		return NULL;
	if (trace_on(TRACE_MP_GROW) && fault_mp_pool(size, call_site))
		p = NULL;
	else if (is_small(pool, size, alignment))
		p = take_small(pool, size, alignment, call_site);
	else
		p = take_large(pool, size, alignment, call_site);
	if (p)
		return counted(pool, p, size);
	WRITE_ONCE(pool->live->failures, pool->live->failures + 1);
	return NULL;
}

static force_inline void *alloc_from(struct mp_pool *pool, size_t size, size_t alignment, const void *call_site)
{
	size += !size;
	if (likely(size <= pool->max_small && !trace_on(TRACE_MP_GROW))) {
		void *p = take_from(pool->current, size, alignment);

		if (likely(p))
			return counted(pool, p, size);
	}
	return alloc_slow(pool, size, alignment, call_site);
}

KMEM_API void *mp_alloc(struct mp_pool *pool, size_t size)
{
	return alloc_from(pool, size, MP_ALIGNMENT, CALL_SITE);
}

KMEM_API void *mp_nalloc(struct mp_pool *pool, size_t size)
{
	return alloc_from(pool, size, 1, CALL_SITE);
}

KMEM_API void *mp_calloc(struct mp_pool *pool, size_t size)
{
	void *p = alloc_from(pool, size, MP_ALIGNMENT, CALL_SITE);

	return p ? memset(p, 0, size) : NULL;
}

KMEM_API void *mp_memalign(struct mp_pool *pool, size_t size, size_t alignment)
{
	if (is_pow2(alignment))
		return alloc_slow(pool, size + !size, alignment, CALL_SITE);
	if (!is_live(pool, "mp_memalign"))
		return NULL;
	report("mp_memalign(%s, %zu, %zu): the alignment must be a power of two", pool->live->name, size, alignment);
	WRITE_ONCE(pool->live->failures, pool->live->failures + 1);
	return NULL;
}

/* ---- free ---- */

/* `pieces` of `size` bytes together come back. */
static void uncounted(struct kmem_mp_pool *m, uint64_t pieces, uint64_t size)
{
	WRITE_ONCE(m->peak, kmem_mp_pool_peak(m));
	WRITE_ONCE(m->released, m->released + size);
	WRITE_ONCE(m->frees, m->frees + pieces);
}

static struct mp_large **find_large(struct mp_large **link, uintptr_t piece)
{
	while (*link && (*link)->piece != piece)
		link = &(*link)->next;
	return link;
}

static bool is_small_piece(const struct mp_pool *pool, uintptr_t piece)
{
	const struct mp_node *node;

	for (node = pool->nodes; node; node = node->next)
		if (piece >= node->start && piece < node->at)
			return true;
	return false;
}

static void complain(struct mp_pool *pool, void *p)
{
	if (*find_large(&pool->freed, ~(uintptr_t)p)) {
		report("BUG mp_pool %s: mp_free(%p): it is free already; it was left alone", pool->live->name, p);
		report_misuse_end(false);
	} else {
		report("BUG mp_pool %s: mp_free(%p): not memory of this pool", pool->live->name, p);
		report_misuse_end(true);
	}
}

KMEM_API bool mp_free(struct mp_pool *pool, void *p)
{
	struct mp_large **link, *record;

	if (!p || !is_live(pool, "mp_free"))
		return false;
	link = find_large(&pool->large, (uintptr_t)p);
	record = *link;
	if (!record) {
		if (!is_small_piece(pool, (uintptr_t)p))
			complain(pool, p);
		return false;
	}
	*link = record->next;
	uncounted(pool->live, 1, record->size);
	free_large(pool, record);
	record->block = NULL;
	record->piece = ~record->piece;
	record->next = pool->freed;
	pool->freed = record;
	return true;
}

/* ---- reset, destruction ---- */

KMEM_API int mp_cleanup_add(struct mp_pool *pool, void (*handler)(void *data), void *data)
{
	struct mp_cleanup *c;

	if (!is_live(pool, "mp_cleanup_add"))
		return -EINVAL;
	c = take_small(pool, sizeof(*c), _Alignof(struct mp_cleanup), CALL_SITE);
	if (!c)
		return -ENOMEM;
	*c = (struct mp_cleanup){ pool->cleanups, handler, data };
	pool->cleanups = c;
	return 0;
}

/* Return: false when called by one of them. */
static bool clean_up(struct mp_pool *pool, const char *function)
{
	if (pool->cleaning) {
		report("BUG mp_pool %s: %s() in one of its cleanup handlers; it was ignored", pool->live->name, function);
		report_misuse_end(false);
		return false;
	}
	pool->cleaning = true;
	while (pool->cleanups) {
		struct mp_cleanup *c = pool->cleanups;

		pool->cleanups = c->next;
		c->handler(c->data);
	}
	pool->cleaning = false;
	return true;
}

KMEM_API void mp_reset_pool(struct mp_pool *pool)
{
	struct kmem_mp_pool *m;
	struct mp_node *node;

	if (!pool || !is_live(pool, "mp_reset_pool") || !clean_up(pool, "mp_reset_pool"))
		return;
	m = pool->live;
	if (trace_on(TRACE_MP_RESET))
		trace_mp_reset(CALL_SITE, pool, m->name, kmem_mp_pool_current(m));
	uncounted(m, m->allocs - m->frees, kmem_mp_pool_current(m));
	free_all_large(pool);
	for (node = pool->nodes; node; node = node->next) {
		node->at = node->start;
		node->failed = 0;
		shadow_close((void *)node->start, node->end - node->start);
	}
	pool->current = pool->nodes;
	WRITE_ONCE(m->resets, m->resets + 1);
}

KMEM_API void mp_destroy_pool(struct mp_pool *pool)
{
	struct kmem_mp_pool *m;

	if (!pool || !is_live(pool, "mp_destroy_pool") || !clean_up(pool, "mp_destroy_pool"))
		return;
	m = pool->live;
	if (trace_on(TRACE_MP_DESTROY))
		trace_mp_destroy(CALL_SITE, pool, m->name, kmem_mp_pool_current(m));
	free_all_large(pool);
	free_nodes(pool);
	/* What uses the pool from here on takes the slow path, and is found there. */
	pool->max_small = 0;
	pool->live = NULL;
	table_put_mp_pool(m);
	kfree(pool);
}

/* ---- questions ---- */

KMEM_API void mp_stats(const struct mp_pool *pool, struct mp_stats *stats)
{
	const struct kmem_mp_pool *m = pool->live;

	*stats = (struct mp_stats){
		.total_allocated = m->allocated,
		.current_allocated = kmem_mp_pool_current(m),
		.peak_allocated = kmem_mp_pool_peak(m),
		.allocation_count = m->allocs,
		.free_count = m->frees,
		.failed_count = m->failures,
		.held = m->held,
		.nodes = m->nr_nodes,
		.blocks = (unsigned int)m->nr_large,
		.resets = m->resets,
	};
}
