/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pcpu.c - per-CPU memory for programs; see kmem/percpu.h.
 *
 *   area:  | CPU 0: allocations a, b, ... | CPU 1: a, b, ... | ...   KMEM_PERCPU_SHIFT apart
 *
 * The area is reserved by the first allocation and committed as it fills. It is
 * not "black": what programs keep there are roots for a leak scan. Two bitmaps,
 * one bit per granule, say what is taken and where allocations end.
 */
#include "pool/pcpu.h"

#include <errno.h>

#include <kmem/page.h>
#include <kmem/percpu.h>

#include "base/meta.h"
#include "base/os.h"
#include "base/percpu.h"
#include "base/report.h"
#include "base/trace.h"
#include "pool/bits.h"
#include "pool/table.h"

#define UNIT_BYTES    ((size_t)1 << KMEM_PERCPU_SHIFT)
#define GRANULE       8u
#define NR_GRANULES   (UNIT_BYTES / GRANULE)
#define BITMAP_BYTES  (NR_GRANULES / 8)
#define COMMIT_STEP   ((size_t)64 << 10)

static struct {
	lock_t lock;
	uint8_t *base;        /* CPU 0's part */
	size_t committed;     /* bytes of each CPU's part */
	unsigned long lowest; /* no granule below is free */
	unsigned long *taken, *last;
	uint8_t *cpu_locks;   /* a lock_t per cache line: kmem_get_cpu() */
	struct meta_range meta;
} pcpu KMEM_STATE;

/* Written once below; read by inline code in programs, for which it is constant. */
KMEM_API uint32_t pcpu_public_shared __asm__("kmem_percpu_shared") KMEM_STATE;

/* The copy that the thread has to itself. */
static __thread struct {
	unsigned int depth, cpu;
} section;

int pcpu_init(void)
{
	size_t locks = percpu_nr_cpus() * (size_t)CACHE_LINE;
	int rc = meta_reserve(&pcpu.meta, "kmem pcpu maps", locks + 2 * BITMAP_BYTES);

	if (!rc)
		rc = meta_ensure(&pcpu.meta, locks + 2 * BITMAP_BYTES);
	if (rc)
		return rc;
	pcpu.cpu_locks = pcpu.meta.base;
	pcpu.taken = (unsigned long *)(void *)(pcpu.meta.base + locks);
	pcpu.last = pcpu.taken + BITMAP_BYTES / sizeof(*pcpu.taken);
	pcpu_public_shared = percpu_mode() == PERCPU_NONE;
	pools.percpu_shift = KMEM_PERCPU_SHIFT;
	return 0;
}

/* ---- allocation ---- */

/* Make granules [0, end) usable on every CPU. Locked. */
static int commit(unsigned long end)
{
	size_t bytes = ALIGN_UP(end * GRANULE, COMMIT_STEP);
	unsigned int cpu;

	if (bytes <= pcpu.committed)
		return 0;
	if (!pcpu.base) {
		pcpu.base = os_reserve(percpu_nr_cpus() * UNIT_BYTES, UNIT_BYTES);
		if (!pcpu.base)
			return -ENOMEM;
		os_name(pcpu.base, percpu_nr_cpus() * UNIT_BYTES, "kmem alloc_percpu");
		pools.percpu = (uintptr_t)pcpu.base;
	}
	for (cpu = 0; cpu < percpu_nr_cpus(); cpu++)
		if (os_commit(pcpu.base + cpu * UNIT_BYTES + pcpu.committed, bytes - pcpu.committed))
			return -ENOMEM;
	pcpu.committed = bytes;
	WRITE_ONCE(pools.percpu_end, (uintptr_t)pcpu.base + bytes);
	return 0;
}

/* Return: first granule, NR_GRANULES when there is no room. Locked. */
static unsigned long take(unsigned long nr, unsigned long mask, bool may_commit)
{
	unsigned long limit = may_commit ? NR_GRANULES : pcpu.committed / GRANULE, at;

	pcpu.lowest = bits_next_clear(pcpu.taken, NR_GRANULES, pcpu.lowest);
	at = bits_find_clear(pcpu.taken, limit, pcpu.lowest, nr, mask, 0);
	if (at >= limit || commit(at + nr))
		return NR_GRANULES;
	bits_set(pcpu.taken, at, nr);
	bits_set(pcpu.last, at + nr - 1, 1);
	WRITE_ONCE(pools.percpu_used, pools.percpu_used + nr * GRANULE);
	WRITE_ONCE(pools.percpu_allocs, pools.percpu_allocs + 1);
	return at;
}

static void *alloc_from(size_t size, size_t align, gfp_t gfp, const void *call_site)
{
	int atomic = !(gfp & __GFP_DIRECT_RECLAIM);
	unsigned long at, nr = (size + GRANULE - 1) / GRANULE;
	unsigned int cpu;

	if (!size || size > PCPU_MIN_UNIT_SIZE || !is_pow2(align) || align > PAGE_SIZE) {
		report("illegal size (%zu) or align (%zu) for percpu allocation: at most %u bytes, aligned to a page",
		       size, align, PCPU_MIN_UNIT_SIZE);
		return NULL;
	}
	lock_acquire(&pcpu.lock, LOCK_POOL);
	at = take(nr, MAX(align, (size_t)GRANULE) / GRANULE - 1, gfp & __GFP_DIRECT_RECLAIM);
	lock_release(&pcpu.lock, LOCK_POOL);
	if (at == NR_GRANULES) {
		if (trace_on(TRACE_PERCPU_ALLOC_PERCPU_FAIL))
			trace_percpu_alloc_percpu_fail(0, atomic, size, align);
		return NULL;
	}
	for (cpu = 0; cpu < percpu_nr_cpus(); cpu++)
		memset(pcpu.base + cpu * UNIT_BYTES + at * GRANULE, 0, nr * GRANULE);
	if (trace_on(TRACE_PERCPU_ALLOC_PERCPU))
		trace_percpu_alloc_percpu(call_site, 0, atomic, size, align, pcpu.base, (int)(at * GRANULE),
					  pcpu.base + at * GRANULE, nr * GRANULE, gfp);
	return pcpu.base + at * GRANULE;
}

KMEM_API void *__alloc_percpu_gfp(size_t size, size_t align, gfp_t gfp)
{
	return alloc_from(size, align, gfp, __builtin_return_address(0));
}

KMEM_API void *__alloc_percpu(size_t size, size_t align)
{
	return alloc_from(size, align, GFP_KERNEL, __builtin_return_address(0));
}

static bool is_set(const unsigned long *map, unsigned long at)
{
	return map[at / BITS_PER_WORD] >> at % BITS_PER_WORD & 1;
}

/* Whether an allocation begins at a granule. Locked. */
static bool is_start(unsigned long at)
{
	return is_set(pcpu.taken, at) && (!at || !is_set(pcpu.taken, at - 1) || is_set(pcpu.last, at - 1));
}

/* Return: false when no allocation begins there. Locked. */
static bool give_back(size_t offset)
{
	unsigned long at = offset / GRANULE, nr;

	if (offset >= pcpu.committed || offset % GRANULE || !is_start(at))
		return false;
	nr = bits_next_set(pcpu.last, NR_GRANULES, at) + 1 - at;
	bits_clear(pcpu.last, at + nr - 1, 1);
	bits_clear(pcpu.taken, at, nr);
	pcpu.lowest = MIN(pcpu.lowest, at);
	WRITE_ONCE(pools.percpu_used, pools.percpu_used - nr * GRANULE);
	WRITE_ONCE(pools.percpu_frees, pools.percpu_frees + 1);
	if (trace_on(TRACE_PERCPU_FREE_PERCPU))
		trace_percpu_free_percpu(pcpu.base, (int)offset, pcpu.base + offset);
	return true;
}

KMEM_API void free_percpu(void *p)
{
	bool ok;

	if (!p)
		return;
	lock_acquire(&pcpu.lock, LOCK_POOL);
	ok = give_back((uintptr_t)p - (uintptr_t)pcpu.base);
	lock_release(&pcpu.lock, LOCK_POOL);
	if (ok)
		return;
	report("BUG: free_percpu(%p): not memory of alloc_percpu()", p);
	report_misuse_end(true);
}

KMEM_API unsigned int num_possible_cpus(void)
{
	return percpu_nr_cpus();
}

/* ---- one copy to oneself ---- */

static lock_t *cpu_lock(unsigned int cpu)
{
	return (lock_t *)(void *)(pcpu.cpu_locks + cpu * (size_t)CACHE_LINE);
}

/* Programs hold these locks while they call anything, so they have no rank in the order. */
KMEM_API unsigned int kmem_get_cpu(void)
{
	if (!section.depth) {
		section.cpu = percpu_this_cpu();
		lock_acquire_nested(cpu_lock(section.cpu));
	}
	section.depth++;
	return section.cpu;
}

KMEM_API void kmem_put_cpu(void)
{
	if (!section.depth) {
		report("BUG: put_cpu() without get_cpu()");
		report_misuse_end(true);
		return;
	}
	if (!--section.depth)
		lock_release_nested(cpu_lock(section.cpu));
}

/* ---- fork ---- */

void pcpu_lock_for_fork(void)
{
	lock_for_fork(&pcpu.lock, false);
}

void pcpu_unlock_after_fork(int child)
{
	unsigned int cpu;

	lock_after_fork(&pcpu.lock, child);
	if (!child)
		return;
	for (cpu = 0; cpu < percpu_nr_cpus(); cpu++)
		lock_reset(cpu_lock(cpu));
	/* The forking thread may be inside. */
	if (section.depth)
		lock_for_fork(cpu_lock(section.cpu), false);
}
