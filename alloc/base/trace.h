/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace.h - the USDT probes, provider "kmem": one per kernel tracepoint of that
 * name, with the fields of the kernel's event record (6.18) in its order, and
 * those of the pools, which the kernel lacks.
 *
 * Callers write `if (trace_on(TRACE_KMALLOC)) trace_kmalloc(...)`. Untraced that
 * is a compare with zero and an untaken branch; the probe itself sits in a
 * function of its own in trace.c, so its arguments are in the registers of the
 * calling convention and a tracer's trap never lands in the fast path.
 */
#ifndef BASE_TRACE_H
#define BASE_TRACE_H

#include <kmem/gfp.h>

#include "base/base.h"

/*
 * All probes: provider, name, and its name in C. The first three stay first: kfree's
 * count joins the word in front (below), and kmem_fast_semaphore points at the
 * next two. trace_watch() raises those before batch and leaves the others alone.
 */
#define TRACE_PROBES(X)                                                       \
	X(kmem, kfree, KFREE)                                                 \
	X(kmem, kmem_cache_alloc, KMEM_CACHE_ALLOC)                           \
	X(kmem, kmem_cache_free, KMEM_CACHE_FREE)                             \
	X(kmem, kmalloc, KMALLOC)                                             \
	X(kmem, mm_page_alloc, MM_PAGE_ALLOC)                                 \
	X(kmem, mm_page_free, MM_PAGE_FREE)                                   \
	X(kmem, mempool_alloc, MEMPOOL_ALLOC)                                 \
	X(kmem, mempool_free, MEMPOOL_FREE)                                   \
	X(kmem, mempool_wait, MEMPOOL_WAIT)                                   \
	X(kmem, mempool_resize, MEMPOOL_RESIZE)                               \
	X(kmem, genpool_alloc, GENPOOL_ALLOC)                                 \
	X(kmem, genpool_free, GENPOOL_FREE)                                   \
	X(kmem, mp_create, MP_CREATE)                                         \
	X(kmem, mp_grow, MP_GROW)                                             \
	X(kmem, mp_reset, MP_RESET)                                           \
	X(kmem, mp_destroy, MP_DESTROY)                                       \
	X(kmem, batch, BATCH)                                                 \
	X(kmem, mm_page_alloc_extfrag, MM_PAGE_ALLOC_EXTFRAG)                 \
	X(kmem, mm_page_alloc_zone_locked, MM_PAGE_ALLOC_ZONE_LOCKED)         \
	X(kmem, mm_page_pcpu_drain, MM_PAGE_PCPU_DRAIN)                       \
	X(kmem, mm_page_free_batched, MM_PAGE_FREE_BATCHED)                   \
	X(kmem, zone_grow, ZONE_GROW)                                         \
	X(kmem, zone_return, ZONE_RETURN)                                     \
	X(kmem, purge, PURGE)                                                 \
	X(kmem, mm_shrink_slab_start, MM_SHRINK_SLAB_START)                   \
	X(kmem, mm_shrink_slab_end, MM_SHRINK_SLAB_END)                       \
	X(kmem, kmem_cache_create, KMEM_CACHE_CREATE)                         \
	X(kmem, kmem_cache_destroy, KMEM_CACHE_DESTROY)                       \
	X(kmem, kmem_cache_shrink, KMEM_CACHE_SHRINK)                         \
	X(kmem, slot_refill, SLOT_REFILL)                                     \
	X(kmem, slot_flush, SLOT_FLUSH)                                       \
	X(kmem, percpu_alloc_percpu, PERCPU_ALLOC_PERCPU)                     \
	X(kmem, percpu_alloc_percpu_fail, PERCPU_ALLOC_PERCPU_FAIL)           \
	X(kmem, percpu_free_percpu, PERCPU_FREE_PERCPU)                       \
	X(kmem, sample, SAMPLE)                                               \
	X(otel_memory, alloc, OTEL_ALLOC)                                     \
	X(otel_memory, free, OTEL_FREE)

enum trace_event {
#define TRACE_ENUM(provider, name, NAME) TRACE_##NAME,
	TRACE_PROBES(TRACE_ENUM)
#undef TRACE_ENUM
	TRACE_NR_EVENTS
};

/*
 * One semaphore per probe: the number of tracers, kept by the kernel, and in front
 * of it a word that an observer sets to 65535 to be noticed (kmem_observe.attention).
 * The 4 bytes read 0 when nobody traces or asks, and at least 65535 otherwise, which
 * is more than any slot holds: the inline fast path compares that number with them.
 */
struct trace_semaphore {
	uint16_t asked;
	uint16_t count;
};
extern KMEM_HIDDEN struct trace_semaphore trace_semaphore[TRACE_NR_EVENTS];

/*
 * The arena's base lies in front of kfree's count and in the word before it, which nobody
 * asks by: 8 bytes that free() subtracts from an address. While somebody traces, the count makes
 * them a base that no address is near, so that the range check finds every one outside.
 */
struct trace_base {
	uint32_t low;
	uint16_t high; /* trace_semaphore[TRACE_KFREE].asked */
	uint16_t count;
};
extern KMEM_HIDDEN struct trace_base trace_base;

/* Before the first object is handed out. The count is the kernel's. */
static inline void trace_set_base(uintptr_t base)
{
	WRITE_ONCE(trace_base.low, (uint32_t)base);
	WRITE_ONCE(trace_base.high, (uint16_t)(base >> 32));
}

static force_inline bool trace_on(enum trace_event event)
{
	/* One compare with memory; the kernel changes it behind the compiler's back. */
	if (event == TRACE_KFREE)
		__asm__ goto("cmpw $0, %0\n\tjne %l[on]" : : "m"(trace_base.count) : "cc" : on);
	else
		__asm__ goto("cmpl $0, %0\n\tjne %l[on]" : : "m"(trace_semaphore[event]) : "cc" : on);
	/* The batch probe raises those of objects itself: no second compare on their path. */
	if (event == TRACE_MM_PAGE_ALLOC || event == TRACE_MM_PAGE_FREE)
		__asm__ goto("cmpl $0, %0\n\tjne %l[on]" : : "m"(trace_semaphore[TRACE_BATCH]) : "cc" : on);
	return false;
on:
	return true;
}

/*
 * Once trace_on() is true: whether that is due to the batch probe alone. Everybody
 * else, trace_watch() and the mailbox included, makes the event's words differ.
 */
static force_inline bool trace_batch_only(enum trace_event event)
{
	bool same;

	if (event == TRACE_KFREE)
		return READ_ONCE(trace_base.count) == READ_ONCE(trace_semaphore[TRACE_BATCH].count);
	__asm__ volatile("movl %1, %%eax\n\tcmpl %2, %%eax"
			 : "=@cce"(same)
			 : "m"(trace_semaphore[event]), "m"(trace_semaphore[TRACE_BATCH])
			 : "eax");
	return same;
}

/* Whether a probe itself is attached, or trace_watch() on, not just the batch probe. */
static inline bool trace_single(enum trace_event event)
{
	uint16_t batch = event <= TRACE_KMALLOC ? READ_ONCE(trace_semaphore[TRACE_BATCH].count) : 0;

	return READ_ONCE(trace_semaphore[event].count) > batch;
}

/*
 * Divert every allocation and free of objects and pages to the traced functions
 * as long as somebody in the process wants to see them: calls add up, and each
 * trace_watch(false) takes one back. What is optional (debugging, fault
 * injection, ...) hangs there, and costs nothing while it is off.
 */
void trace_watch(bool on);

/* Whether anybody does, or an observer has asked to be noticed. */
bool trace_watched(void);

/*
 * What follows is also docs/PROBES.md (`make docs`): of each probe when it fires,
 * its arguments, its counterpart in the kernel, and where it is:
 *   object  on the watched path of objects: dormant it costs as kmem_cache_alloc's
 *   slow    on a path that is slow anyway: a compare with memory and a branch
 *   rare    beside system calls, or with the registry locked
 */

/*
 * An object of a cache was allocated, one by one, in bulk or from a sheaf.
 *   call_site    return address in the program
 *   ptr          the object; 0: the allocation failed
 *   name         of the cache
 *   bytes_req    size of the cache's objects
 *   bytes_alloc  what one takes in its slab
 *   gfp_flags    of the call, as in kmem/gfp.h, which are the kernel's
 *   node         asked for, -1: none
 *   accounted    1 with __GFP_ACCOUNT or in a cache with SLAB_ACCOUNT
 * Kernel: kmem:kmem_cache_alloc
 * Place: object
 */
void trace_kmem_cache_alloc(const void *call_site, const void *ptr, const char *name, size_t bytes_req,
			    size_t bytes_alloc, gfp_t gfp_flags, int node, int accounted);

/*
 * An object is about to be freed by kmem_cache_free(), its bulk form, or, after the grace period, kfree_rcu().
 *   call_site    return address in the program
 *   ptr          the object
 *   name         of the cache
 * Kernel: kmem:kmem_cache_free
 * Place: object
 */
void trace_kmem_cache_free(const void *call_site, const void *ptr, const char *name);

/*
 * kmalloc(), vmalloc(), malloc() and their like returned.
 *   call_site    return address in the program
 *   ptr          the object; 0: the allocation failed
 *   bytes_req    bytes asked for
 *   bytes_alloc  bytes that may be used
 *   gfp_flags    of the call
 *   node         asked for, -1: none
 *   accounted    1 with __GFP_ACCOUNT
 * Kernel: kmem:kmalloc
 * Place: object
 */
void trace_kmalloc(const void *call_site, const void *ptr, size_t bytes_req, size_t bytes_alloc,
		   gfp_t gfp_flags, int node, int accounted);

/*
 * An object is about to be freed by kfree(), kvfree(), vfree(), free() and their like.
 *   call_site    return address in the program
 *   ptr          the object; kfree(NULL) fires, too, as in the kernel
 * Kernel: kmem:kfree
 * Place: object
 */
void trace_kfree(const void *call_site, const void *ptr);

/*
 * A block of pages was allocated, for a slab or a caller.
 *   pfn          index of its first page in the arena; -1: the allocation failed
 *   order        2^order pages
 *   gfp_flags    of the request
 *   migratetype  asked for: 0 unmovable, 1 movable, 2 reclaimable
 * Kernel: kmem:mm_page_alloc
 * Place: slow
 */
void trace_mm_page_alloc(unsigned long pfn, unsigned int order, gfp_t gfp_flags, int migratetype);

/*
 * A block of pages is about to be freed.
 *   pfn          index of its first page in the arena
 *   order        2^order pages
 * Kernel: kmem:mm_page_free
 * Place: slow
 */
void trace_mm_page_free(unsigned long pfn, unsigned int order);

/*
 * A page is about to be freed by free_pages_bulk(); mm_page_free fires for it, too.
 *   pfn          index of the page in the arena
 * Kernel: kmem:mm_page_free_batched
 * Place: slow
 */
void trace_mm_page_free_batched(unsigned long pfn);

/*
 * A block of another mobility than asked for is handed out. The zone is locked.
 *   pfn                   index of its first page in the arena
 *   alloc_order           asked for
 *   fallback_order        of the block that was found
 *   alloc_migratetype     asked for
 *   fallback_migratetype  of the list where it was found
 *   change_ownership      1: its pageblock now is of the type asked for
 * Kernel: kmem:mm_page_alloc_extfrag
 * Place: slow
 */
void trace_mm_page_alloc_extfrag(unsigned long pfn, int alloc_order, int fallback_order, int alloc_migratetype,
				 int fallback_migratetype, int change_ownership);

/*
 * A block leaves the free lists of its zone, which is locked.
 *   pfn            index of its first page in the arena
 *   order          2^order pages
 *   migratetype    of the list
 *   percpu_refill  1: of an order and type that per-CPU lists hold
 * Kernel: kmem:mm_page_alloc_zone_locked
 * Place: slow
 */
void trace_mm_page_alloc_zone_locked(unsigned long pfn, unsigned int order, int migratetype, int percpu_refill);

/*
 * A block goes from a per-CPU list back to its zone, which is locked.
 *   pfn          index of its first page in the arena
 *   order        2^order pages
 *   migratetype  under which it was allocated
 * Kernel: kmem:mm_page_pcpu_drain
 * Place: slow
 */
void trace_mm_page_pcpu_drain(unsigned long pfn, unsigned int order, int migratetype);

/*
 * A zone has grown: pages were got from the system.
 *   pfn          index of the first page in the arena
 *   pages        how many
 *   zone         index of the zone
 * Kernel: none
 * Place: rare
 */
void trace_zone_grow(unsigned long pfn, unsigned long pages, int zone);

/*
 * A zone has given pages back to the system, addresses included, for another one to have them.
 *   pfn          index of the first page in the arena
 *   pages        how many
 *   zone         index of the zone
 * Kernel: none
 * Place: rare
 */
void trace_zone_return(unsigned long pfn, unsigned long pages, int zone);

/*
 * Free pages, or unused ones of a sparse slab, gave up their memory; their addresses stay.
 *   pfn          index of the first page in the arena
 *   pages        how many
 *   lazily       1: the system takes them when it is short (madvise=free)
 * Kernel: none
 * Place: rare
 */
void trace_purge(unsigned long pfn, unsigned long pages, int lazily);

/*
 * A shrinker is about to be asked to free objects.
 *   shr                   the struct shrinker
 *   shrink                its scan_objects()
 *   nid                   node
 *   nr_objects_to_shrink  left over from earlier calls
 *   gfp_flags             of the request that is short of memory
 *   cache_items           what count_objects() said
 *   delta                 share of it due to this pressure
 *   total_scan            objects that it shall look at
 *   priority              12: least pressure, 0: most
 * Kernel: vmscan:mm_shrink_slab_start
 * Place: rare
 */
void trace_mm_shrink_slab_start(const void *shr, const void *shrink, int nid, long nr_objects_to_shrink,
				gfp_t gfp_flags, unsigned long cache_items, unsigned long delta,
				unsigned long total_scan, int priority);

/*
 * A shrinker is done.
 *   shr          the struct shrinker
 *   nid          node
 *   shrink       its scan_objects()
 *   unused_scan  left over from earlier calls
 *   new_scan     left over for later ones
 *   retval       objects freed
 *   total_scan   objects that it looked at
 * Kernel: vmscan:mm_shrink_slab_end
 * Place: rare
 */
void trace_mm_shrink_slab_end(const void *shr, int nid, const void *shrink, long unused_scan, long new_scan,
			      int retval, long total_scan);

/*
 * A cache was created.
 *   call_site    return address in the program; of the library, for kmalloc's and malloc's own
 *   cache        the struct kmem_cache
 *   name         of the cache
 *   object_size  bytes asked for
 *   size         bytes that an object takes in its slab
 *   align        bytes
 *   flags        SLAB_*, as in kmem/slab.h
 * Kernel: none
 * Place: rare
 */
void trace_kmem_cache_create(const void *call_site, const void *cache, const char *name, unsigned int object_size,
			     unsigned int size, unsigned int align, unsigned int flags);

/*
 * A cache is about to be destroyed; the events of objects that its end frees have fired.
 *   call_site    return address in the program
 *   cache        the struct kmem_cache
 *   name         of the cache
 * Kernel: none
 * Place: rare
 */
void trace_kmem_cache_destroy(const void *call_site, const void *cache, const char *name);

/*
 * A cache has given back what it had parked: kmem_cache_shrink(), or memory was short.
 *   cache        the struct kmem_cache
 *   name         of the cache
 *   slabs        that it still has
 * Kernel: none
 * Place: rare
 */
void trace_kmem_cache_shrink(const void *cache, const char *name, unsigned long slabs);

/*
 * An allocation found the slot of its CPU empty, and was served with more objects for it. The node is locked.
 *   cache        the struct kmem_cache
 *   name         of the cache
 *   node         whose objects they are
 *   slabs        0: sheaves of the barn, 1: out of slabs
 * Kernel: none
 * Place: slow
 */
void trace_slot_refill(const void *cache, const char *name, int node, int slabs);

/*
 * A free found the slot of its CPU full, and objects left it. The node is locked.
 *   cache        the struct kmem_cache
 *   name         of the cache
 *   node         whose objects they are
 *   slabs        0: as a sheaf into the barn, 1: into their slabs
 * Kernel: none
 * Place: slow
 */
void trace_slot_flush(const void *cache, const char *name, int node, int slabs);

/*
 * alloc_percpu() and its like returned memory.
 *   call_site    return address in the program
 *   reserved     0
 *   is_atomic    1 without __GFP_DIRECT_RECLAIM
 *   size         bytes asked for, per CPU
 *   align        bytes
 *   base_addr    of the first CPU's unit
 *   off          of the memory in each unit
 *   ptr          for this_cpu_ptr() and per_cpu_ptr()
 *   bytes_alloc  what it takes of each unit
 *   gfp_flags    of the call
 * Kernel: percpu:percpu_alloc_percpu
 * Place: rare
 */
void trace_percpu_alloc_percpu(const void *call_site, int reserved, int is_atomic, size_t size, size_t align,
			       const void *base_addr, int off, const void *ptr, size_t bytes_alloc, gfp_t gfp_flags);

/*
 * alloc_percpu() and its like found no room.
 *   reserved     0
 *   is_atomic    1 without __GFP_DIRECT_RECLAIM
 *   size         bytes asked for, per CPU
 *   align        bytes
 * Kernel: percpu:percpu_alloc_percpu_fail
 * Place: rare
 */
void trace_percpu_alloc_percpu_fail(int reserved, int is_atomic, size_t size, size_t align);

/*
 * free_percpu() has freed. The pools are locked.
 *   base_addr    of the first CPU's unit
 *   off          of the memory in each unit
 *   ptr          as it was returned
 * Kernel: percpu:percpu_free_percpu
 * Place: rare
 */
void trace_percpu_free_percpu(const void *base_addr, int off, const void *ptr);

/*
 * An element was taken from a mempool. If it comes from below, the events of the allocator there fire, too.
 *   call_site    return address in the program
 *   ptr          the element
 *   pool         the mempool_t
 *   name         of the pool
 *   gfp_flags    of the call
 *   reserve      1: out of the reserve
 * Kernel: none
 * Place: slow
 */
void trace_mempool_alloc(const void *call_site, const void *ptr, const void *pool, const char *name,
			 gfp_t gfp_flags, int reserve);

/*
 * An element is about to be given back to a mempool.
 *   call_site    return address in the program
 *   ptr          the element
 *   pool         the mempool_t
 *   name         of the pool
 *   reserve      1: it goes into the reserve, 0: it is freed
 * Kernel: none
 * Place: slow
 */
void trace_mempool_free(const void *call_site, const void *ptr, const void *pool, const char *name, int reserve);

/*
 * A thread begins to wait for an element.
 *   call_site    return address in the program
 *   pool         the mempool_t
 *   name         of the pool
 *   gfp_flags    of the call
 *   waiting      threads in the queue, this one included
 * Kernel: none
 * Place: rare
 */
void trace_mempool_wait(const void *call_site, const void *pool, const char *name, gfp_t gfp_flags,
			unsigned int waiting);

/*
 * mempool_resize() succeeded.
 *   call_site    return address in the program
 *   pool         the mempool_t
 *   name         of the pool
 *   old_nr       elements of the reserve before
 *   new_nr       and from now on
 * Kernel: none
 * Place: rare
 */
void trace_mempool_resize(const void *call_site, const void *pool, const char *name, int old_nr, int new_nr);

/*
 * gen_pool_alloc() and its like returned.
 *   call_site    return address in the program
 *   addr         0: the allocation failed
 *   pool         the struct gen_pool
 *   name         of the pool
 *   bytes        asked for
 * Kernel: none
 * Place: slow
 */
void trace_genpool_alloc(const void *call_site, unsigned long addr, const void *pool, const char *name, size_t bytes);

/*
 * gen_pool_free() is about to free.
 *   call_site    return address in the program
 *   addr         what is freed
 *   pool         the struct gen_pool
 *   name         of the pool
 *   bytes        as the caller says
 * Kernel: none
 * Place: slow
 */
void trace_genpool_free(const void *call_site, unsigned long addr, const void *pool, const char *name, size_t bytes);

/*
 * A region pool was created.
 *   call_site    return address in the program
 *   pool         the struct mp_pool
 *   name         of the pool
 *   bytes        of the first node, or of the program's memory
 * Kernel: none
 * Place: rare
 */
void trace_mp_create(const void *call_site, const void *pool, const char *name, size_t bytes);

/*
 * A region pool got one more node, or a block for something large.
 *   call_site    return address in the program
 *   ptr          the node or block
 *   pool         the struct mp_pool
 *   name         of the pool
 *   bytes        of the node or block
 * Kernel: none
 * Place: slow
 */
void trace_mp_grow(const void *call_site, const void *ptr, const void *pool, const char *name, size_t bytes);

/*
 * Everything in a region pool is about to be freed.
 *   call_site    return address in the program
 *   pool         the struct mp_pool
 *   name         of the pool
 *   bytes        in use until now
 * Kernel: none
 * Place: rare
 */
void trace_mp_reset(const void *call_site, const void *pool, const char *name, size_t bytes);

/*
 * A region pool is about to be destroyed.
 *   call_site    return address in the program
 *   pool         the struct mp_pool
 *   name         of the pool
 *   bytes        in use until now
 * Kernel: none
 * Place: rare
 */
void trace_mp_destroy(const void *call_site, const void *pool, const char *name, size_t bytes);

struct kmem_batch;

/*
 * A buffer of event records is full: kmem/observe_batch.h. The probe has a place
 * for each semaphore of the object probes, too, so that attaching it diverts objects as attaching those does.
 *   batch        the struct kmem_batch
 *   nr_records   valid ones in it
 * Kernel: none
 * Place: object
 */
void trace_batch(const struct kmem_batch *batch, unsigned int nr_records);

/*
 * A sample was allocated, or is about to be freed: kmem/observe_sample.h. On with KMEM_OPTIONS=sample=SIZE.
 *   call_site    return address in the program
 *   ptr          the object
 *   size         bytes asked for
 *   weight       bytes that it stands for
 *   stack        of the allocation: handle in the depot (kmem_observe.depot), 0: none
 *   freed        1: it is about to be freed
 * Kernel: none
 * Place: slow
 */
void trace_sample(const void *call_site, const void *ptr, size_t size, unsigned long weight, unsigned int stack,
		  int freed);

/*
 * A sample was allocated, by the contract of continuous profilers that attach to this provider.
 *   ptr             the object
 *   size            bytes asked for
 *   weighted_bytes  that it stands for
 * Kernel: none
 * Place: slow
 */
void trace_alloc(const void *ptr, size_t size, unsigned long weighted_bytes);

/*
 * A sample is about to be freed.
 *   ptr          the object
 * Kernel: none
 * Place: slow
 */
void trace_free(const void *ptr);

#endif
