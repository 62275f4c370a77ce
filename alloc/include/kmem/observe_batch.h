/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * observe_batch.h - the complete event stream, many events at a time.
 *
 * While the probe kmem:batch is attached, every event of objects and pages is
 * also appended to a buffer of the running CPU, as a record of 32 bytes. A full
 * buffer is delivered by one firing of the probe (rdi: its address, rsi: number
 * of records), after which its memory is used again: a tracer copies it there and
 * then. Buffers that are not full can be read from the process's memory, by the
 * structures below; at a normal exit they are delivered, too, with seq 0.
 *
 * Order: the records of a CPU are in the order in which things happened there.
 * The record of a free is made before the object is free, that of an allocation
 * after it is taken; so by time stamps the records of one address are in order
 * across CPUs, and without them there is one way only to merge the CPUs' records
 * in which allocations and frees of each address alternate, up to events that
 * nothing tells apart.
 */
#ifndef KMEM_OBSERVE_BATCH_H
#define KMEM_OBSERVE_BATCH_H

#include <stdint.h>

#define KMEM_BATCH_BYTES   32768u /* a buffer, aligned to its size */
#define KMEM_BATCH_RECORDS 1022u   /* that fit into one */

enum kmem_batch_op {
	KMEM_BATCH_CACHE_ALLOC = 1, /* the probe of that name: kmem_cache_alloc */
	KMEM_BATCH_CACHE_FREE,
	KMEM_BATCH_KMALLOC,
	KMEM_BATCH_KFREE,
	KMEM_BATCH_PAGE_ALLOC,      /* ptr: address of the block, size: its bytes */
	KMEM_BATCH_PAGE_FREE,
	KMEM_BATCH_NR_OPS
};

enum kmem_batch_flags {
	KMEM_BATCH_STACK = 1 << 0,   /* site is the handle of a stack, 0 when it could not be stored */
	KMEM_BATCH_ATOMIC = 1 << 1,  /* allocation without __GFP_DIRECT_RECLAIM */
	KMEM_BATCH_ZERO = 1 << 2,    /* __GFP_ZERO */
	KMEM_BATCH_ACCOUNT = 1 << 3,
};

/* kmem_batches.mode: an observer may write it. */
enum kmem_batch_mode {
	KMEM_BATCH_NO_TIME = 1 << 0, /* records without time stamps: half the cost */
	KMEM_BATCH_STACKS = 1 << 1,  /* sites of allocations are stacks in the depot (kmem_observe.depot) */
	KMEM_BATCH_FREE_STACKS = 1 << 2, /* those of frees, too */
	KMEM_BATCH_STOPPED = 1 << 3, /* nothing is recorded: with it, recording begins and ends at one moment */
};

/* ptr 0: an allocation that failed. */
struct kmem_batch_record {
	uint64_t tsc;   /* time stamp counter, 0 without time stamps */
	uint64_t ptr;
	uint64_t site;  /* return address in the program, or a stack */
	uint32_t size;  /* bytes asked for, at most UINT32_MAX; 0 of a free */
	uint16_t cache; /* id as in the id map: a cache's, KMEM_ID_LARGE, ...; 0 of pages */
	uint8_t op;     /* enum kmem_batch_op */
	uint8_t flags;  /* enum kmem_batch_flags */
};

struct kmem_batch {
	uint64_t seq;       /* delivered so far, this one included; 0 while it fills */
	uint64_t tsc_first; /* when it was empty */
	uint64_t tsc_last;  /* when it was full */
	uint64_t lost;      /* records of the process that found no buffer so far */
	uint32_t cpu;       /* index as in the per-CPU regions */
	uint32_t count;     /* records, once delivered; see the cursor while it fills */
	uint64_t reserved[3];
	struct kmem_batch_record record[KMEM_BATCH_RECORDS];
};

/*
 * What readers find at kmem_observe.batches. A CPU's cursor, a uint64_t, is at
 * cursors + (cpu << kmem_observe.percpu_shift): the address of the next record
 * in the CPU's buffer; a multiple of KMEM_BATCH_BYTES: the buffer that ends
 * there is full, the next event delivers it; 0: it has none. What is in a buffer from an
 * earlier recording is still there when the next begins.
 */
struct kmem_batches {
	uint64_t cursors;
	uint64_t buffers;   /* struct kmem_batch[] */
	uint32_t nr_buffers;
	uint32_t nr_cpus;
	uint32_t mode;      /* enum kmem_batch_mode */
	uint32_t reserved;
	uint64_t delivered; /* buffers */
	uint64_t lost;      /* records */
};

#endif
