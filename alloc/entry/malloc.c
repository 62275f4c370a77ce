/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * malloc.c - the C library's allocation functions on libkmem (libkmem-malloc.so).
 *
 * Sizes up to 8 KiB come from caches malloc-8 ... malloc-8192: classes 16 bytes
 * apart up to 512, 1/16 to 1024, then about 1/32. Larger objects are whole pages, with
 * the unused ones given back; more than 4 MiB get an address range of their own.
 * Results are aligned to 16 bytes, those of at most 8 bytes to 8.
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
#include "base/trace.h"
#include "entry/init.h"
#include "page/alloc.h"
#include "page/large.h"
#include "page/purge.h"
#include "slab/cache.h"
#include "slab/debug.h"
#include "slab/debug_large.h"
#include "slab/guard.h"
#include "slab/kmalloc.h"
#include "slab/trim.h"
#include "slab/watch.h"

#define GRAIN     8u  /* of the lookup table */
#define ALIGNMENT 16u /* of everything but the smallest class */
#define EVEN_TO   512u /* up to here classes are ALIGNMENT apart */
#define MAX_SMALL 8192u
#define MAX_ALIGN BLOCK_BYTES

/* Slabs of the classes: the smallest order that leaves less than 1/64 unused; all sizes do at the last. */
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

static struct {
	struct kmem_cache *cache[NR_CLASSES];  /* NULL until the first call */
	uint8_t class[MAX_SMALL / GRAIN + 1];  /* by (size + 7) / 8 */
	uint16_t size[NR_CLASSES];
	unsigned int nr;                       /* classes */
} heap KMEM_STATE;

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
	unsigned int order = s->order;
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

static struct kmem_cache *create_class(unsigned int size)
{
	struct kmem_cache_args args = { .align = MIN(size & (0u - size), (unsigned int)PAGE_SIZE) };
	struct kmem_cache *s;
	char name[32];

	report_format(name, sizeof(name), "malloc-%u", size);
	s = __kmem_cache_create_args(name, size, &args, SLAB_KMALLOC);
	if (!s)
		report_bug("cannot create %s at start: out of address space; raise ulimit -v", name);
	tune_class(s);
	return s;
}

/* On the first call, which may come before any constructor. */
static cold void heap_init(void)
{
	struct kmem_cache *made[NR_CLASSES];
	unsigned int class = 0, i;

	kmem_init();
	/* Nobody calls free() where system calls are not allowed. */
	page_set_purge_on_free(true);
	choose_classes();
	for (i = 0; i < ARRAY_LEN(heap.class); i++) {
		if (i * GRAIN > heap.size[class])
			class++;
		heap.class[i] = (uint8_t)class;
	}
	for (class = 0; class < heap.nr; class++)
		made[class] = create_class(heap.size[class]);
	/* The first one last: that it is there says that all are. */
	for (class = heap.nr; class-- > 0;)
		WRITE_ONCE(heap.cache[class], made[class]);
}

/* Before the program can have threads: two of them must not both make the first call. */
__attribute__((constructor(102))) static void construct(void)
{
	if (!heap.cache[0])
		heap_init();
}

static force_inline struct kmem_cache *class_cache(size_t size)
{
	return heap.cache[heap.class[(size + GRAIN - 1) / GRAIN]];
}

/* ---- giving back ---- */

/* Calls of slow paths, by thread, for each look at the clock. */
#define TICKS 16u

/* On slow paths. No lock held. */
static force_inline void heap_tick(void)
{
	static __thread unsigned int tick;

	if (unlikely(++tick % TICKS == 0))
		trim_look();
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
	return p;
}

static void *alloc_any(size_t size, gfp_t gfp, const void *call_site)
{
	const struct slab_request request = { gfp, -1, size, call_site };

	if (unlikely(!heap.cache[0]))
		heap_init();
	if (size > MAX_SMALL)
		return alloc_pages_for(size, gfp, call_site);
	if (trace_on(TRACE_KMALLOC))
		return watch_alloc(class_cache(size), &request);
	return slub_alloc_request(class_cache(size), &request);
}

/* What an allocation of `size` reserves, for the event. */
static size_t reserved(size_t size)
{
	return size <= MAX_SMALL ? class_cache(size)->size : ALIGN_UP(size, PAGE_SIZE);
}

static noinline void *alloc_slow(size_t size, gfp_t gfp, const void *call_site)
{
	/* The page layer knows which pages are zero already; small objects are cleared to the size asked for. */
	bool clear = size <= MAX_SMALL && (gfp & __GFP_ZERO);
	void *p = alloc_any(size, clear ? gfp & ~__GFP_ZERO : gfp, call_site);

	if (clear && p)
		memset(p, 0, size);
	if (trace_on(TRACE_KMALLOC))
		trace_kmalloc(call_site, p, size, reserved(size), gfp, -1, 0);
	if (unlikely(!p))
		errno = ENOMEM;
	heap_tick();
	return p;
}

static force_inline void *alloc(size_t size, const void *call_site)
{
	if (likely(size <= MAX_SMALL) && !trace_on(TRACE_KMALLOC)) {
		struct kmem_cache *s = class_cache(size);
		void *p;

		if (likely(s) && likely(slub_pop(s, &p)))
			return p;
	}
	return alloc_slow(size, GFP_KERNEL, call_site);
}

KMEM_API void *malloc(size_t size)
{
	return alloc(size, __builtin_return_address(0));
}

KMEM_API void *calloc(size_t n, size_t size)
{
	size_t bytes;

	if (unlikely(__builtin_mul_overflow(n, size, &bytes))) {
		errno = ENOMEM;
		return NULL;
	}
	return alloc_slow(bytes, GFP_KERNEL | __GFP_ZERO, __builtin_return_address(0));
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
	heap_tick();
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

	if (p)
		trace_kfree(call_site, p);
	if (id - 1u < KMEM_ID_MAX - 1u)
		watch_free(cache_by_id(id), p, call_site);
	else if (id != KMEM_ID_LARGE || !large_of(p) || debug_large_free(large_of(p), call_site))
		free_core(p);
}

KMEM_API void free(void *p)
{
	if (trace_on(TRACE_KFREE))
		free_traced(p, __builtin_return_address(0));
	else
		free_core(p);
}

/* ---- realloc ---- */

/* Grow or shrink an object of whole pages in place. */
static bool resize_pages(struct page *page, size_t size)
{
	uint32_t nr_pages = (uint32_t)(ALIGN_UP(size, PAGE_SIZE) >> PAGE_SHIFT);

	if (size <= MAX_SMALL)
		return false;
	if (page->flags & KMEM_PG_MAPPED)
		return size > KMALLOC_MAX_SIZE && large_resize(page, size);
	if (nr_pages > page->nr_pages)
		return false;
	page_trim(page, nr_pages);
	page->size = size;
	return true;
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
	/* Keep the place unless at least half of it would be idle, and more than a few bytes. */
	return size <= old && (size > old / 2 || old <= ALIGNMENT);
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
		trace_kfree(call_site, p);
	moved = large_remap(page, size);
	if (trace_on(TRACE_KMALLOC))
		trace_kmalloc(call_site, moved ? page_to_addr(moved) : p, moved ? size : old,
			      reserved(moved ? size : old), GFP_KERNEL, -1, 0);
	return moved ? page_to_addr(moved) : NULL;
}

static void *realloc_from(void *p, size_t size, const void *call_site)
{
	void *copy;
	size_t old;

	if (!p)
		return alloc_slow(size, GFP_KERNEL, call_site);
	if (!kmalloc_may_use(p, call_site)) {
		errno = ENOMEM;
		return NULL;
	}
	if (!size) {
		kfree_from(p, call_site);
		return NULL;
	}
	if (size > PTRDIFF_MAX) {
		errno = ENOMEM;
		return NULL;
	}
	old = object_usable(p);
	if (resize_in_place(p, old, size))
		return p;
	copy = move_pages(p, old, size, call_site);
	if (copy)
		return copy;
	copy = alloc_slow(size, GFP_KERNEL, call_site);
	if (!copy)
		return NULL;
	memcpy(copy, p, MIN(old, size));
	kfree_from(p, call_site);
	return copy;
}

KMEM_API void *realloc(void *p, size_t size)
{
	return realloc_from(p, size, __builtin_return_address(0));
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

/* ---- alignment ---- */

/* Smallest class of at least `size` whose objects are aligned; NULL when there is none. */
static struct kmem_cache *aligned_cache(size_t align, size_t size)
{
	unsigned int class;

	if (unlikely(!heap.cache[0]))
		heap_init();
	if (align > PAGE_SIZE || size > MAX_SMALL)
		return NULL;
	for (class = heap.class[(size + GRAIN - 1) / GRAIN]; class < heap.nr; class++)
		if (!(heap.size[class] & (align - 1)))
			return heap.cache[class];
	return NULL;
}

/* Whole pages: blocks of the buddy are aligned to their size. */
static void *aligned_pages(size_t align, size_t size)
{
	size_t bytes = debug_large_size(size);
	unsigned int order = (unsigned int)MAX(get_order(bytes), get_order(align));
	struct page *page;

	if (align > MAX_ALIGN || size > PTRDIFF_MAX)
		return NULL;
	if (size > KMALLOC_MAX_SIZE)
		return large_alloc(debug_large_size(size), GFP_KERNEL, true, true, -1);
	page = page_alloc(GFP_KERNEL, order, KMEM_PAGE_LARGE);
	if (!page)
		return NULL;
	page->size = size;
	page_trim(page, (uint32_t)MAX(ALIGN_UP(bytes, PAGE_SIZE) >> PAGE_SHIFT, (size_t)1));
	WRITE_ONCE(*addr_to_id(page_to_addr(page)), KMEM_ID_LARGE);
	return page_to_addr(page);
}

static void *aligned_object(struct kmem_cache *s, size_t size, const void *call_site)
{
	const struct slab_request request = { GFP_KERNEL, -1, size, call_site };

	return trace_on(TRACE_KMALLOC) ? watch_alloc(s, &request) : slub_alloc_request(s, &request);
}

/* align: a power of two. */
static void *memalign_from(size_t align, size_t size, const void *call_site)
{
	struct kmem_cache *s;
	void *p;

	if (align <= GRAIN || (align <= ALIGNMENT && size > GRAIN))
		return alloc_slow(size, GFP_KERNEL, call_site);
	s = aligned_cache(align, size);
	if (s)
		p = aligned_object(s, size, call_site);
	else
		p = trace_on(TRACE_KMALLOC) && fault_object(GFP_KERNEL, call_site) ? NULL : aligned_pages(align, size);
	if (!s && p && trace_on(TRACE_KMALLOC))
		debug_large_alloc(p, size, false, call_site);
	if (trace_on(TRACE_KMALLOC))
		trace_kmalloc(call_site, p, size, s ? s->size : ALIGN_UP(size, PAGE_SIZE), GFP_KERNEL, -1, 0);
	if (!p)
		errno = ENOMEM;
	return p;
}

KMEM_API void *memalign(size_t align, size_t size)
{
	if (align > SIZE_MAX / 2 + 1) {
		errno = EINVAL;
		return NULL;
	}
	/* As glibc: any alignment is rounded up to a power of two. */
	return memalign_from(roundup_pow2(align), size, __builtin_return_address(0));
}

KMEM_API void *aligned_alloc(size_t align, size_t size)
{
	if (!is_pow2(align)) {
		errno = EINVAL;
		return NULL;
	}
	return memalign_from(align, size, __builtin_return_address(0));
}

KMEM_API int posix_memalign(void **out, size_t align, size_t size)
{
	int saved = errno;
	void *p;

	if (!is_pow2(align) || align % sizeof(void *))
		return EINVAL;
	p = memalign_from(align, size, __builtin_return_address(0));
	errno = saved;
	if (!p)
		return ENOMEM;
	*out = p;
	return 0;
}

KMEM_API void *valloc(size_t size)
{
	return memalign_from(PAGE_SIZE, size, __builtin_return_address(0));
}

KMEM_API void *pvalloc(size_t size)
{
	if (size > PTRDIFF_MAX) {
		errno = ENOMEM;
		return NULL;
	}
	return memalign_from(PAGE_SIZE, MAX(ALIGN_UP(size, PAGE_SIZE), PAGE_SIZE), __builtin_return_address(0));
}

KMEM_API size_t malloc_usable_size(void *p)
{
	return p ? object_usable(p) : 0;
}
