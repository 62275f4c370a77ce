/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * vmlinux.h - the kernel types that our BPF programs touch, kept by hand.
 *
 * Not a dump: CO-RE needs only the names of the fields that are read, the
 * loader puts in the running kernel's offsets. What is not read is not here, so
 * sizes and offsets of these structures mean nothing in C: use BPF_CORE_READ,
 * bpf_core_field_offset and bpf_core_type_size. A field that some kernel lacks
 * is read behind bpf_core_field_exists; where kernels differ in more than
 * presence there is a ___flavour, whose name counts up to the three underscores.
 *
 * vmlinux/gen.sh makes the full header of a kernel, to look things up in.
 */
#ifndef __VMLINUX_H__
#define __VMLINUX_H__ /* also tells bpf_tracing.h which names pt_regs has */

#include <linux/bpf.h>

typedef _Bool bool;
enum { false = 0, true = 1 };

/* The program's own argument: not relocated, x86-64 ABI. */
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx;
	unsigned long r11, r10, r9, r8, ax, cx, dx, si, di;
	unsigned long orig_ax, ip, cs, flags, sp, ss;
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct list_head {
	struct list_head *next, *prev;
};

typedef struct {
	long counter;
} atomic_long_t;

/* ---- iterators ---- */

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__kmem_cache {
	struct bpf_iter_meta *meta;
	struct kmem_cache *s;
};

/* A per-CPU array map: pptrs[0] is the __percpu address of its first element. */
struct bpf_array {
	void *pptrs[0];
};

/* ---- slab caches ---- */

struct kmem_cache_order_objects {
	unsigned int x; /* order << 16 | objects */
};

/* Objects in an array: per CPU and in the barn. 6.18 and later. */
struct slab_sheaf {
	struct list_head barn_list;
	unsigned int size;
	void *objects[0];
};

struct slub_percpu_sheaves {
	struct slab_sheaf *main;
	struct slab_sheaf *spare;
	struct slab_sheaf *rcu_free;
};

struct node_barn {
	struct list_head sheaves_full;
	unsigned int nr_full;
	unsigned int nr_empty;
};

struct kmem_cache_node {
	unsigned long nr_partial;
	struct list_head partial;
	atomic_long_t nr_slabs;      /* CONFIG_SLUB_DEBUG */
	atomic_long_t total_objects; /* CONFIG_SLUB_DEBUG */
	struct node_barn *barn;      /* 6.18; in 7.1 beside the node, see below */
};

struct kmem_cache_per_node_ptrs {
	struct node_barn *barn;
	struct kmem_cache_node *node;
};

struct slab {
	struct kmem_cache *slab_cache;
	struct list_head slab_list; /* on a node's partial list */
	struct slab *next;          /* on a CPU's partial list */
	void *freelist;             /* its first free object; not those that a CPU took over */
	unsigned long counters;     /* inuse:16, objects:15, frozen:1 */
};

/* Gone in 7.0, absent with CONFIG_SLUB_TINY. */
struct kmem_cache_cpu {
	void **freelist;
	unsigned long tid; /* changes with every operation on the freelist */
	struct slab *slab;
	struct slab *partial; /* CONFIG_SLUB_CPU_PARTIAL */
};

struct kmem_cache {
	struct kmem_cache_cpu *cpu_slab;
	struct slub_percpu_sheaves *cpu_sheaves;
	unsigned int flags;
	unsigned long min_partial;
	unsigned int size;
	unsigned int object_size;
	unsigned int offset; /* of the free pointer in a free object */
	unsigned int cpu_partial;
	unsigned int cpu_partial_slabs;
	unsigned int sheaf_capacity;
	struct kmem_cache_order_objects oo;
	struct kmem_cache_order_objects min;
	int refcount;
	void (*ctor)(void *);
	unsigned int align;
	unsigned int red_left_pad;
	const char *name;
	struct list_head list;
	unsigned long random; /* CONFIG_SLAB_FREELIST_HARDENED */
	unsigned int useroffset;
	unsigned int usersize;
	struct kmem_cache_node *node[1];
};

/* 7.1: barn and node of one NUMA node side by side. */
struct kmem_cache___per_node {
	struct kmem_cache_per_node_ptrs per_node[1];
};

/* ---- page descriptors ---- */

typedef struct {
	int counter;
} atomic_t;

struct page {
	unsigned long compound_head;
	unsigned int page_type;
	atomic_t _refcount;
};

struct page___flags_word { /* until 6.17; later a structure, where we do not need it */
	unsigned long flags;
};

#pragma clang attribute pop

/* Until 6.9 a slab page has this flag ... */
enum pageflags {
	PG_slab = 0,
};

/* ... from 6.11 on its type is in the top byte of page_type. */
enum pagetype {
	PGTY_slab = 0,
	PGTY_large_kmalloc = 1, /* 6.15 and later */
};

#endif
