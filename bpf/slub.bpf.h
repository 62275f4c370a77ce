/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * slub.bpf.h - how the running kernel's slab allocator is laid out: per-CPU data,
 * nodes, free objects. For the programs that look at it, of which each object has
 * its own copy.
 */
#ifndef SLUB_BPF_H
#define SLUB_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "scalar.bpf.h"

#define MAX_CPUS    8192
#define MAX_NODES   1024
#define MAX_SHEAVES 64    /* the kernel keeps 10 per barn */
#define WALK_SLACK  1024  /* slabs that may join a list while we follow it */
#define MAX_WALK    (1u << 22)

/* Set by the user side before loading: highest possible id + 1. */
const volatile __u32 nr_cpus = 1;
const volatile __u32 nr_nodes = 1;

/* ---- per-CPU data ---- */

/* Only its addresses are of interest: see cpu_offset(). */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} probe SEC(".maps");

/*
 * What to add to a __percpu address for one CPU. The kernel's own table is a
 * variable, and those have symbols only with CONFIG_KALLSYMS_ALL. So take a
 * per-CPU object of ours and compare where it is with its __percpu address.
 */
static __always_inline bool cpu_offset(__u32 cpu, __u64 *offset)
{
	__u32 zero = 0;
	void *here = bpf_map_lookup_percpu_elem(&probe, &zero, cpu);
	__u64 percpu = 0, map = scalar_of(&probe);

	if (!here)
		return false;
	map += bpf_core_field_offset(struct bpf_array, pptrs);
	if (bpf_probe_read_kernel(&percpu, sizeof(percpu), (void *)map))
		return false;
	*offset = scalar_of(here) - percpu;
	return true;
}

/* ---- slabs ---- */

static __always_inline __u32 slab_objects(__u64 counters)
{
	return counters >> 16 & 0x7fff;
}

/* Free objects that the slab itself knows of; those on a CPU's freelist are not among them. */
static __always_inline __u32 slab_free(__u64 counters)
{
	__u32 inuse = counters & 0xffff, objects = slab_objects(counters);

	return inuse < objects ? objects - inuse : 0;
}

/* ---- nodes ---- */

static __always_inline void *read_pointer(__u64 address)
{
	void *pointer = NULL;

	bpf_probe_read_kernel(&pointer, sizeof(pointer), (void *)address);
	return pointer;
}

/* What a cache has on one node; either may be NULL. False: this kernel keeps it where we do not know. */
static __always_inline bool node_of(struct kmem_cache *cache, __u32 nid, struct kmem_cache_node **node,
				    struct node_barn **barn)
{
	struct kmem_cache___per_node *paired = (void *)cache;
	__u64 base = (__u64)cache;

	*node = NULL;
	*barn = NULL;
	if (bpf_core_field_exists(cache->node)) {
		base += bpf_core_field_offset(struct kmem_cache, node);
		*node = read_pointer(base + nid * sizeof(void *));
		if (*node && bpf_core_field_exists((*node)->barn))
			*barn = BPF_CORE_READ(*node, barn);
	} else if (bpf_core_field_exists(paired->per_node)) {
		base += bpf_core_field_offset(struct kmem_cache___per_node, per_node);
		base += nid * bpf_core_type_size(struct kmem_cache_per_node_ptrs);
		*node = read_pointer(base + bpf_core_field_offset(struct kmem_cache_per_node_ptrs, node));
		*barn = read_pointer(base + bpf_core_field_offset(struct kmem_cache_per_node_ptrs, barn));
	} else {
		return false;
	}
	return true;
}

/* ---- free objects ---- */

struct freelist_walk {
	__u64 object;
	__u64 random;
	__u64 target; /* stop here; 0: at the end */
	__u32 offset; /* of the pointer in a free object */
	__u32 hardened;
	__u32 objects; /* passed */
	__u32 found;   /* the target is on the list */
};

static long freelist_step(__u32 i, struct freelist_walk *walk)
{
	__u64 stored = 0, where = walk->object + walk->offset;

	if (!walk->object)
		return 1;
	if (walk->object == walk->target) {
		walk->found = 1;
		return 1;
	}
	walk->objects++;
	if (bpf_probe_read_kernel(&stored, sizeof(stored), (void *)where))
		return 1;
	walk->object = walk->hardened ? stored ^ walk->random ^ __builtin_bswap64(where) : stored;
	return 0;
}

/* A walk over the free objects that begin with `first`; `random` hides the pointers in them. */
static __always_inline struct freelist_walk freelist_of(struct kmem_cache *cache, __u64 first)
{
	struct freelist_walk walk = { .object = first };

	walk.offset = BPF_CORE_READ(cache, offset);
	if (bpf_core_field_exists(cache->random)) {
		walk.hardened = 1;
		walk.random = BPF_CORE_READ(cache, random);
	}
	return walk;
}

#endif
