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

enum trace_event {
	TRACE_KMEM_CACHE_ALLOC, /* these two come first: kmem_fast_semaphore points at them */
	TRACE_KMEM_CACHE_FREE,
	TRACE_KMALLOC,
	TRACE_KFREE,
	TRACE_MM_PAGE_ALLOC,
	TRACE_MM_PAGE_FREE,
	TRACE_MEMPOOL_ALLOC,
	TRACE_MEMPOOL_FREE,
	TRACE_MEMPOOL_WAIT,
	TRACE_MEMPOOL_RESIZE,
	TRACE_GENPOOL_ALLOC,
	TRACE_GENPOOL_FREE,
	TRACE_MP_CREATE,
	TRACE_MP_GROW,
	TRACE_MP_RESET,
	TRACE_MP_DESTROY,
	TRACE_BATCH, /* from here on trace_watch() leaves them alone */
	TRACE_MM_PAGE_ALLOC_EXTFRAG,
	TRACE_MM_PAGE_ALLOC_ZONE_LOCKED,
	TRACE_MM_PAGE_PCPU_DRAIN,
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

static force_inline bool trace_on(enum trace_event event)
{
	/* One compare with memory; the kernel changes it behind the compiler's back. */
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

	__asm__ volatile("movl %1, %%eax\n\tcmpl %2, %%eax"
			 : "=@cce"(same)
			 : "m"(trace_semaphore[event]), "m"(trace_semaphore[TRACE_BATCH])
			 : "eax");
	return same;
}

/* Whether a probe itself is attached, or trace_watch() on, not just the batch probe. */
static inline bool trace_single(enum trace_event event)
{
	uint16_t batch = event <= TRACE_KFREE ? READ_ONCE(trace_semaphore[TRACE_BATCH].count) : 0;

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

void trace_kmem_cache_alloc(const void *call_site, const void *ptr, const char *name, size_t bytes_req,
			    size_t bytes_alloc, gfp_t gfp_flags, int node, int accounted);
void trace_kmem_cache_free(const void *call_site, const void *ptr, const char *name);
void trace_kmalloc(const void *call_site, const void *ptr, size_t bytes_req, size_t bytes_alloc,
		   gfp_t gfp_flags, int node, int accounted);
void trace_kfree(const void *call_site, const void *ptr);
/* pfn: index of the page in the arena; -1 when the allocation failed. */
void trace_mm_page_alloc(unsigned long pfn, unsigned int order, gfp_t gfp_flags, int migratetype);
void trace_mm_page_free(unsigned long pfn, unsigned int order);

/*
 * Inside the page allocator, with the zone locked: a block of another mobility than
 * asked for is handed out (ownership: its pageblock now is of the type asked for); a
 * block leaves the zone's free lists; a parked one comes back to them.
 */
void trace_mm_page_alloc_extfrag(unsigned long pfn, int alloc_order, int fallback_order, int alloc_migratetype,
				 int fallback_migratetype, int change_ownership);
void trace_mm_page_alloc_zone_locked(unsigned long pfn, unsigned int order, int migratetype, int percpu_refill);
void trace_mm_page_pcpu_drain(unsigned long pfn, unsigned int order, int migratetype);

/*
 * Pools: the kernel has no tracepoints for them. pool: the struct mempool or
 * struct gen_pool; reserve: 1 when the element came from or went to the reserve.
 * A wait begins with `waiting` threads in the queue, this one included.
 */
void trace_mempool_alloc(const void *call_site, const void *ptr, const void *pool, const char *name,
			 gfp_t gfp_flags, int reserve);
void trace_mempool_free(const void *call_site, const void *ptr, const void *pool, const char *name, int reserve);
void trace_mempool_wait(const void *call_site, const void *pool, const char *name, gfp_t gfp_flags,
			unsigned int waiting);
void trace_mempool_resize(const void *call_site, const void *pool, const char *name, int old_nr, int new_nr);
/* addr 0: the allocation failed. bytes: as asked for. */
void trace_genpool_alloc(const void *call_site, unsigned long addr, const void *pool, const char *name, size_t bytes);
void trace_genpool_free(const void *call_site, unsigned long addr, const void *pool, const char *name, size_t bytes);
/*
 * Region pools, struct mp_pool. create, grow: bytes of the first node or of the
 * program's memory; of a further node or large block at ptr. reset, destroy:
 * bytes in use until now.
 */
void trace_mp_create(const void *call_site, const void *pool, const char *name, size_t bytes);
void trace_mp_grow(const void *call_site, const void *ptr, const void *pool, const char *name, size_t bytes);
void trace_mp_reset(const void *call_site, const void *pool, const char *name, size_t bytes);
void trace_mp_destroy(const void *call_site, const void *pool, const char *name, size_t bytes);

/*
 * A full buffer (base/batch.h). The probe has a place for each semaphore of the
 * object probes, too, so that attaching it diverts objects as attaching those does.
 */
struct kmem_batch;
void trace_batch(const struct kmem_batch *batch, unsigned int nr_records);


/*
 * Samples (base/sample.h), after the allocation and before the free. Provider "otel_memory" is what
 * continuous profilers attach to: pointer, bytes asked for, bytes that they stand for.
 */
extern KMEM_HIDDEN uint16_t kmem_sample_semaphore, otel_memory_alloc_semaphore, otel_memory_free_semaphore;

static inline bool trace_sample_on(void)
{
	return READ_ONCE(kmem_sample_semaphore);
}

static inline bool trace_otel_alloc_on(void)
{
	return READ_ONCE(otel_memory_alloc_semaphore);
}

static inline bool trace_otel_free_on(void)
{
	return READ_ONCE(otel_memory_free_semaphore);
}

/* stack: handle in the depot; freed: 0 or 1. */
void trace_sample(const void *call_site, const void *ptr, size_t size, uint64_t weight, uint32_t stack, int freed);
void trace_otel_alloc(const void *ptr, size_t size, uint64_t weight);
void trace_otel_free(const void *ptr);

#endif
