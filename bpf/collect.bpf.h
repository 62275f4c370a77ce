/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * collect.bpf.h - counts allocation events; the same handlers for every source.
 *
 * A source (library.bpf.c, kernel.bpf.c) decodes its probe, finds the cache of
 * the object and calls one of
 *
 *	kmem_on_alloc()  kmem_on_free()  kmem_on_failed()  kmem_on_null()
 *
 * which add to `counts` (per cache, call site, process and type) and `totals`.
 * Each object that includes this file has its own pair of maps.
 *
 * Who may run at the same time on one CPU, and so on one per-CPU counter:
 *   kernel   tracepoint programs run with preemption off, and the kernel never
 *            nests a program in itself (it counts that as a recursion miss). An
 *            interrupt may run *another* program of ours in the middle of one.
 *            A counter belongs to one event type, hence to one program: plain
 *            additions are exact. Totals shared between programs need atomics.
 *   library  uprobe programs can be preempted by another thread that runs the
 *            same program: atomics everywhere.
 * The includer defines KMEM_SHARED_COUNTERS as 0 or 1 accordingly.
 */
#ifndef COLLECT_BPF_H
#define COLLECT_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#include "kmem_event.h"

#ifndef KMEM_SHARED_COUNTERS
#error "define KMEM_SHARED_COUNTERS before including collect.bpf.h"
#endif

#define EEXIST 17
#define E2BIG  7

/* kmalloc(0) returns this; nothing was allocated. */
#define ZERO_SIZE_PTR 16ULL

/*
 * Preallocated on purpose: the kernel's handlers run inside the allocator and
 * must not allocate. The user side may change max_entries.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct kmem_count_key);
	__type(value, struct kmem_count);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct kmem_totals);
} totals SEC(".maps");

/* Adds to a counter that only one program, on this CPU, changes. */
static __always_inline void kmem_add(__u64 *counter, __u64 n)
{
	if (KMEM_SHARED_COUNTERS)
		__sync_fetch_and_add(counter, n);
	else
		*counter += n;
}

/* Adds to a counter that several programs change. */
static __always_inline void kmem_add_shared(__u64 *counter, __u64 n)
{
	__sync_fetch_and_add(counter, n);
}

static __always_inline struct kmem_totals *kmem_totals(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&totals, &zero);
}

/* The counter of a key, made when it is new. NULL: no room, and that is counted. */
static __always_inline struct kmem_count *kmem_counter(struct kmem_totals *sum,
						       const struct kmem_count_key *key)
{
	struct kmem_count *count = bpf_map_lookup_elem(&counts, key);
	const struct kmem_count none = {};
	long ret;

	if (count)
		return count;
	ret = bpf_map_update_elem(&counts, key, &none, BPF_NOEXIST);
	if (ret == 0 || ret == -EEXIST)
		count = bpf_map_lookup_elem(&counts, key);
	if (!count)
		kmem_add_shared(ret == -E2BIG ? &sum->map_full : &sum->map_busy, 1);
	return count;
}

/* Counts one event under its key. */
static __always_inline void kmem_count_event(const struct kmem_count_key *key,
					     __u64 bytes_req, __u64 bytes_alloc)
{
	struct kmem_totals *sum = kmem_totals();
	struct kmem_count *count;

	if (!sum || key->type >= KMEM_EV_NR)
		return;
	kmem_add(&sum->events[key->type], 1);
	if (key->cache == KMEM_KEY_UNKNOWN)
		kmem_add_shared(&sum->unreadable, 1);
	count = kmem_counter(sum, key);
	if (!count)
		return;
	kmem_add(&count->events, 1);
	if (!bytes_alloc)
		return;
	kmem_add(&count->bytes_req, bytes_req);
	kmem_add(&count->bytes_alloc, bytes_alloc);
}

/* An allocation that succeeded. */
static __always_inline void kmem_on_alloc(const struct kmem_count_key *key,
					  __u64 bytes_req, __u64 bytes_alloc)
{
	kmem_count_event(key, bytes_req, bytes_alloc);
}

/* A free; `bytes` is 0 where the event does not say how much. */
static __always_inline void kmem_on_free(const struct kmem_count_key *key, __u64 bytes)
{
	kmem_count_event(key, bytes, bytes);
}

/* An allocation that returned NULL. */
static __always_inline void kmem_on_failed(void)
{
	struct kmem_totals *sum = kmem_totals();

	if (sum)
		kmem_add_shared(&sum->failed, 1);
}

/* kfree(NULL) and relatives: nothing changes hands. */
static __always_inline void kmem_on_null(void)
{
	struct kmem_totals *sum = kmem_totals();

	if (sum)
		kmem_add_shared(&sum->null_frees, 1);
}

/*
 * True if an allocation event is about an object. If not, it was counted as
 * failed (NULL) or as void (ZERO_SIZE_PTR), and there is nothing more to do.
 */
static __always_inline bool kmem_is_object(__u64 ptr)
{
	if (ptr > ZERO_SIZE_PTR)
		return true;
	if (ptr)
		kmem_on_null();
	else
		kmem_on_failed();
	return false;
}

/* The same for a free event. */
static __always_inline bool kmem_is_freed_object(__u64 ptr)
{
	if (ptr > ZERO_SIZE_PTR)
		return true;
	kmem_on_null();
	return false;
}

#endif
