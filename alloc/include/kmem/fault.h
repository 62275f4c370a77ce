/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fault.h - allocations that fail on purpose, with the attributes of the kernel's
 * fault injection (Documentation/fault-injection): failslab, fail_page_alloc, and
 * fail_mempool_alloc, which makes mempool_alloc() and mempool_alloc_bulk() do without
 * the allocator below; and fail_mp_alloc for mp_alloc() and its kind.
 *
 * Without a program's help, from the environment, as at boot:
 *
 *   KMEM_FAILSLAB=interval,probability,space,times[,name=value...]
 *   KMEM_FAIL_PAGE_ALLOC=, KMEM_FAIL_MEMPOOL_ALLOC=, KMEM_FAIL_MP_ALLOC=   likewise
 *
 * with the names ignore-gfp-wait, cache-filter, min-order, verbose, task-filter; and
 *
 *   KMEM_FAIL_NTH=N   the N-th allocation of the process fails: what
 *                     `slabscope run --fail-nth=all -- CMD` counts up.
 *
 * An allocation is asked in this order: fail-nth of its thread, then, unless the
 * probability is 0, thread filter, times, stack, space, interval, dice.
 * __GFP_NOFAIL allocations never fail. As in the kernel, allocations that may wait
 * (GFP_KERNEL, malloc()) do not fail either until ignore_gfp_wait is cleared; the two
 * kinds of pools do not ask for it.
 */
#ifndef KMEM_FAULT_H
#define KMEM_FAULT_H

#include <stdbool.h>
#include <stdint.h>
#include <kmem/attr.h>

KMEM_BEGIN

enum kmem_fault {
	KMEM_FAILSLAB,
	KMEM_FAIL_PAGE_ALLOC,
	KMEM_FAIL_MEMPOOL_ALLOC,
	KMEM_FAIL_MP_ALLOC,
	KMEM_NR_FAULTS
};

struct fault_attr {
	unsigned long probability;     /* percent; 0: off */
	unsigned long interval;        /* only every n-th call that gets this far */
	int times;                     /* failures left, -1 without end */
	int space;                     /* bytes (pages, mempools: number of them) that may be allocated first */
	unsigned int verbose;          /* on failure: 0 nothing, 1 one line, 2 and the stack */
	bool task_filter;              /* only threads that called kmem_make_it_fail(true) */
	bool ignore_gfp_wait;          /* spare allocations with __GFP_DIRECT_RECLAIM */
	bool cache_filter;             /* failslab: only caches with SLAB_FAILSLAB (A) */
	unsigned int min_order;        /* fail_page_alloc: spare smaller blocks */
	unsigned int stacktrace_depth; /* frames to look at, at most 32; 0: no look, and with a range no failure */
	uintptr_t require_start, require_end; /* a frame must lie here; 0 and UINTPTR_MAX: anywhere */
	uintptr_t reject_start, reject_end;   /* none may lie here */
};

/* Read or replace the attributes. Return: 0 or -EINVAL. Context: any, set not from two threads at once. */
KMEM_API int kmem_fault_get(enum kmem_fault which, struct fault_attr *attr);
KMEM_API int kmem_fault_set(enum kmem_fault which, const struct fault_attr *attr);

/*
 * The calling thread's n-th allocation from now on fails, once: the kernel's
 * /proc/thread-self/fail-nth. get: how many are left before it; 0: it has failed.
 */
KMEM_API void kmem_fail_nth_set(unsigned int n);
KMEM_API unsigned int kmem_fail_nth_get(void);

/* The calling thread's /proc/PID/make-it-fail. */
KMEM_API void kmem_make_it_fail(bool on);

KMEM_END

#endif
