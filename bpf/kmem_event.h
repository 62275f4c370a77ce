/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * kmem_event.h - the one event vocabulary, shared by the BPF programs and the
 * tools. Whether an event came from a probe of libkmem or from a tracepoint of
 * the kernel, the same handlers fill the same structures; only `source` differs.
 *
 * Includes nothing but integer types, so that it compiles for BPF (where
 * vmlinux.h must come first) and for C alike.
 */
#ifndef KMEM_EVENT_H
#define KMEM_EVENT_H

#ifndef __bpf__
#include <linux/types.h>
#endif

enum kmem_source {
	KMEM_SOURCE_LIBRARY, /* USDT probes of a process that carries libkmem */
	KMEM_SOURCE_KERNEL,  /* raw tracepoints kmem:* */
	KMEM_SOURCE_NR
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
#define KMEM_KEY_UNKNOWN 0ULL  /* the object's cache could not be found */
#define KMEM_KEY_LARGE   1ULL  /* kmalloc served by whole pages */
#define KMEM_KEY_PAGES   2ULL  /* the page allocator itself */
#define KMEM_KEY_ID_BASE 16ULL /* cache id + this: a cache of a libkmem process */

/*
 * Counters are kept per (cache, call site). `cache` is the address of the
 * struct kmem_cache in the kernel, or the cache id + KMEM_KEY_ID_BASE in a
 * libkmem process. Page events carry no call site: it is 0.
 */
struct kmem_count_key {
	__u64 cache;
	__u64 call_site;
	__u32 tgid; /* 0 for the kernel */
	__u32 type; /* enum kmem_event_type */
};

struct kmem_count {
	__u64 events;
	__u64 bytes_req;   /* allocations and page events: requested */
	__u64 bytes_alloc; /* allocations and page events: reserved for it */
};

/* Kernel: kmalloc() calls per cache and size asked for, where that is wanted. Value: their number, per CPU. */
struct kmem_size_key {
	__u64 cache;
	__u32 bytes_req;
	__u32 reserved;
};

/* Totals, one per possible CPU. What is lost is counted, never hidden. */
struct kmem_totals {
	__u64 events[KMEM_EV_NR]; /* the counters above add up to this, less map_full, map_busy */
	__u64 null_frees; /* about NULL or ZERO_SIZE_PTR, not counted as events */
	__u64 failed;     /* allocations that returned NULL, not counted as events */
	__u64 map_full;   /* events that found no room among the counters */
	__u64 map_busy;   /* events whose counter could not be made: the map was locked */
	__u64 unreadable; /* events counted under KMEM_KEY_UNKNOWN */
	__u64 duplicates; /* second events of one large kmalloc, folded into one */
	__u64 objects_lost; /* objects whose record could not be made or taken back */
	__u64 sizes_full; /* kmalloc() calls that found no room among the sizes */
};

/*
 * Where a live object came from, by (address, process). Made by the allocation,
 * deleted by the free; kept for libkmem processes only, and only if asked for.
 */
struct kmem_object_key {
	__u64 address;
	__u32 tgid;
	__u32 reserved;
};

struct kmem_object {
	__u64 call_site;
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u64 bytes_req;
};

/* How to find the cache of an object of one watched process. */
struct kmem_target {
	__u64 arena_base;  /* address of page 0 */
	__u64 arena_limit; /* end of the reserved arena */
	__u64 idmap;       /* address of the process's uint16_t cache id per page */
	__u64 pages;       /* address of its page descriptors */
	__u32 tgid;        /* goes into kmem_count_key.tgid; 0 means the slot is free */
	__u32 reserved;
};

#define KMEM_MAX_TARGETS 256 /* processes that one collector watches at a time */

/*
 * kstream.bpf.c: one event of the kernel, in the order in which they were
 * reserved in the ring, over all CPUs. Of one object that order is the true one:
 * the allocation's event precedes whatever its owner does, and the free's event
 * precedes its return to the allocator.
 *
 * Left out, and counted in struct kmem_stream_totals: frees of NULL and
 * ZERO_SIZE_PTR, allocations that failed. Left in, because only a reader that
 * knows all live objects can tell: the second event of a large kmalloc (6.12
 * and later), which is an allocation of an address that is live. Silent: bulk
 * allocations and frees, and what kfree_rcu() frees. So an allocation of a live
 * address of another call site means that its free was not seen.
 *
 * An interrupt's events may come between an event's time and its place: the order
 * is right, time_ns may step back by the length of an interrupt.
 */
struct kmem_kernel_event {
	__u64 time_ns;     /* CLOCK_MONOTONIC */
	__u64 address;     /* of the object; page events: of the page's descriptor */
	__u64 cache;       /* address of its struct kmem_cache, or KMEM_KEY_* */
	__u64 call_site;   /* page events: 0 */
	__u32 bytes_req;   /* allocations, page events; kmem_cache_alloc: the cache's object_size */
	__u32 bytes_alloc; /* allocations, page events; kmem_cache_alloc: the cache's size */
	__u32 tgid;        /* of the first pid namespace; whoever was running: in an interrupt not who caused it */
	__u16 cpu;
	__u8 type;         /* enum kmem_event_type */
	__s8 node;         /* allocations: the node asked for; -1: any */
};

/* One per possible CPU. */
struct kmem_stream_totals {
	__u64 events[KMEM_EV_NR]; /* put into the ring */
	__u64 lost[KMEM_EV_NR];   /* no room in the ring: the reader was too slow */
	__u64 null_frees;
	__u64 failed;
};

/*
 * kobjects.bpf.c: a live object of the kernel, by its address. Of an address
 * whose free was silent the next allocation makes a new record.
 */
struct kmem_kernel_object {
	__u64 cache; /* address of its struct kmem_cache, or KMEM_KEY_* */
	__u64 call_site;
	__u64 time_ns;   /* CLOCK_MONOTONIC */
	__u32 bytes_req; /* kmem_cache_alloc: 0, the cache says it */
	__u32 tgid;      /* of the first pid namespace */
	__s32 stack;     /* id in `stacks`; negative: none */
	char comm[16];
	__u32 reserved;
};

/* Per cache and possible CPU. */
struct kmem_kernel_tally {
	__u64 allocs;
	__u64 frees;
	__u64 silent;  /* allocations of an address that was live: its free was not seen */
	__u64 unknown; /* frees of objects without a record: older, or allocated silently */
};

/* One per possible CPU. */
struct kmem_object_totals {
	__u64 null_frees;
	__u64 failed;
	__u64 duplicates; /* second events of one large kmalloc */
	__u64 lost;       /* objects without a record: no room, or the map was locked */
	__u64 stale;      /* records that could not be taken back */
	__u64 uncounted;  /* events without a tally: no room */
	__u64 no_stack;   /* stacks that were asked for and could not be kept */
};

_Static_assert(sizeof(struct kmem_kernel_object) == 56, "both sides agree");
_Static_assert(sizeof(struct kmem_kernel_tally) == 32, "both sides agree");
_Static_assert(sizeof(struct kmem_object_totals) == 56, "both sides agree");
_Static_assert(sizeof(struct kmem_kernel_event) == 48, "both sides agree");
_Static_assert(sizeof(struct kmem_stream_totals) == 112, "both sides agree");
_Static_assert(sizeof(struct kmem_size_key) == 16, "both sides agree");
_Static_assert(sizeof(struct kmem_count_key) == 24, "both sides agree");
_Static_assert(sizeof(struct kmem_count) == 24, "both sides agree");
_Static_assert(sizeof(struct kmem_totals) == 112, "both sides agree");
_Static_assert(sizeof(struct kmem_object_key) == 16, "both sides agree");
_Static_assert(sizeof(struct kmem_object) == 24, "both sides agree");
_Static_assert(sizeof(struct kmem_target) == 40, "both sides agree");

/* As in kmem/observe_batch.h. */
#define KMEM_BATCH_BUFFER_BYTES 32768
#define KMEM_BATCH_HEADER_BYTES 64
#define KMEM_BATCH_RECORD_BYTES 32

/* batch.bpf.c: a buffer as it lay in the process. */
struct kmem_batch_chunk {
	__u64 target;  /* cookie of the link */
	__u64 address; /* of the buffer in the process */
	__u32 records; /* valid ones */
	__u32 reserved;
	__u8 bytes[KMEM_BATCH_BUFFER_BYTES];
};

/* One per possible CPU, in records. */
struct kmem_batch_totals {
	__u64 delivered;
	__u64 lost;       /* no room in the ring: the reader was too slow */
	__u64 unreadable; /* the memory could not be read */
};

#endif
