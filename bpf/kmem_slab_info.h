/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * kmem_slab_info.h - single slabs and objects of the kernel's caches, shared by
 * bpf/kslabs.bpf.c and the tools.
 *
 * The kernel keeps lists of slabs with free objects only: what a cache has
 * beyond them (kmem_cache_info.slabs) is full, and nobody knows where it lies.
 */
#ifndef KMEM_SLAB_INFO_H
#define KMEM_SLAB_INFO_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/* On which list it was found. */
enum kmem_slab_place {
	KMEM_SLAB_NODE_PARTIAL, /* place_id: the node; position 0 is taken next */
	KMEM_SLAB_CPU,          /* place_id: the CPU that allocates from it */
	KMEM_SLAB_CPU_PARTIAL,  /* place_id: the CPU; position 0 is taken next */
};

struct kmem_slab_info {
	__u64 cache;
	__u64 descriptor; /* address of its struct slab */
	__u64 address;    /* of its first byte; 0 not known */
	__u32 place;      /* enum kmem_slab_place */
	__u32 place_id;
	__u32 position;
	__u32 objects;    /* in the slab */
	__u32 inuse;      /* of these, by the slab's own count: cpu_free are among them */
	__u32 cpu_free;   /* free, on the list of the CPU that allocates from it */
};

/* What became of an object. */
enum kmem_object_verdict {
	KMEM_OBJECT_UNKNOWN, /* this kernel does not let it be told */
	KMEM_OBJECT_LIVE,    /* allocated, as far as the allocator is concerned */
	KMEM_OBJECT_FREE,    /* on a list of free objects, or in a sheaf of them */
	KMEM_OBJECT_GONE,    /* its slab is no longer this cache's */
	KMEM_OBJECT_WAITING, /* kfree_rcu() has it in a sheaf, until a grace period is over */
};

struct kmem_object_check {
	__u64 address;
	__u64 cache;   /* whose object it was; KMEM_KEY_LARGE: a kmalloc() of whole pages; KMEM_KEY_UNKNOWN: any */
	__u32 verdict; /* enum kmem_object_verdict */
	__u32 reserved;
};

/*
 * Descriptors and addresses of pages are two views of one row: that of page
 * `address` + n pages is at `descriptor` + n * descriptor_bytes, for any n.
 */
struct kmem_page_map {
	__u64 descriptor; /* 0: not known */
	__u64 address;
	__u64 descriptor_bytes;
};

/* What slabs_list found besides the slabs: when it looked, and how many there are with the full ones. */
struct kmem_slabs_moment {
	__u64 begin_ns, end_ns; /* CLOCK_MONOTONIC */
	__u64 slabs, objects;   /* of all nodes; 0 without CONFIG_SLUB_DEBUG */
};

/* Arguments of the programs. */
struct kmem_slabs_request {
	__u64 cache; /* slabs_list */
	__u64 nr;    /* slabs_check: objects in `checks` */
};

_Static_assert(sizeof(struct kmem_slab_info) == 48, "both sides agree");
_Static_assert(sizeof(struct kmem_object_check) == 24, "both sides agree");

#endif
