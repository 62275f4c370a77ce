/* SPDX-License-Identifier: BSD-2-Clause */
/* kmalloc.c - kmalloc() and its family; see kmalloc.h and kmem/slab.h. */
#include "slab/kmalloc.h"

#include <errno.h>

#include "base/fault.h"
#include "base/numa.h"
#include "base/report.h"
#include "base/strict.h"
#include "base/event.h"
#include "base/wipe.h"
#include "page/alloc.h"
#include "page/large.h"
#include "slab/account.h"
#include "slab/debug.h"
#include "slab/kmalloc_types.h"
#include "slab/debug_large.h"
#include "slab/guard.h"
#include "slab/hot.h"
#include "slab/sampler.h"
#include "slab/watch.h"

#define GRAIN 8u /* of the table of classes, in bytes */

/* Behind the last class, whose number a size of 0 has. */
#define NO_CLASS NR_KMALLOC_CLASSES

KMEM_HIDDEN struct {
	size_t limit;                        /* sizes below it are looked up in `class`; 0 before there are caches */
	uint64_t slot[NR_KMALLOC_CLASSES + 1]; /* of `cache` on CPU 0; the null slot */
	uint8_t class[KMALLOC_MAX_CACHE_SIZE / GRAIN + 1]; /* by (size + 7) / 8 */
	bool random;                         /* copies by call site: on the watched path */
	struct kmem_cache *cache[NR_KMALLOC_CLASSES]; /* of type normal */
} kmallocs KMEM_STATE __attribute__((aligned(CACHE_LINE)));

static force_inline unsigned int class_index(size_t size)
{
	return kmallocs.class[(size + GRAIN - 1) / GRAIN];
}

/* Types other than normal and reclaimable are made when they are first asked for. */
static noinline struct kmem_cache *typed_cache(size_t size, gfp_t gfp)
{
	struct kmem_cache *s = kmalloc_type_cache(class_index(size), kmalloc_type_of(gfp), gfp);

	return s ? s : kmallocs.cache[class_index(size)];
}

static force_inline struct kmem_cache *class_cache(size_t size, gfp_t gfp)
{
	if (unlikely(gfp & (__GFP_DMA | __GFP_RECLAIMABLE | __GFP_ACCOUNT)))
		return typed_cache(size, gfp);
	return kmallocs.cache[class_index(size)];
}

struct kmem_cache *kmalloc_cache(size_t size, gfp_t gfp)
{
	return class_cache(size, gfp);
}

unsigned int kmalloc_class(size_t size)
{
	return class_index(size);
}

void kmalloc_set_random(bool on)
{
	kmallocs.random = on;
	if (on)
		trace_watch(true);
}

int kmalloc_init(void)
{
	unsigned int i, class = 0;

	kmallocs.class[0] = NO_CLASS;
	kmallocs.slot[NO_CLASS] = percpu_region(0);
	for (i = 1; i < ARRAY_LEN(kmallocs.class); i++) {
		if (i * GRAIN > kmalloc_class_size[class])
			class++;
		kmallocs.class[i] = (uint8_t)class;
	}
	for (i = 0; i < NR_KMALLOC_CLASSES; i++) {
		kmallocs.cache[i] = kmalloc_type_cache(i, KMALLOC_NORMAL, GFP_KERNEL);
		if (!kmallocs.cache[i])
			return -ENOMEM;
		slot_follow(kmallocs.cache[i], &kmallocs.slot[i], 1);
	}
	kmallocs.limit = KMALLOC_MAX_CACHE_SIZE + 1;
	for (i = 0; i < NR_KMALLOC_CLASSES; i++)
		if (!kmalloc_type_cache(i, KMALLOC_RECLAIM, GFP_KERNEL))
			return -ENOMEM;
	return 0;
}

/* ---- objects of whole pages ---- */

void *large_alloc(size_t size, gfp_t gfp, bool exact, bool beyond_buddy, int nid)
{
	struct page *page;

	if (size > KMALLOC_MAX_SIZE) {
		if (!beyond_buddy || !(gfp & __GFP_DIRECT_RECLAIM))
			return NULL;
		if (trace_on(TRACE_MM_PAGE_ALLOC) &&
		    fault_pages(gfp, (unsigned int)get_order(size), __builtin_return_address(0)))
			return NULL;
		page = large_map(size, nid);
		return page ? page_to_addr(page) : NULL;
	}
	gfp &= ~__GFP_COMP;
	if (exact)
		page = page_alloc_exact(gfp, (uint32_t)(ALIGN_UP(MAX(size, 1u), PAGE_SIZE) >> PAGE_SHIFT),
					KMEM_PAGE_LARGE, nid);
	else
		page = page_alloc_node(gfp, (unsigned int)get_order(size), KMEM_PAGE_LARGE, nid);
	if (!page)
		return NULL;
	page->size = size;
	WRITE_ONCE(*addr_to_id(page_to_addr(page)), KMEM_ID_LARGE);
	return page_to_addr(page);
}

size_t large_usable(const struct page *page)
{
	return debug_large_on(page) ? page->size : (size_t)page->nr_pages << PAGE_SHIFT;
}

void large_free(struct page *page)
{
	if (unlikely(page->flags & KMEM_PG_SAMPLED))
		sampler_large_gone(page, __builtin_return_address(0));
	if (page->flags & KMEM_PG_MAPPED) {
		large_unmap(page);
		return;
	}
	WRITE_ONCE(*addr_to_id(page_to_addr(page)), KMEM_ID_NONE);
	page_free_exact(page);
}

struct page *large_of(const void *p)
{
	struct page *page;

	if (!arena_contains(p) || (uintptr_t)p & (PAGE_SIZE - 1))
		return NULL;
	page = addr_to_page(p);
	return page->type == KMEM_PAGE_LARGE && !(page->flags & KMEM_PG_GUARD) ? page : NULL;
}

/* ---- allocation ---- */

KMEM_API size_t kmalloc_size_roundup(size_t size)
{
	if (!size)
		return 0;
	if (size <= KMALLOC_MAX_CACHE_SIZE)
		return kmalloc_class_size[class_index(size)];
	return size <= KMALLOC_MAX_SIZE ? PAGE_SIZE << get_order(size) : size;
}

/* The same with all that is off by default. */
static void *large_watched(size_t size, gfp_t gfp, int nid, const void *call_site)
{
	void *p;

	if (!size || fault_object(gfp, call_site))
		return size ? NULL : ZERO_SIZE_PTR;
	p = large_alloc(debug_large_size(size), gfp, false, false, nid);
	if (p)
		debug_large_alloc(p, size, wipe_gfp(gfp) & __GFP_ZERO, call_site);
	return p;
}

/* Nothing, or more than the largest class. */
static noinline void *kmalloc_no_class(size_t size, gfp_t gfp, int nid, const void *call_site)
{
	void *p = size ? large_alloc(size, gfp, false, false, nid) : ZERO_SIZE_PTR;

	if (sample_on() && !ZERO_OR_NULL_PTR(p))
		sampler_large(p, size, call_site);
	return p;
}

static struct kmem_cache *watched_cache(size_t size, gfp_t gfp, const void *call_site)
{
	struct kmem_cache *s = kmallocs.random && kmalloc_type_of(gfp) == KMALLOC_NORMAL ?
		kmalloc_random_cache(class_index(size), call_site, gfp) : NULL;

	return s ? s : class_cache(size, gfp);
}

/* More than the largest class, or nothing. */
static void *large_accounted(size_t size, gfp_t gfp, int node, const void *call_site)
{
	size_t bytes = kmalloc_size_roundup(size);
	void *p;
	int group;

	if (!account_on() || !(gfp & __GFP_ACCOUNT) || !size)
		return large_watched(size, gfp, node, call_site);
	group = account_charge(gfp, bytes);
	if (group < 0)
		return NULL;
	p = large_watched(size, gfp, node, call_site);
	account_own(group, p, bytes);
	return p;
}

static noinline void *kmalloc_watched(size_t size, gfp_t gfp, int node, const void *call_site)
{
	const struct slab_request request = { gfp, node, size, call_site };
	struct kmem_cache *s = size - 1 < KMALLOC_MAX_CACHE_SIZE ? watched_cache(size, gfp, call_site) : NULL;
	void *p;

	if (!s)
		strict_check(gfp, call_site);
	p = s ? watch_alloc(s, &request) : large_accounted(size, gfp, usable_node(node), call_site);
	event_kmalloc(call_site, p, size, kmalloc_size_roundup(size), gfp, node, (gfp & __GFP_ACCOUNT) != 0);
	return p;
}

/* With nothing but the batch probe on it is the fast path and a record. */
static noinline void *kmalloc_traced(size_t size, gfp_t gfp, const void *call_site)
{
	struct kmem_cache *s;
	void *p;

	if (unlikely(!trace_batch_only(TRACE_KMALLOC) || size - 1 >= KMALLOC_MAX_CACHE_SIZE || !event_batch_plain(gfp)))
		return kmalloc_watched(size, gfp, -1, call_site);
	s = class_cache(size, gfp);
	if (unlikely(!slub_pop(s, &p)))
		return kmalloc_watched(size, gfp, -1, call_site);
	return event_batch_alloc(call_site, p, KMEM_BATCH_KMALLOC, s->id, size);
}

static force_inline void *kmalloc_from(size_t size, gfp_t gfp, int node, const void *call_site)
{
	if (trace_on(TRACE_KMALLOC))
		return node < 0 ? kmalloc_traced(size, gfp, call_site) : kmalloc_watched(size, gfp, node, call_site);
	if (unlikely(size - 1 >= KMALLOC_MAX_CACHE_SIZE))
		return kmalloc_no_class(size, gfp, -1, call_site);
	/* Samples know what was asked for. */
	if (sample_on())
		return slub_alloc_request(class_cache(size, gfp), &(struct slab_request){ gfp, node, size, call_site });
	return slub_alloc(class_cache(size, gfp), gfp);
}

static void *kmalloc_on_node(size_t size, gfp_t gfp, int nid, const void *call_site)
{
	const struct slab_request request = { gfp, nid, size, call_site };

	if ((gfp & __GFP_THISNODE) && nid >= (int)numa_nr_nodes())
		return NULL;
	if (trace_on(TRACE_KMALLOC))
		return kmalloc_watched(size, gfp, nid, call_site);
	if (size - 1 < KMALLOC_MAX_CACHE_SIZE)
		return slub_alloc_request(class_cache(size, gfp), &request);
	return kmalloc_no_class(size, gfp, usable_node(nid), call_site);
}

void *kmalloc_in(struct kmem_cache *s, size_t size, gfp_t gfp, const void *call_site)
{
	const struct slab_request request = { gfp, -1, size, call_site };
	void *p;

	if (!trace_on(TRACE_KMALLOC))
		return slub_alloc_request(s, &request);
	p = watch_alloc(s, &request);
	event_kmalloc(call_site, p, size, s->size, gfp, -1, (gfp & __GFP_ACCOUNT) != 0);
	return p;
}

void *kmalloc_at(size_t size, gfp_t gfp, int node, const void *call_site)
{
	return node < 0 ? kmalloc_from(size, gfp, -1, call_site) : kmalloc_on_node(size, gfp, node, call_site);
}

KMEM_API void *__kmalloc_track_caller(size_t size, gfp_t gfp, int nid, const void *caller)
{
	return kmalloc_at(size, gfp, nid, caller);
}

HOT_SLOW void *kmalloc_slow(size_t size, gfp_t gfp);

void *kmalloc_slow(size_t size, gfp_t gfp)
{
	return kmalloc_from(size, gfp, -1, __builtin_return_address(0));
}

HOT_SLOW void *kmalloc_due(size_t size, gfp_t gfp, void *object, struct kmem_slot *slot);

void *kmalloc_due(size_t size, gfp_t gfp, void *object, struct kmem_slot *slot)
{
	const struct slab_request request = { gfp, -1, size, __builtin_return_address(0) };
	struct kmem_cache *s = cache_by_id(*addr_to_id(object));

	return slub_due(s, object, slot) ? object : slub_alloc_request(s, &request);
}

/* Flags that choose another cache, or want the object cleared; places in kmallocs. */
#define HOT_GFP   0x400111
#define HOT_SLOT  8
#define HOT_CLASS 120

_Static_assert(HOT_GFP == (__GFP_DMA | __GFP_RECLAIMABLE | __GFP_ACCOUNT | __GFP_ZERO), "flags");
_Static_assert(offsetof(__typeof__(kmallocs), slot) == HOT_SLOT, "place in kmallocs");
_Static_assert(offsetof(__typeof__(kmallocs), class) == HOT_CLASS, "place in kmallocs");
_Static_assert(GRAIN == 8, "shift below");

KMEM_API HOT_FUNCTION void *kmalloc(HOT_ARGUMENT size_t size, HOT_ARGUMENT gfp_t gfp)
{
	__asm__ volatile("cmpq kmallocs(%%rip), %%rdi\n\t"
		"jae kmalloc_slow\n\t"
		"testl $" HOT_STRING(HOT_GFP) ", %%esi\n\t"
		"jnz kmalloc_slow\n\t"
		"leal 7(%%rdi), %%r9d\n\t"
		"shrl $3, %%r9d\n\t"
		"leaq kmallocs+" HOT_STRING(HOT_SLOT) "(%%rip), %%rdx\n\t"
		"movzbl " HOT_STRING(HOT_CLASS) "-" HOT_STRING(HOT_SLOT) "(%%rdx,%%r9), %%r9d\n\t"
		HOT_POP(kmalloc_slow, kmalloc_due)
		:
		:);
}

KMEM_API void *kmalloc_node(size_t size, gfp_t gfp, int nid)
{
	return kmalloc_on_node(size, gfp, nid, __builtin_return_address(0));
}

/* ---- free ---- */

static cold __attribute__((noreturn)) void bad_kfree(const void *p)
{
	if (!arena_contains(p))
		report_bug("BUG: kfree(%p): not memory of this allocator", p);
	if (large_of(p))
		report_bug("BUG: kfree(%p): memory of vmalloc() or a large kvmalloc(); free it with kvfree()", p);
	report_bug("BUG: kfree(%p): no allocated object is at this address", p);
}

static noinline void free_no_object(const void *p, uint16_t id)
{
	struct page *page = id == KMEM_ID_LARGE ? large_of(p) : NULL;

	if (id == KMEM_ID_GUARD || id == KMEM_ID_GUARD_FREE) {
		guard_free((void *)(uintptr_t)p, __builtin_return_address(0));
		return;
	}
	if (!page || page->flags & KMEM_PG_VMALLOC)
		bad_kfree(p);
	if (unlikely(page->flags & KMEM_PG_SAMPLED))
		sampler_large_gone(page, __builtin_return_address(0));
	large_free(page);
}

/* Fine for NULL and ZERO_SIZE_PTR only. Not noreturn, so that kfree() needs no stack frame for it. */
static noinline void free_outside_arena(const void *p)
{
	if (!ZERO_OR_NULL_PTR(p))
		bad_kfree(p);
}

static force_inline void kfree_core(const void *p)
{
	uint16_t id;

	if (unlikely(!arena_contains(p))) {
		free_outside_arena(p);
		return;
	}
	id = READ_ONCE(*addr_to_id(p));
	if (unlikely(id - 1u >= KMEM_ID_MAX - 1u))
		free_no_object(p, id);
	else
		slub_free(cache_by_id(id), (void *)(uintptr_t)p);
}

void kfree_watched(const void *p, const void *call_site)
{
	uint16_t id = arena_contains(p) ? READ_ONCE(*addr_to_id(p)) : KMEM_ID_NONE;

	if (account_on() && id == KMEM_ID_LARGE && large_of(p))
		account_release(p, large_usable(large_of(p)));
	if (account_on() && id == KMEM_ID_GUARD && guard_size(p))
		account_release(p, cache_by_id(addr_to_page(p)->cache_id)->size);
	if (id - 1u < KMEM_ID_MAX - 1u)
		watch_free(cache_by_id(id), (void *)(uintptr_t)p, call_site);
	else if (id != KMEM_ID_LARGE || !large_of(p) || debug_large_free(large_of(p), call_site))
		kfree_core(p);
}

static noinline void kfree_event(const void *p, const void *call_site)
{
	event_kfree(call_site, p);
	kfree_watched(p, call_site);
}

static noinline void kfree_recorded_slow(const void *p, const void *call_site, uint16_t id)
{
	event_batch_free_slow(call_site, p, KMEM_BATCH_KFREE, id);
	slub_free(cache_by_id(id), (void *)(uintptr_t)p);
}

/* With nothing but the batch probe on it is a record and the fast path. */
static noinline void kfree_traced(const void *p, const void *call_site)
{
	uint16_t id = likely(arena_contains(p)) ? READ_ONCE(*addr_to_id(p)) : KMEM_ID_NONE;

	if (unlikely(id - 1u >= KMEM_ID_MAX - 1u || !trace_batch_only(TRACE_KFREE)))
		kfree_event(p, call_site);
	else if (unlikely(!event_batch_free(call_site, p, KMEM_BATCH_KFREE, id)))
		kfree_recorded_slow(p, call_site, id);
	else
		slub_free(cache_by_id(id), (void *)(uintptr_t)p);
}

void kfree_from(const void *p, const void *call_site)
{
	if (trace_on(TRACE_KFREE))
		kfree_traced(p, call_site);
	else
		kfree_core(p);
}

HOT_SLOW void kfree_slow(const void *p);

void kfree_slow(const void *p)
{
	kfree_from(p, __builtin_return_address(0));
}

KMEM_API HOT_FUNCTION void kfree(HOT_ARGUMENT const void *p)
{
	__asm__ volatile(HOT_FREE(kfree_slow, HOT_CHECK_ADDRESS(kfree_slow))
		:
		:);
}

/* The debug cache that p is an object of, NULL when it is of none. */
static struct kmem_cache *debug_cache_of(const void *p)
{
	uint16_t id = arena_contains(p) ? *addr_to_id(p) : KMEM_ID_NONE;

	return id - 1u < KMEM_ID_MAX - 1u && debug_cache(cache_by_id(id)) ? cache_by_id(id) : NULL;
}

bool kmalloc_may_use(const void *p, const void *call_site)
{
	struct kmem_cache *s = debug_cache_of(p);

	return !s || debug_in_use(s, (void *)(uintptr_t)p, call_site);
}

bool kfree_size_is(const void *p, size_t size, const void *call_site)
{
	struct kmem_cache *s = debug_cache_of(p);

	return !s || debug_size_is(s, (void *)(uintptr_t)p, size, call_site);
}

KMEM_API void kfree_sensitive(const void *p)
{
	volatile uint8_t *byte = (volatile uint8_t *)(uintptr_t)p;
	size_t bytes;

	if (!kmalloc_may_use(p, __builtin_return_address(0)))
		return;
	bytes = object_usable(p);
	/* volatile: the compiler must not drop stores to memory about to be freed. */
	while (bytes--)
		byte[bytes] = 0;
	kfree_from(p, __builtin_return_address(0));
}

KMEM_API void kfree_const(const void *p)
{
	if (arena_contains(p))
		kfree_from(p, __builtin_return_address(0));
}

/* ---- sizes ---- */

/* The kernel's slab_ksize(): what lies behind the object may be a debug cache's, as what was not asked for. */
static size_t cache_usable(const struct kmem_cache *s, const void *p)
{
	if (debug_cache(s) && debug_orig_size_of(s, p))
		return debug_size_of(s, p);
	if (s->flags & (SLAB_RED_ZONE | SLAB_POISON))
		return s->object_size;
	if (s->flags & (SLAB_TYPESAFE_BY_RCU | SLAB_STORE_USER))
		return ALIGN_UP(s->object_size, (uint32_t)sizeof(void *));
	return s->size;
}

size_t object_usable(const void *p)
{
	const struct page *page;
	uint16_t id;

	if (ZERO_OR_NULL_PTR(p))
		return 0;
	if (!arena_contains(p))
		bad_kfree(p);
	id = *addr_to_id(p);
	if (id - 1u < KMEM_ID_MAX - 1u)
		return cache_usable(cache_by_id(id), p);
	if (id == KMEM_ID_GUARD && guard_size(p))
		return guard_size(p);
	page = large_of(p);
	if (!page)
		bad_kfree(p);
	return large_usable(page);
}

KMEM_API size_t ksize(const void *p)
{
	struct kmem_cache *s = debug_cache_of(p);

	if (!kmalloc_may_use(p, __builtin_return_address(0)))
		return 0;
	if (s)
		debug_claim(s, (void *)(uintptr_t)p);
	return object_usable(p);
}

/* ---- krealloc and friends ---- */

void *krealloc_from(const void *p, size_t new_size, gfp_t gfp, const void *call_site)
{
	struct kmem_cache *debugged = debug_cache_of(p);
	struct page *page = large_of(p);
	size_t old;
	void *copy;

	if (!kmalloc_may_use(p, call_site))
		return NULL;
	old = object_usable(p);
	if (!new_size) {
		kfree_from(p, call_site);
		return ZERO_SIZE_PTR;
	}
	if (page && debug_large_on(page) && new_size > KMALLOC_MAX_CACHE_SIZE && debug_large_resize(page, new_size))
		return (void *)(uintptr_t)p;
	if (debugged && debug_resize(debugged, (void *)(uintptr_t)p, new_size, wipe_gfp(gfp)))
		return (void *)(uintptr_t)p;
	if (old >= new_size) {
		/* So that a later krealloc() with __GFP_ZERO finds the spare bytes zero. */
		if (wipe_gfp(gfp) & __GFP_ZERO)
			memset((uint8_t *)(uintptr_t)p + new_size, 0, old - new_size);
		return (void *)(uintptr_t)p;
	}
	copy = kmalloc_from(new_size, gfp, -1, call_site);
	if (!copy)
		return NULL;
	if (old) {
		memcpy(copy, p, old);
		kfree_from(p, call_site);
	}
	return copy;
}

KMEM_API void *krealloc(const void *p, size_t new_size, gfp_t gfp)
{
	return krealloc_from(p, new_size, gfp, __builtin_return_address(0));
}

KMEM_API void *krealloc_array(void *p, size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return krealloc_from(p, bytes, gfp, __builtin_return_address(0));
}

static char *copy_string(const char *s, size_t len, gfp_t gfp, const void *call_site)
{
	char *copy = kmalloc_from(len + 1, gfp, -1, call_site);

	if (copy) {
		memcpy(copy, s, len);
		copy[len] = '\0';
	}
	return copy;
}

KMEM_API char *kstrdup(const char *s, gfp_t gfp)
{
	return s ? copy_string(s, strlen(s), gfp, __builtin_return_address(0)) : NULL;
}

KMEM_API char *kstrndup(const char *s, size_t max, gfp_t gfp)
{
	return s ? copy_string(s, strnlen(s, max), gfp, __builtin_return_address(0)) : NULL;
}

KMEM_API void *kmemdup(const void *src, size_t len, gfp_t gfp)
{
	void *copy = kmalloc_from(len, gfp, -1, __builtin_return_address(0));

	if (copy && len)
		memcpy(copy, src, len);
	return copy;
}
