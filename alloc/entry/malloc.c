/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * malloc.c - the C library's allocation functions on libkmem (libkmem-malloc.so).
 *
 * Sizes up to 8 KiB come from caches malloc-16 ... malloc-8192: classes 16 bytes
 * apart up to 512, 1/16 to 1024, then about 1/32. Larger objects are whole pages, with
 * the unused ones given back; more than 4 MiB get an address range of their own.
 * Results are aligned to 16 bytes; with malloc_align=8 those of at most 8 bytes to 8.
 * Events are those of kmalloc and kfree. Edge cases follow glibc: malloc(0) is a
 * real object, realloc(p, 0) frees and returns NULL, failure sets ENOMEM, and
 * free() leaves errno alone.
 */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

#include <kmem/options.h>

#include "base/fault.h"
#include "base/os.h"
#include "base/report.h"
#include "base/event.h"
#include "entry/heap.h"
#include "entry/init.h"
#include "page/alloc.h"
#include "page/large.h"
#include "page/purge.h"
#include "slab/cache.h"
#include "slab/debug.h"
#include "slab/debug_large.h"
#include "slab/guard.h"
#include "slab/hot.h"
#include "slab/kmalloc.h"
#include "slab/sampler.h"
#include "slab/trim.h"
#include "slab/watch.h"

#define EVEN_TO   512u /* up to here classes are ALIGNMENT apart */

/*
 * Slabs of the classes: the smallest order from the first on that leaves less than 1/64 unused; all sizes do at the
 * last. Objects made in a row lie together in 64 KiB, which the CPU's prefetching and its TLB like; what is not
 * touched of a slab has no memory. From 8 pages on only one descriptor in eight is touched (kmem_page_place()).
 */
#define MIN_CLASS_ORDER 4u
#define MAX_CLASS_ORDER 6u
#define WASTE_FRACTION  64u

/* Empty slabs that a class keeps. */
#define KEEP_BYTES ((size_t)64 << 10)

/*
 * Beyond EVEN_TO the sizes are those that cut 2^order pages into `most` ... `least`
 * pieces, so that slabs have nothing left over: about 1/16 or 1/32 apart.
 */
static const struct cut {
	uint8_t order, most, least;
} cuts[] = { { 2, 31, 16 }, { 4, 63, 32 }, { 5, 63, 32 }, { 5, 31, 22 }, { 6, 43, 32 } };

enum { NR_CLASSES = 1 + EVEN_TO / ALIGNMENT + 16 + 32 + 32 + 10 + 12 };

struct heap_hot heap_hot KMEM_STATE __attribute__((aligned(CACHE_LINE)));

static struct {
	struct kmem_cache *cache[NR_CLASSES];  /* NULL until the first call */
	uint8_t class[MAX_SMALL / GRAIN + 1];  /* by (size + 7) / 8 */
	uint16_t size[NR_CLASSES];
	unsigned int nr;                       /* classes */
} heap KMEM_STATE;

/* ---- M_PERTURB ---- */

static uint8_t perturb KMEM_STATE;

void heap_set_perturb(uint8_t value)
{
	uint8_t old = __atomic_exchange_n(&perturb, value, __ATOMIC_RELAXED);

	if (!old != !value)
		trace_watch(value);
}

void heap_watched(void *p, size_t size, size_t reserved, gfp_t gfp, const void *call_site)
{
	uint8_t byte = READ_ONCE(perturb);

	event_kmalloc(call_site, p, size, reserved, gfp, -1, 0);
	if (byte && p && !(gfp & __GFP_ZERO))
		memset(p, byte ^ 0xff, size);
}

/* What is about to be freed, when it is an object of ours. Debug caches have their own bytes. */
static void perturb_freed(void *p)
{
	uint16_t id = arena_contains(p) ? READ_ONCE(*addr_to_id(p)) : KMEM_ID_NONE;
	uint8_t byte = READ_ONCE(perturb);

	if (byte && p && (large_of(p) || (id - 1u < KMEM_ID_MAX - 1u && !debug_cache(cache_by_id(id)))))
		memset(p, byte, object_usable(p));
}

/* ---- classes ---- */

static void add_class(unsigned int size)
{
	/* Rounding makes some sizes equal. */
	if (!heap.nr || heap.size[heap.nr - 1] < size)
		heap.size[heap.nr++] = (uint16_t)size;
}

static void choose_classes(void)
{
	unsigned int size, i, pieces;

	heap.nr = 0;
	if (kmem_options()->malloc_align == KMEM_MALLOC_ALIGN_8)
		add_class(GRAIN);
	for (size = ALIGNMENT; size <= EVEN_TO; size += ALIGNMENT)
		add_class(size);
	for (i = 0; i < ARRAY_LEN(cuts); i++)
		for (pieces = cuts[i].most; pieces >= cuts[i].least; pieces--)
			add_class((unsigned int)ALIGN_DOWN((PAGE_SIZE << cuts[i].order) / pieces, (size_t)ALIGNMENT));
}

/* Slabs with little waste, and few empty ones kept: there are many classes. Debug caches stay as they are. */
static void tune_class(struct kmem_cache *s)
{
	unsigned int order = MAX(s->order, MIN_CLASS_ORDER);
	size_t keep;

	if (debug_cache(s))
		return;
	while (order < MAX_CLASS_ORDER && (PAGE_SIZE << order) % s->size >= (PAGE_SIZE << order) / WASTE_FRACTION)
		order++;
	if (order != s->order)
		kmem_cache_tune(s, KMEM_TUNE_ORDER, order);
	keep = KEEP_BYTES / (PAGE_SIZE << order);
	if (keep < s->min_partial)
		kmem_cache_tune(s, KMEM_TUNE_MIN_PARTIAL, (int64_t)keep);
}

/*
 * malloc() finds the class by table from now on: for the sizes beyond that of the
 * class before. A class of 8 bytes has but half an entry, the slow path looks closer.
 */
static void follow_class(struct kmem_cache *s, unsigned int class)
{
	unsigned int first = class ? heap.size[class - 1] / ALIGNMENT + 1 : 0;
	unsigned int end = heap.size[class] / ALIGNMENT + 1;
	struct kmem_cache_node *home = node_of(s, 0);

	if (heap.size[0] < ALIGNMENT && class < 2)
		return;
	/* Against a drain. */
	node_lock(home);
	slot_follow(s, &heap_hot.slot[first], end - first);
	node_unlock(home);
}

static struct kmem_cache *create_class(unsigned int size)
{
	struct kmem_cache_args args = { .align = MIN(size & (0u - size), (unsigned int)PAGE_SIZE) };
	struct kmem_cache *s;
	char name[32];

	report_format(name, sizeof(name), "malloc-%u", size);
	s = __kmem_cache_create_args(name, size, &args, SLAB_KMALLOC);
	if (s)
		tune_class(s);
	return s;
}

/* The first request of a class makes its cache: most programs need few. NULL when there is no memory for it. */
static noinline struct kmem_cache *make_class(unsigned int class)
{
	struct kmem_cache *s = create_class(heap.size[class]), *none = NULL;

	if (!s)
		return NULL;
	if (!__atomic_compare_exchange_n(&heap.cache[class], &none, s, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		/* Another thread was faster. */
		kmem_cache_destroy(s);
		return none;
	}
	follow_class(s, class);
	return s;
}

/* The cache of a class, NULL when it was not needed so far. */
static force_inline struct kmem_cache *class_if_made(unsigned int class)
{
	return __atomic_load_n(&heap.cache[class], __ATOMIC_ACQUIRE);
}

static force_inline struct kmem_cache *class_cache(unsigned int class)
{
	struct kmem_cache *s = class_if_made(class);

	return likely(s) ? s : make_class(class);
}

static force_inline unsigned int class_of(size_t size)
{
	return heap.class[(size + GRAIN - 1) / GRAIN];
}

/* glibc's variable. */
static uint8_t perturb_of(const char *text)
{
	return text ? (uint8_t)atoi(text) : 0;
}

/* On the first call, which may come before any constructor. */
static cold void heap_init(void)
{
	unsigned int class = 0, i;

	kmem_init();
	heap_set_perturb(perturb_of(secure_getenv("MALLOC_PERTURB_")));
	/* Nobody calls free() where system calls are not allowed. */
	page_set_purge_on_free(true);
	choose_classes();
	for (i = 0; i < ARRAY_LEN(heap.class); i++) {
		if (i * GRAIN > heap.size[class])
			class++;
		heap.class[i] = (uint8_t)class;
	}
	for (i = 0; i < ARRAY_LEN(heap_hot.slot); i++)
		heap_hot.slot[i] = percpu_region(0);
	WRITE_ONCE(heap_hot.limit, MAX_SMALL + 1);
}

static force_inline bool heap_ready(void)
{
	return likely(READ_ONCE(heap_hot.limit));
}

/* Before the program can have threads: two of them must not both make the first call. */
__attribute__((constructor(102))) static void construct(void)
{
	if (!heap_ready())
		heap_init();
	percpu_publish();
}

struct kmem_cache *heap_aligned_class(size_t align, size_t size)
{
	unsigned int class;

	if (!heap_ready())
		heap_init();
	if (align > PAGE_SIZE || size > MAX_SMALL)
		return NULL;
	for (class = class_of(size); class < heap.nr; class++)
		if (!(heap.size[class] & (align - 1)))
			return class_cache(class);
	return NULL;
}

/* ---- giving back ---- */

/* Calls of slow paths, by thread, for each look at the clock. */
#define TICKS 16u

/* On slow paths. No lock held. */
static force_inline void heap_tick(void (*look)(void))
{
	static __thread unsigned int tick;

	if (unlikely(++tick % TICKS == 0))
		look();
}

/* ---- allocation ---- */

static void *alloc_pages_for(size_t size, gfp_t gfp, const void *call_site)
{
	bool watched = trace_on(TRACE_KMALLOC);
	void *p = NULL;

	if (size <= PTRDIFF_MAX && !(watched && fault_object(gfp, call_site)))
		p = large_alloc(debug_large_size(size), gfp, true, true, -1);
	if (p && watched)
		debug_large_alloc(p, size, gfp & __GFP_ZERO, call_site);
	if (sample_on() && p)
		sampler_large(p, size, call_site);
	return p;
}

/* When there is no memory for a new cache, there may be some in those that there are. */
static noinline void *alloc_without_class(size_t size, gfp_t gfp, const void *call_site)
{
	const struct slab_request request = { gfp, -1, size, call_site };
	unsigned int class;

	for (class = class_of(size) + 1; class < heap.nr; class++) {
		struct kmem_cache *s = class_if_made(class);
		void *p = !s ? NULL : trace_on(TRACE_KMALLOC) ? watch_alloc(s, &request) : slub_alloc_request(s, &request);

		if (p)
			return p;
	}
	return alloc_pages_for(size, gfp, call_site);
}

static void *alloc_any(size_t size, gfp_t gfp, const void *call_site)
{
	const struct slab_request request = { gfp, -1, size, call_site };
	struct kmem_cache *s;

	if (!heap_ready())
		heap_init();
	if (size > MAX_SMALL)
		return alloc_pages_for(size, gfp, call_site);
	s = class_cache(class_of(size));
	if (unlikely(!s))
		return alloc_without_class(size, gfp, call_site);
	if (trace_on(TRACE_KMALLOC))
		return watch_alloc(s, &request);
	return slub_alloc_request(s, &request);
}

/* What an allocation of `size` reserves, for the event. */
static size_t reserved(size_t size)
{
	const struct kmem_cache *s = size <= MAX_SMALL ? class_if_made(class_of(size)) : NULL;

	if (size > MAX_SMALL)
		return ALIGN_UP(size, PAGE_SIZE);
	return s ? s->size : heap.size[class_of(size)];
}

static void *alloc_and_tell(size_t size, gfp_t gfp, const void *call_site)
{
	/* The page layer knows which pages are zero already; small objects are cleared to the size asked for. */
	bool clear = size <= MAX_SMALL && (gfp & __GFP_ZERO);
	void *p = alloc_any(size, clear ? gfp & ~__GFP_ZERO : gfp, call_site);

	if (clear && p)
		memset(p, 0, size);
	if (trace_on(TRACE_KMALLOC))
		heap_watched(p, size, reserved(size), gfp, call_site);
	if (unlikely(!p))
		errno = ENOMEM;
	return p;
}

noinline void *heap_alloc(size_t size, gfp_t gfp, const void *call_site)
{
	void *p = alloc_and_tell(size, gfp, call_site);

	heap_tick(trim_look);
	return p;
}

/* An object of the running CPU's slot, in a few instructions more than malloc() takes; NULL when it is not so easy. */
static force_inline void *alloc_fast(size_t size)
{
	struct kmem_cache *s;
	void *p;

	if (unlikely(size >= heap_hot.limit) || trace_on(TRACE_KMALLOC))
		return NULL;
	s = class_if_made(class_of(size));
	return likely(s) && likely(slub_pop(s, &p)) ? p : NULL;
}

/* With nothing but the batch probe on it is the fast path and a record; NULL when it is not so easy. */
static noinline void *alloc_batched(size_t size, const void *call_site)
{
	struct kmem_cache *s;
	void *p;

	if (unlikely(size >= heap_hot.limit) || !trace_batch_only(TRACE_KMALLOC))
		return NULL;
	s = class_if_made(class_of(size));
	if (unlikely(!s) || unlikely(!slub_pop(s, &p)))
		return NULL;
	return event_batch_alloc(call_site, p, KMEM_BATCH_KMALLOC, s->id, size);
}

void *heap_malloc(size_t size, const void *call_site)
{
	void *p = trace_on(TRACE_KMALLOC) ? alloc_batched(size, call_site) : alloc_fast(size);

	return likely(p) ? p : heap_alloc(size, HEAP_GFP, call_site);
}

HOT_SLOW void *malloc_slow(size_t size);

void *malloc_slow(size_t size)
{
	return heap_malloc(size, __builtin_return_address(0));
}

void *heap_due(size_t size, void *object, struct kmem_slot *slot, const void *call_site)
{
	if (slub_due(cache_by_id(*addr_to_id(object)), object, slot))
		return object;
	/* No tick: who does not reach the slow path is not made to give memory back by samples. */
	return alloc_and_tell(size, HEAP_GFP, call_site);
}

HOT_SLOW void *malloc_due(size_t size, size_t unused, void *object, struct kmem_slot *slot);

void *malloc_due(size_t size, HOT_ARGUMENT size_t unused, void *object, struct kmem_slot *slot)
{
	return heap_due(size, object, slot, __builtin_return_address(0));
}

KMEM_API HOT_FUNCTION void *malloc(HOT_ARGUMENT size_t size)
{
	__asm__ volatile(HEAP_HOT_ALLOC(malloc_slow, malloc_due)
		:
		:);
}

typedef long long vector __attribute__((__vector_size__(ALIGNMENT), __may_alias__));

/* Up to here copying and clearing are done here: calls cost more. */
#define SHORT_BYTES 128u

KMEM_API void *calloc(size_t n, size_t size)
{
	size_t bytes, i;
	void *p;

	if (unlikely(__builtin_mul_overflow(n, size, &bytes))) {
		errno = ENOMEM;
		return NULL;
	}
	p = alloc_fast(bytes);
	if (unlikely(!p))
		return heap_alloc(bytes, HEAP_GFP | __GFP_ZERO, __builtin_return_address(0));
	if (bytes > SHORT_BYTES || heap.size[0] < ALIGNMENT)
		return memset(p, 0, bytes);
	for (i = 0; i < bytes; i += ALIGNMENT)
		*(volatile vector *)(void *)((char *)p + i) = (vector){ 0 };
	return p;
}

/* ---- free ---- */

static cold __attribute__((noreturn)) void bad_free(const char *function, const void *p)
{
	report_bug("BUG: %s(%p): invalid pointer: no allocated object is at this address", function, p);
}

static noinline void free_pages_of(void *p)
{
	struct page *page = large_of(p);
	uint16_t id = *addr_to_id(p);

	if (id == KMEM_ID_GUARD || id == KMEM_ID_GUARD_FREE) {
		guard_free(p, __builtin_return_address(0));
		return;
	}
	if (!page)
		bad_free("free", p);
	if (unlikely(page->flags & KMEM_PG_SAMPLED))
		sampler_large_gone(page, __builtin_return_address(0));
	large_free(page);
}

/* Fine for NULL only. Not noreturn, so that free() needs no stack frame for it. */
static noinline void free_no_object(const void *p)
{
	if (p)
		bad_free("free", p);
}

/* The slow path sees the caller of free(): a tail call. */
static noinline void free_slow(struct kmem_cache *s, void *p)
{
	heap_tick(trim_look_on_free);
	slub_free_slow(s, p);
}

static noinline void free_twice(const struct kmem_cache *s, const void *p)
{
	report("BUG %s: Object already free: free(%p); it was left alone", s->name, p);
	report_misuse_end(true);
}

static force_inline void free_core(void *p)
{
	struct kmem_cache *s;
	uint16_t id;

	if (unlikely(!arena_contains(p) || (uintptr_t)p % GRAIN)) {
		free_no_object(p);
		return;
	}
	id = READ_ONCE(*addr_to_id(p));
	if (unlikely(id - 1u >= KMEM_ID_MAX - 1u)) {
		free_pages_of(p);
		return;
	}
	s = cache_by_id(id);
	switch (slub_push_once(s, p)) {
	case SLUB_PUSHED:
		break;
	case SLUB_FULL:
		free_slow(s, p);
		break;
	case SLUB_TWICE:
		free_twice(s, p);
	}
}

static noinline void free_traced(void *p, const void *call_site)
{
	uint16_t id = arena_contains(p) ? READ_ONCE(*addr_to_id(p)) : KMEM_ID_NONE;

	if (likely(id - 1u < KMEM_ID_MAX - 1u && trace_batch_only(TRACE_KFREE))) {
		if (unlikely(!event_batch_free(call_site, p, KMEM_BATCH_KFREE, id)))
			event_batch_free_slow(call_site, p, KMEM_BATCH_KFREE, id);
		free_core(p);
		return;
	}
	if (p)
		event_kfree(call_site, p);
	perturb_freed(p);
	if (id - 1u < KMEM_ID_MAX - 1u)
		watch_free(cache_by_id(id), p, call_site);
	else if (id != KMEM_ID_LARGE || !large_of(p) || debug_large_free(large_of(p), call_site))
		free_core(p);
}

HOT_SLOW void free_anything(void *p);

void free_anything(void *p)
{
	if (trace_on(TRACE_KFREE))
		free_traced(p, __builtin_return_address(0));
	else
		free_core(p);
}

KMEM_API HOT_FUNCTION void free(HOT_ARGUMENT void *p)
{
	__asm__ volatile(HOT_FREE(free_anything, "")
		:
		:);
}

/* ---- realloc ---- */

/* Objects from this size on get a spare eighth when they grow: they take fewer moves, and untouched it costs little. */
#define GROWN_BYTES ((size_t)4 * PAGE_SIZE)
#define GROWN_SPARE 8u

/* Grow or shrink an object of whole pages in place. */
static bool resize_pages(struct page *page, size_t size)
{
	uint32_t nr_pages = (uint32_t)(ALIGN_UP(size, PAGE_SIZE) >> PAGE_SHIFT);

	if (size <= MAX_SMALL)
		return false;
	if (page->flags & KMEM_PG_MAPPED)
		return size > KMALLOC_MAX_SIZE && large_resize(page, size);
	/* More pages than a block has; before they are counted in 32 bits. */
	if (size > KMALLOC_MAX_SIZE)
		return false;
	if (nr_pages > page->nr_pages && !page_extend(page, nr_pages))
		return false;
	page_trim(page, nr_pages);
	page->size = size;
	return true;
}

/* Keep the place unless at least half of it would be idle, and more than a few bytes. */
static force_inline bool keeps_place(size_t old, size_t size)
{
	return size <= old && (size > old / 2 || old <= ALIGNMENT);
}

static bool resize_in_place(void *p, size_t old, size_t size)
{
	struct page *page = large_of(p);
	uint16_t id;

	id = *addr_to_id(p);
	if (page && !debug_large_on(page))
		return resize_pages(page, size);
	/* Moving is what finds pointers into the old object. */
	if (page || id == KMEM_ID_GUARD || debug_cache(cache_by_id(id)))
		return false;
	return keeps_place(old, size);
}

/*
 * Move the pages of an object with an address range of its own, without copying.
 * Return: NULL when there is no room, the old object valid; or when it has none.
 */
static void *move_pages(void *p, size_t old, size_t size, const void *call_site)
{
	struct page *page = large_of(p), *moved;

	if (!page || !(page->flags & KMEM_PG_MAPPED) || size <= KMALLOC_MAX_SIZE || debug_large_on(page))
		return NULL;
	/* Before the address can be another thread's; a tracer sees a new object at either place. */
	if (trace_on(TRACE_KFREE))
		event_kfree(call_site, p);
	if (page->flags & KMEM_PG_SAMPLED)
		sampler_large_gone(page, call_site);
	moved = large_remap(page, size);
	if (trace_on(TRACE_KMALLOC))
		event_kmalloc(call_site, moved ? page_to_addr(moved) : p, moved ? size : old,
			      reserved(moved ? size : old), HEAP_GFP, -1, 0);
	if (sample_on())
		sampler_large(moved ? page_to_addr(moved) : p, moved ? size : old, call_site);
	return moved ? page_to_addr(moved) : NULL;
}

/* Where an object grows to: what grew once will again, so whole pages are some more. */
static void *alloc_grown(size_t old, size_t size, const void *call_site)
{
	size_t spare = size > old && old >= GROWN_BYTES && !trace_on(TRACE_KMALLOC) ? size / GROWN_SPARE : 0;
	void *copy;

	if (!spare || size + spare > KMALLOC_MAX_SIZE)
		return heap_alloc(size, HEAP_GFP, call_site);
	copy = heap_alloc(size + spare, HEAP_GFP, call_site);
	if (!copy)
		return heap_alloc(size, HEAP_GFP, call_site);
	large_of(copy)->size = size;
	return copy;
}

static void *realloc_from(void *p, size_t size, const void *call_site)
{
	void *copy;
	size_t old;

	if (!p)
		return heap_alloc(size, HEAP_GFP, call_site);
	if (!kmalloc_may_use(p, call_site)) {
		errno = ENOMEM;
		return NULL;
	}
	if (!size) {
		perturb_freed(p);
		kfree_from(p, call_site);
		return NULL;
	}
	if (size > PTRDIFF_MAX) {
		errno = ENOMEM;
		return NULL;
	}
	old = object_usable(p);
	if (resize_in_place(p, old, size)) {
		if (sample_on() && large_of(p))
			sampler_resized(p, size, call_site);
		return p;
	}
	copy = move_pages(p, old, size, call_site);
	if (copy)
		return copy;
	copy = alloc_grown(old, size, call_site);
	if (!copy)
		return NULL;
	memcpy(copy, p, MIN(old, size));
	perturb_freed(p);
	kfree_from(p, call_site);
	return copy;
}

/* The cache of an object that may be resized without further thought; NULL when it takes some. */
static force_inline const struct kmem_cache *plain_cache(const void *p)
{
	uint16_t id = likely(arena_contains(p)) ? READ_ONCE(*addr_to_id(p)) : KMEM_ID_NONE;

	/* Debug caches put all calls on the watched path. */
	if (unlikely(id - 1u >= KMEM_ID_MAX - 1u) || trace_on(TRACE_KMALLOC) || trace_on(TRACE_KFREE))
		return NULL;
	return cache_by_id(id);
}

KMEM_API void *realloc(void *p, size_t size)
{
	const struct kmem_cache *s;
	void *copy;

	if (!p)
		return malloc(size);
	s = plain_cache(p);
	if (unlikely(!s) || unlikely(!size))
		return realloc_from(p, size, __builtin_return_address(0));
	if (keeps_place(s->size, size))
		return p;
	copy = alloc_fast(size);
	if (unlikely(!copy))
		return realloc_from(p, size, __builtin_return_address(0));
	memcpy(copy, p, MIN(s->size, size));
	free(p);
	return copy;
}

KMEM_API void *reallocarray(void *p, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc_from(p, bytes, __builtin_return_address(0));
}

KMEM_API size_t malloc_usable_size(void *p)
{
	return p ? object_usable(p) : 0;
}
