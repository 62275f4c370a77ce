/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * observe.h - what the outside may read of a process that carries libkmem.
 *
 * This is the only header that the tools take from alloc/. Every structure
 * below is the allocator's own live structure, not a copy: a reader finds the
 * root through the ELF note, checks magic, version and sizes, and then reads
 * memory (process_vm_readv, /proc/PID/mem or a core file). Nothing is switched
 * on for it and no code runs in the target.
 *
 *   ELF note ".note.slabscope"  (owner "slabscope", type KMEM_OBSERVE_NOTE)
 *        | self-relative offset
 *   struct kmem_observe --- caches[]   struct kmem_cache, one per cache id
 *        |              --- nodes[]    struct kmem_cache_node, id * nr_nodes + nid
 *        |              --- pages[]    struct page, one per arena page
 *        |              --- idmap[]    uint16_t cache id, one per arena page
 *        |              --- bitmap[]   64 bytes per arena page
 *        |              --- black[]    memory of the allocator itself
 *   kmem_cache.percpu + (cpu << percpu_shift)  struct kmem_slot of one CPU
 *
 * True number of live objects of a cache, exact when the process is stopped and
 * off by operations in flight when it runs:
 *
 *   sum over slabs of popcount(bitmap)          (= sum of page.inuse
 *   - sum over CPUs of kmem_slot_count()         = sum of node.nr_taken)
 *   - node.shared, if not 0: kmem_slot_count()
 *   - sum over node.full[0 .. nr_full) of sheaf.count
 *
 * All addresses are uint64_t, so that the same structures serve a reader of
 * another process; all sizes are bytes unless the name says otherwise.
 */
#ifndef KMEM_OBSERVE_H
#define KMEM_OBSERVE_H

#include <stdint.h>

#define KMEM_OBSERVE_MAGIC   UINT64_C(0x65706f6373626c73) /* "slbscope" */
#define KMEM_OBSERVE_VERSION 2u
#define KMEM_OBSERVE_NOTE    1u           /* n_type of the ELF note */
#define KMEM_OBSERVE_OWNER   "slabscope"  /* n_name of the ELF note */

/* The note's descriptor: 16 bytes. root = address of `offset` + offset. */
struct kmem_observe_note {
	uint32_t version; /* KMEM_OBSERVE_VERSION */
	uint32_t size;    /* sizeof(struct kmem_observe) */
	int64_t offset;   /* from the address of this field to the root */
};

/* Id map values. Everything between is the id of a cache. */
#define KMEM_ID_NONE  0u       /* free, metadata, or not yet committed */
#define KMEM_ID_LARGE 0xffffu  /* kmalloc beyond the largest cache, malloc likewise */
#define KMEM_ID_PAGES 0xfffeu  /* alloc_pages() and relatives */
#define KMEM_ID_GUARD 0xfffdu  /* sampled object between guard pages */
#define KMEM_ID_VMALLOC 0xfffcu /* vmalloc(): the pages behind the first, which is LARGE */
#define KMEM_ID_MAX   0xfff0u  /* cache ids are 1 .. KMEM_ID_MAX - 1 */

#define KMEM_PAGE_SHIFT     12
#define KMEM_PAGE_BYTES     (1u << KMEM_PAGE_SHIFT)
#define KMEM_BITMAP_BYTES   64u /* of bitmap[] per arena page: 1 bit per 8 bytes */
#define KMEM_NR_ORDERS      11  /* 0 .. 10, 4 MiB */
#define KMEM_NR_MIGRATETYPES 3  /* unmovable, movable, reclaimable */
#define KMEM_MAX_NODES      8
#define KMEM_BARN_SHEAVES   10  /* full and empty sheaves that a node keeps */
#define KMEM_NAME_BYTES     64  /* of a cache name, with the terminating NUL */

enum kmem_page_type {
	KMEM_PAGE_RESERVED = 0, /* never handed out: guard page, not committed */
	KMEM_PAGE_FREE,         /* head of a free buddy block */
	KMEM_PAGE_PCP,          /* head of a free block parked in a per-CPU list */
	KMEM_PAGE_SLAB,         /* head of a slab */
	KMEM_PAGE_LARGE,        /* head of a large kmalloc()/malloc() object */
	KMEM_PAGE_PAGES,        /* head of an alloc_pages() block */
	KMEM_PAGE_TAIL,         /* page.head is the index of the head page */
	KMEM_PAGE_NR_TYPES
};

enum kmem_page_flags {
	KMEM_PG_ZEROED = 1 << 0,  /* free block known to read as zeroes */
	KMEM_PG_PARTIAL = 1 << 1, /* slab on its node's partial list */
	KMEM_PG_COMP = 1 << 2,    /* compound: allocated with __GFP_COMP */
	KMEM_PG_MAPPED = 1 << 3,  /* large object with an address range of its own (> 4 MiB) */
	KMEM_PG_EXACT = 1 << 4,   /* its tail pages were given back: size is exact */
	KMEM_PG_VMALLOC = 1 << 5, /* large object that is_vmalloc_addr() knows */
};

/*
 * Which descriptors mean something: every one whose type is neither RESERVED
 * nor TAIL is the live head of nr_pages pages, and the heads of committed
 * address space do not overlap. Slabs give each of their tail pages a TAIL
 * descriptor with `head`; inside LARGE and PAGES blocks the descriptors behind
 * the head are of no meaning, so look those up by interval.
 */
/* One page descriptor, 64 bytes; pages[i] describes arena_base + (i << 12). */
struct page {
	uint8_t type;        /* enum kmem_page_type */
	uint8_t order;       /* of the block, when this is a head */
	uint16_t flags;      /* enum kmem_page_flags */
	uint16_t cache_id;   /* slab: as in idmap */
	uint8_t migratetype;
	uint8_t node;
	uint32_t head;       /* tail: page index of the head */
	uint32_t next, prev; /* list links as page indices, 0 ends the list */
	uint32_t nr_pages;   /* head: pages in this block */
	uint16_t inuse;      /* slab: objects taken = bits set in its bitmap */
	uint16_t objects;    /* slab: objects that fit */
	uint16_t hint;       /* slab: first bitmap word that may have a clear bit */
	uint16_t reserved;
	int32_t refcount;    /* alloc_pages() blocks */
	uint32_t reserved2;
	uint64_t size;       /* large: requested bytes */
	uint64_t reserved3[2];
};

/* A full or empty array of object addresses that the depot exchanges. */
struct kmem_sheaf {
	uint32_t count;    /* valid entries of object[] */
	uint32_t capacity;
	uint64_t object[];
};

/*
 * The per-CPU object array of one cache on one CPU: the kernel's main and
 * spare sheaf as one stack of 2 * sheaf capacity. `word` is replaced by a
 * single store inside the rseq critical section, so count and number of
 * allocations can never disagree; `net` changes with it in one 16-byte store.
 */
struct kmem_slot {
	uint64_t word;     /* bits 0-15: objects held; bits 16-63: allocations served */
	int64_t net;       /* objects put in by refills minus taken out by flushes */
	uint32_t capacity; /* 0: every call takes the slow path */
	uint32_t reserved;
	uint64_t reserved2;
	uint64_t object[];
};

static inline uint32_t kmem_slot_count(const struct kmem_slot *slot)
{
	return (uint32_t)(slot->word & 0xffff);
}

static inline uint64_t kmem_slot_allocs(const struct kmem_slot *slot)
{
	return slot->word >> 16;
}

/* Frees served: what is here, was not put in by refills, and was not allocated from here. */
static inline uint64_t kmem_slot_frees(const struct kmem_slot *slot)
{
	return kmem_slot_count(slot) + kmem_slot_allocs(slot) - (uint64_t)slot->net;
}

/* Counters of the slow paths; changed under the node's lock only. */
struct kmem_node_stat {
	uint64_t alloc;         /* objects handed out that no slot has counted */
	uint64_t free;          /* objects taken back that no slot has counted */
	uint64_t refill;        /* slots filled from a barn sheaf or from slabs */
	uint64_t flush;         /* slots emptied into a barn sheaf or into slabs */
	uint64_t barn_get;      /* full sheaves taken from the barn */
	uint64_t barn_put;      /* full sheaves put into the barn */
	uint64_t barn_get_fail; /* refills that had to go to slabs */
	uint64_t barn_put_fail; /* flushes that had to go to slabs */
	uint64_t slab_alloc;    /* slabs made */
	uint64_t slab_free;     /* slabs given back to the page allocator */
	uint64_t order_fallback; /* slabs made with the minimum order */
	uint64_t alloc_fail;    /* allocations that returned NULL */
	uint64_t drain;         /* times the per-CPU slots were drained */
};

/* Per-node state of a cache. `seq` is odd while the lock holder changes it. */
struct kmem_cache_node {
	uint32_t lock;
	uint32_t seq;
	uint32_t nr_partial;    /* slabs on the partial list */
	uint32_t partial_head;  /* page index of the first, 0 none */
	uint32_t partial_tail;
	uint32_t nr_full;       /* entries of full[] */
	uint32_t nr_empty;      /* entries of empty[] */
	uint32_t reserved;
	uint64_t nr_slabs;
	uint64_t nr_objects;    /* that fit into those slabs */
	uint64_t nr_taken;      /* bits set in their bitmaps */
	uint64_t shared;        /* struct kmem_slot used under `lock` without rseq, or 0 */
	uint64_t full[KMEM_BARN_SHEAVES];  /* struct kmem_sheaf */
	uint64_t empty[KMEM_BARN_SHEAVES];
	struct kmem_node_stat stat;
	uint64_t reserved2[23];
};

/* The one bit of cache.flags that readers need: SLAB_NOLEAKTRACE, its objects are neither scanned nor reported. */
#define KMEM_CACHE_NOLEAKTRACE 0x00002000u

/* cache.state */
enum kmem_cache_state {
	KMEM_CACHE_FREE = 0, /* the id is unused */
	KMEM_CACHE_LIVE,
	KMEM_CACHE_DEAD,     /* destroyed with objects left: kept, leaked on purpose */
};

/*
 * A cache. The first cache line is what the fast path reads. Sizes as the
 * kernel names them: object_size is what was asked for, size the stride.
 */
struct kmem_cache {
	uint64_t percpu;        /* slot of CPU 0 in the current region */
	uint64_t reserved0;
	uint32_t size;
	uint32_t object_size;
	uint32_t flags;         /* SLAB_* */
	uint16_t id;
	uint16_t state;         /* enum kmem_cache_state */
	uint64_t ctor;
	uint32_t reciprocal;    /* of size: index = (offset * reciprocal) >> 32 */
	uint16_t objects;       /* per slab of the preferred order */
	uint8_t order;
	uint8_t min_order;
	uint32_t slot_offset;   /* of this cache's slots in a per-CPU region, 0 none */
	uint32_t sheaf_capacity;

	uint32_t align;
	uint32_t min_partial;
	uint32_t slot_capacity; /* 2 * sheaf_capacity, 0 with per-CPU caching off */
	uint16_t min_objects;   /* per slab of the minimum order */
	uint8_t migratetype;
	uint8_t nr_nodes;
	uint32_t useroffset, usersize;
	int32_t refcount;       /* names that share this cache */
	uint32_t seq;           /* odd while create, destroy or drain changes it */
	uint64_t folded_allocs; /* of slots that were drained */
	uint64_t folded_frees;
	uint64_t created_ns;    /* CLOCK_MONOTONIC */
	uint64_t call_site;     /* of kmem_cache_create() */
	char name[KMEM_NAME_BYTES];
	uint64_t reserved[41];
};

/* Free blocks of one order and migratetype. */
struct kmem_free_list {
	uint32_t head;
	uint32_t nr;
};

/* The page allocator's zone. There is one, "Normal", per node. */
struct kmem_zone {
	uint32_t lock;
	uint32_t seq;          /* odd while the lock holder changes it */
	uint64_t present_pages; /* committed to the buddy so far */
	uint64_t free_pages;   /* in free_list, per-CPU lists not included */
	uint64_t dirty_pages;  /* of those, not known to be zero: purge gives them back */
	uint64_t purged_pages; /* given back to the system so far, cumulative */
	uint64_t alloc_pages;  /* handed out so far, cumulative, per-CPU lists included */
	uint64_t freed_pages;
	uint64_t pcp_pages;    /* parked in per-CPU lists when the lists were last counted */
	uint64_t mapped_pages; /* in objects of their own address range (> 4 MiB), now */
	struct kmem_free_list free_list[KMEM_NR_ORDERS][KMEM_NR_MIGRATETYPES];
};

/* Memory that belongs to the allocator itself: never a root of a leak scan. */
struct kmem_black_range {
	uint64_t start, end;
	char name[16];
};

/* The root. */
struct kmem_observe {
	uint64_t magic;
	uint32_t version;
	uint32_t size;
	uint32_t state;        /* 0 before initialisation, 1 ready */
	uint32_t rseq;         /* 0 no per-CPU caching, 1 cpu_id, 2 mm_cid */

	/* sizes of the structures above, to be compared by the reader */
	uint32_t cache_bytes, node_bytes, page_desc_bytes, zone_bytes;
	uint32_t slot_header_bytes, sheaf_header_bytes;

	uint32_t nr_cpus;      /* slots of a cache in a region */
	uint32_t nr_nodes;
	uint32_t percpu_shift; /* log2 of the distance between two CPUs' slots */
	uint32_t nr_caches;    /* ids handed out so far: caches[1 .. nr_caches) may be in use */
	uint64_t arena_base;   /* 2 MiB aligned */
	uint64_t arena_end;    /* committed so far */
	uint64_t arena_limit;  /* reserved */
	uint64_t pages;        /* struct page[] */
	uint64_t idmap;        /* uint16_t[] */
	uint64_t bitmap;       /* KMEM_BITMAP_BYTES per page */
	uint64_t caches;       /* struct kmem_cache[] */
	uint64_t nodes;        /* struct kmem_cache_node[] */
	uint64_t zones;        /* struct kmem_zone[nr_nodes] */
	uint64_t percpu[2];    /* the two per-CPU regions */
	uint64_t percpu_bytes; /* of each */
	uint64_t sheaves;      /* range that holds every struct kmem_sheaf and shared slot */
	uint64_t sheaves_end;
	uint64_t black;        /* struct kmem_black_range[] */
	uint32_t nr_black;
	uint32_t page_caps;    /* bit 0: huge pages advised */
	char release[16];      /* "0.1.0" */
	uint64_t init_ns;      /* CLOCK_MONOTONIC */
	uint64_t pools;        /* struct kmem_pools, kmem/observe_pool.h */
	uint64_t reserved[7];
};

#ifdef __cplusplus
#define KMEM_ASSERT(condition, message) static_assert(condition, message)
#else
#define KMEM_ASSERT(condition, message) _Static_assert(condition, message)
#endif

KMEM_ASSERT(sizeof(struct page) == 64, "page descriptors are 64 bytes");
KMEM_ASSERT(sizeof(struct kmem_slot) == 32, "slot header");
KMEM_ASSERT(sizeof(struct kmem_cache) == 512, "caches are indexed by shift");
KMEM_ASSERT(sizeof(struct kmem_cache_node) == 512, "node array stride");
KMEM_ASSERT(sizeof(struct kmem_observe_note) == 16, "note descriptor");

#endif
