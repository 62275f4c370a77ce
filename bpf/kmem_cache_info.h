/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * kmem_cache_info.h - the state of one kernel cache, shared by the BPF walker
 * and the tools. One record per struct kmem_cache.
 *
 * Kernels differ in what they have. `have` says which groups of columns are
 * filled in; a column whose bit is missing is unknown, not zero, and must be
 * shown as such ("-"). The bits are the same for all rows of one kernel, but
 * KMEM_INFO_CUT may be set in single rows.
 *
 *   objects_total = in use by callers
 *                 + partial_free              free on node partial slabs
 *                 + cpu_free                  free on CPU slabs
 *                 + cpu_partial_free          free on CPU partial slabs
 *                 + sheaf_main + sheaf_spare  free, kept in per-CPU sheaves
 *                 + barn_objects              free, kept in full sheaves
 *
 * /proc/slabinfo subtracts the second line only and calls the rest active.
 * sheaf_rcu objects were given to kfree_rcu() and wait for a grace period:
 * they count as in use, as they do in libkmem.
 *
 * The values of a row are read while the kernel works on the cache, so they
 * are not of one instant: sums may be off by what was in flight.
 */
#ifndef KMEM_CACHE_INFO_H
#define KMEM_CACHE_INFO_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#define KMEM_INFO_NAME_BYTES 64

/* Groups of columns that a kernel (or a reader) can offer. */
enum kmem_info_have {
	KMEM_INFO_GEOMETRY = 1 << 0,    /* size, objects_per_slab, order */
	KMEM_INFO_LAYOUT = 1 << 1,      /* object_size .. refcount, cache, slab_flags */
	KMEM_INFO_SLABS = 1 << 2,       /* slabs, objects_total */
	KMEM_INFO_PARTIAL = 1 << 3,     /* node_partial, partial_free */
	KMEM_INFO_CPU_SLAB = 1 << 4,    /* cpu_slabs, cpu_free: gone in 7.0 */
	KMEM_INFO_CPU_PARTIAL = 1 << 5, /* cpu_partial*, CONFIG_SLUB_CPU_PARTIAL */
	KMEM_INFO_SHEAVES = 1 << 6,     /* sheaf_*, barn_*: 6.18 and later */
	KMEM_INFO_IN_USE = 1 << 7,      /* in_use is exact but for what is in flight */
	KMEM_INFO_USERCOPY = 1 << 8,    /* useroffset, usersize: CONFIG_HARDENED_USERCOPY */
	KMEM_INFO_RED_ZONE = 1 << 9,    /* red_left_pad: CONFIG_SLUB_DEBUG */
	KMEM_INFO_MIN_PARTIAL = 1 << 10, /* min_partial */
	KMEM_INFO_SLABINFO_ACTIVE = 1 << 11, /* slabinfo_active */
	KMEM_INFO_CUT = 1 << 16,        /* a list could not be followed to its end: partial_free and
	                                   the like are lower bounds, in_use is an upper bound */
};

struct kmem_cache_info {
	__u64 have;  /* enum kmem_info_have */
	__u64 cache; /* address of the struct kmem_cache, as in kmem_count_key */
	__u64 slab_flags; /* SLAB_* of the running kernel */
	char name[KMEM_INFO_NAME_BYTES]; /* of the first creator; see kcaches_aliases() */

	__u32 object_size; /* asked for */
	__u32 size;        /* the stride: with alignment and debug data */
	__u32 align;
	__u32 order;       /* pages per slab = 1 << order */
	__u32 min_order;
	__u32 objects_per_slab;
	__u32 min_objects; /* per slab of min_order */
	__u32 refcount;    /* names that share the cache */
	__u32 has_ctor;
	__u32 useroffset, usersize;
	__u32 red_left_pad;
	__u32 cpu_partial;     /* limit, in objects */
	__u32 cpu_partial_max; /* limit, in slabs; 0 where the kernel counts objects only */
	__u32 sheaf_capacity;  /* 0: this cache has no sheaves */
	__u32 reserved;
	__u64 min_partial;

	__u64 slabs;
	__u64 objects_total;
	__u64 node_partial;  /* slabs on the nodes' partial lists */
	__u64 partial_free;  /* free objects on them */
	__u64 cpu_slabs;     /* slabs that CPUs hold as current slab */
	__u64 cpu_free;      /* free objects on them */
	__u64 cpu_partial_slabs; /* slabs on the CPUs' partial lists */
	__u64 cpu_partial_free;  /* free objects on them */
	__u64 sheaf_main;    /* objects in the CPUs' main sheaves */
	__u64 sheaf_spare;
	__u64 sheaf_rcu;
	__u64 barn_full;     /* full sheaves in the nodes' barns */
	__u64 barn_empty;
	__u64 barn_objects;  /* objects in the full ones */
	__u64 in_use;        /* objects that callers hold */
	__u64 slabinfo_active; /* what /proc/slabinfo calls active_objs */
};

_Static_assert(sizeof(struct kmem_cache_info) == 288, "both sides agree");

#endif
