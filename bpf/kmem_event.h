/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * kmem_event.h - the one event vocabulary, shared by the BPF programs and the
 * tools. Whether an event came from a probe of libkmem or from a tracepoint of
 * the kernel, the same handlers fill the same structures; only `source` differs.
 */
#ifndef KMEM_EVENT_H
#define KMEM_EVENT_H

#ifndef __bpf__
#include <linux/types.h>
#endif

enum kmem_source {
	KMEM_SOURCE_LIBRARY, /* USDT probes of a process that carries libkmem */
	KMEM_SOURCE_KERNEL,  /* raw tracepoints kmem:* */
};

enum kmem_event_type {
	KMEM_EV_CACHE_ALLOC, /* kmem_cache_alloc */
	KMEM_EV_CACHE_FREE,  /* kmem_cache_free */
	KMEM_EV_KMALLOC,
	KMEM_EV_KFREE,
	KMEM_EV_PAGE_ALLOC,  /* mm_page_alloc */
	KMEM_EV_PAGE_FREE,   /* mm_page_free */
	KMEM_EV_NR
};

/* Cache keys that are no cache. */
#define KMEM_KEY_UNKNOWN 0ULL /* the object's cache could not be found */
#define KMEM_KEY_LARGE   1ULL /* kmalloc served by whole pages */
#define KMEM_KEY_PAGES   2ULL /* the page allocator itself */

/*
 * Counters are kept per (cache, call site). `cache` is the address of the
 * struct kmem_cache in the kernel, or the cache id + 16 in a libkmem process.
 */
struct kmem_count_key {
	__u64 cache;
	__u64 call_site;
	__u32 tgid;  /* 0 for the kernel */
	__u32 type;  /* enum kmem_event_type */
};

struct kmem_count {
	__u64 events;
	__u64 bytes_req;   /* allocations: requested */
	__u64 bytes_alloc; /* allocations: reserved for it */
};

/* Totals, one per possible CPU. What is lost is counted, never hidden. */
struct kmem_totals {
	__u64 events[KMEM_EV_NR];
	__u64 null_frees;  /* kfree(NULL) and kfree(ZERO_SIZE_PTR), not counted as events */
	__u64 failed;      /* allocations that returned NULL */
	__u64 map_full;    /* events that found no room in the count map */
	__u64 unreadable;  /* events whose cache could not be looked up */
};

#if !defined(__bpf__) && !defined(__cplusplus)
_Static_assert(sizeof(struct kmem_count_key) == 24, "both sides agree");
_Static_assert(sizeof(struct kmem_count) == 24, "both sides agree");
_Static_assert(sizeof(struct kmem_totals) == 80, "both sides agree");
#endif

#endif
