/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace.c - every USDT probe site of the library.
 *
 * Compiled with -mno-red-zone and frame pointers: Linux 6.18 may replace a
 * probed nop by a call, which pushes onto the stack of the function it is in.
 * The functions do nothing else, so at the nop the arguments are still in
 * rdi, rsi, rdx, rcx, r8, r9 and then on the stack.
 */
#include "base/trace.h"

#define SDT_USE_VARIADIC
#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>

/* The kernel finds a semaphore in the file: not in .bss. */
static struct {
	uint32_t base;
	struct trace_semaphore semaphore[TRACE_NR_EVENTS];
} words __asm__("trace_base") __attribute__((used, section(".probes"), aligned(8)));

_Static_assert(!TRACE_KFREE, "its count ends the base");
_Static_assert(offsetof(__typeof__(words), semaphore) == 4, "place below");

__asm__(".globl trace_base, trace_semaphore\n\t.hidden trace_base, trace_semaphore\n\t"
	".set trace_semaphore, trace_base + 4\n");

/* <sys/sdt.h> wants one symbol per probe; they are names for the counts in the array. */
#define DECLARE(provider, name, NAME) extern uint16_t provider##_##name##_semaphore __attribute__((visibility("hidden")));
#define DEFINE(provider, name, NAME)                                                                    \
	".globl " #provider "_" #name "_semaphore\n\t"                                                  \
	".hidden " #provider "_" #name "_semaphore\n\t"                                                 \
	".set " #provider "_" #name "_semaphore, trace_semaphore + 2 + 4 * .Ltrace_event\n\t"           \
	".set .Ltrace_event, .Ltrace_event + 1\n\t"

TRACE_PROBES(DECLARE)
__asm__(".set .Ltrace_event, 0\n\t" TRACE_PROBES(DEFINE));

static unsigned int watchers KMEM_STATE;

bool trace_watched(void)
{
	return READ_ONCE(watchers) || READ_ONCE(trace_semaphore[TRACE_KMEM_CACHE_ALLOC].asked) ||
	       READ_ONCE(trace_semaphore[TRACE_KMALLOC].asked);
}

void trace_watch(bool on)
{
	unsigned int event;

	__atomic_fetch_add(&watchers, on ? 1 : -1U, __ATOMIC_RELAXED);

	/* A tracer is one more on the same count; the kernel adds and takes away the same way. */
	for (event = 0; event < TRACE_BATCH; event++)
		__atomic_fetch_add(&trace_semaphore[event].count, (uint16_t)(on ? 1 : -1), __ATOMIC_RELAXED);
}

noinline void trace_kmem_cache_alloc(const void *call_site, const void *ptr, const char *name, size_t bytes_req,
				     size_t bytes_alloc, gfp_t gfp_flags, int node, int accounted)
{
	STAP_PROBEV(kmem, kmem_cache_alloc, call_site, ptr, name, bytes_req, bytes_alloc, gfp_flags, node,
		    accounted);
}

noinline void trace_kmem_cache_free(const void *call_site, const void *ptr, const char *name)
{
	STAP_PROBEV(kmem, kmem_cache_free, call_site, ptr, name);
}

noinline void trace_kmalloc(const void *call_site, const void *ptr, size_t bytes_req, size_t bytes_alloc,
			    gfp_t gfp_flags, int node, int accounted)
{
	STAP_PROBEV(kmem, kmalloc, call_site, ptr, bytes_req, bytes_alloc, gfp_flags, node, accounted);
}

noinline void trace_kfree(const void *call_site, const void *ptr)
{
	STAP_PROBEV(kmem, kfree, call_site, ptr);
}

noinline void trace_mm_page_alloc(unsigned long pfn, unsigned int order, gfp_t gfp_flags, int migratetype)
{
	STAP_PROBEV(kmem, mm_page_alloc, pfn, order, gfp_flags, migratetype);
}

noinline void trace_mm_page_free(unsigned long pfn, unsigned int order)
{
	STAP_PROBEV(kmem, mm_page_free, pfn, order);
}

noinline void trace_mm_page_alloc_extfrag(unsigned long pfn, int alloc_order, int fallback_order, int alloc_migratetype,
					  int fallback_migratetype, int change_ownership)
{
	STAP_PROBEV(kmem, mm_page_alloc_extfrag, pfn, alloc_order, fallback_order, alloc_migratetype,
		    fallback_migratetype, change_ownership);
}

noinline void trace_mm_page_alloc_zone_locked(unsigned long pfn, unsigned int order, int migratetype, int percpu_refill)
{
	STAP_PROBEV(kmem, mm_page_alloc_zone_locked, pfn, order, migratetype, percpu_refill);
}

noinline void trace_mm_page_pcpu_drain(unsigned long pfn, unsigned int order, int migratetype)
{
	STAP_PROBEV(kmem, mm_page_pcpu_drain, pfn, order, migratetype);
}

noinline void trace_mm_page_free_batched(unsigned long pfn)
{
	STAP_PROBEV(kmem, mm_page_free_batched, pfn);
}

noinline void trace_zone_grow(unsigned long pfn, unsigned long pages, int zone)
{
	STAP_PROBEV(kmem, zone_grow, pfn, pages, zone);
}

noinline void trace_zone_return(unsigned long pfn, unsigned long pages, int zone)
{
	STAP_PROBEV(kmem, zone_return, pfn, pages, zone);
}

noinline void trace_purge(unsigned long pfn, unsigned long pages, int lazily)
{
	STAP_PROBEV(kmem, purge, pfn, pages, lazily);
}

noinline void trace_mm_shrink_slab_start(const void *shr, const void *shrink, int nid, long nr_objects_to_shrink,
					 gfp_t gfp_flags, unsigned long cache_items, unsigned long delta,
					 unsigned long total_scan, int priority)
{
	STAP_PROBEV(kmem, mm_shrink_slab_start, shr, shrink, nid, nr_objects_to_shrink, gfp_flags, cache_items, delta,
		    total_scan, priority);
}

noinline void trace_mm_shrink_slab_end(const void *shr, int nid, const void *shrink, long unused_scan, long new_scan,
				       int retval, long total_scan)
{
	STAP_PROBEV(kmem, mm_shrink_slab_end, shr, nid, shrink, unused_scan, new_scan, retval, total_scan);
}

noinline void trace_kmem_cache_create(const void *call_site, const void *cache, const char *name,
				      unsigned int object_size, unsigned int size, unsigned int align,
				      unsigned int flags)
{
	STAP_PROBEV(kmem, kmem_cache_create, call_site, cache, name, object_size, size, align, flags);
}

noinline void trace_kmem_cache_destroy(const void *call_site, const void *cache, const char *name)
{
	STAP_PROBEV(kmem, kmem_cache_destroy, call_site, cache, name);
}

noinline void trace_kmem_cache_shrink(const void *cache, const char *name, unsigned long slabs)
{
	STAP_PROBEV(kmem, kmem_cache_shrink, cache, name, slabs);
}

noinline void trace_slot_refill(const void *cache, const char *name, int node, int slabs)
{
	STAP_PROBEV(kmem, slot_refill, cache, name, node, slabs);
}

noinline void trace_slot_flush(const void *cache, const char *name, int node, int slabs)
{
	STAP_PROBEV(kmem, slot_flush, cache, name, node, slabs);
}

noinline void trace_percpu_alloc_percpu(const void *call_site, int reserved, int is_atomic, size_t size, size_t align,
					const void *base_addr, int off, const void *ptr, size_t bytes_alloc,
					gfp_t gfp_flags)
{
	STAP_PROBEV(kmem, percpu_alloc_percpu, call_site, reserved, is_atomic, size, align, base_addr, off, ptr,
		    bytes_alloc, gfp_flags);
}

noinline void trace_percpu_alloc_percpu_fail(int reserved, int is_atomic, size_t size, size_t align)
{
	STAP_PROBEV(kmem, percpu_alloc_percpu_fail, reserved, is_atomic, size, align);
}

noinline void trace_percpu_free_percpu(const void *base_addr, int off, const void *ptr)
{
	STAP_PROBEV(kmem, percpu_free_percpu, base_addr, off, ptr);
}

noinline void trace_mempool_alloc(const void *call_site, const void *ptr, const void *pool, const char *name,
				  gfp_t gfp_flags, int reserve)
{
	STAP_PROBEV(kmem, mempool_alloc, call_site, ptr, pool, name, gfp_flags, reserve);
}

noinline void trace_mempool_free(const void *call_site, const void *ptr, const void *pool, const char *name,
				 int reserve)
{
	STAP_PROBEV(kmem, mempool_free, call_site, ptr, pool, name, reserve);
}

noinline void trace_mempool_wait(const void *call_site, const void *pool, const char *name, gfp_t gfp_flags,
				 unsigned int waiting)
{
	STAP_PROBEV(kmem, mempool_wait, call_site, pool, name, gfp_flags, waiting);
}

noinline void trace_mempool_resize(const void *call_site, const void *pool, const char *name, int old_nr,
				   int new_nr)
{
	STAP_PROBEV(kmem, mempool_resize, call_site, pool, name, old_nr, new_nr);
}

noinline void trace_genpool_alloc(const void *call_site, unsigned long addr, const void *pool, const char *name,
				  size_t bytes)
{
	STAP_PROBEV(kmem, genpool_alloc, call_site, addr, pool, name, bytes);
}

noinline void trace_genpool_free(const void *call_site, unsigned long addr, const void *pool, const char *name,
				 size_t bytes)
{
	STAP_PROBEV(kmem, genpool_free, call_site, addr, pool, name, bytes);
}

noinline void trace_mp_create(const void *call_site, const void *pool, const char *name, size_t bytes)
{
	STAP_PROBEV(kmem, mp_create, call_site, pool, name, bytes);
}

noinline void trace_mp_grow(const void *call_site, const void *ptr, const void *pool, const char *name, size_t bytes)
{
	STAP_PROBEV(kmem, mp_grow, call_site, ptr, pool, name, bytes);
}

noinline void trace_mp_reset(const void *call_site, const void *pool, const char *name, size_t bytes)
{
	STAP_PROBEV(kmem, mp_reset, call_site, pool, name, bytes);
}

noinline void trace_mp_destroy(const void *call_site, const void *pool, const char *name, size_t bytes)
{
	STAP_PROBEV(kmem, mp_destroy, call_site, pool, name, bytes);
}

noinline void trace_sample(const void *call_site, const void *ptr, size_t size, unsigned long weight, unsigned int stack,
			   int freed)
{
	STAP_PROBEV(kmem, sample, call_site, ptr, size, weight, stack, freed);
}

noinline void trace_alloc(const void *ptr, size_t size, unsigned long weighted_bytes)
{
	STAP_PROBEV(otel_memory, alloc, ptr, size, weighted_bytes);
}

noinline void trace_free(const void *ptr)
{
	STAP_PROBEV(otel_memory, free, ptr);
}

noinline void trace_batch(const struct kmem_batch *batch, unsigned int nr_records)
{
	STAP_PROBEV(kmem, batch, batch, nr_records);
}

/* One more place of the batch probe: a nop that nobody passes, with another probe's semaphore. */
#define BATCH_PLACE(probe)                                                                \
	__asm__ volatile("990: nop\n\t"                                                    \
		".pushsection .note.stapsdt, \"\", @note\n\t"                               \
		".balign 4\n\t"                                                           \
		".long 992f - 991f, 994f - 993f, 3\n"                                     \
		"991: .asciz \"stapsdt\"\n"                                               \
		"992: .balign 4\n"                                                        \
		"993: .quad 990b, _.stapsdt.base, kmem_" #probe "_semaphore\n\t"          \
		".asciz \"kmem\"\n\t"                                                     \
		".asciz \"batch\"\n\t"                                                    \
		".asciz \"8@%rdi 4@%esi\"\n"                                              \
		"994: .balign 4\n\t"                                                      \
		".popsection")

/* Called by nobody; here so that there are places. */
__attribute__((used)) static noinline void batch_places(void)
{
	BATCH_PLACE(kmem_cache_alloc);
	BATCH_PLACE(kmem_cache_free);
	BATCH_PLACE(kmalloc);
	BATCH_PLACE(kfree);
}
