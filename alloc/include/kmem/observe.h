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
 *        |              --- pages[]    struct page, one per arena page, at kmem_page_place()
 *        |              --- idmap[]    uint16_t cache id, one per arena page
 *        |              --- bitmap[]   64 bytes per arena page, at kmem_bitmap_word(): which objects of a slab were freed
 *        |              --- black[]    memory of the allocator itself
 *   kmem_cache.percpu + (cpu << percpu_shift)  struct kmem_slot of one CPU
 *
 * True number of live objects of a cache, exact when the process is stopped and
 * off by operations in flight when it runs:
 *
 *   sum over slabs of kmem_slab_taken()'s bits  (= sum of page.inuse
 *   - sum over CPUs of kmem_slot_count()         = sum of node.nr_taken)
 *   - node.shared, if not 0: kmem_slot_count()
 *   - sum over nodes of parked                   (= sum over full sheaves of sheaf.count
 *   - kmem_prefill_held(cache.prefill)
 *   + cache.guard_allocs - cache.guard_frees
 *
 * Caches that were merged (KMEM_OPTIONS=merge=on) share the slabs of one of them,
 * the root: an alias has slots and counters of its own, its root_id says whose
 * nodes and barn it uses, and slabs and the id map carry the root's id. Then the
 * formula, with the slots and prefill of the root and of all its aliases, gives
 * the objects of all those names; each name's own are its allocations minus its
 * frees, where what kfree() freed counts for the root.
 *
 * All addresses are uint64_t, so that the same structures serve a reader of
 * another process; all sizes are bytes unless the name says otherwise.
 */
#ifndef KMEM_OBSERVE_H
#define KMEM_OBSERVE_H

#include <stdint.h>

#define KMEM_OBSERVE_MAGIC   UINT64_C(0x65706f6373626c73) /* "slbscope" */
#define KMEM_OBSERVE_VERSION 4u
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
#define KMEM_ID_GUARD 0xfffdu  /* sampled object between guard pages: a page of its own, somewhere in it */
#define KMEM_ID_GUARD_FREE 0xfffbu /* such a page while its object is free */
#define KMEM_ID_VMALLOC 0xfffcu /* vmalloc(): the pages behind the first, which is LARGE */
#define KMEM_ID_MAX   0xfff0u  /* cache ids are 1 .. KMEM_ID_MAX - 1 */

#define KMEM_PAGE_SHIFT     12
#define KMEM_PAGE_BYTES     (1u << KMEM_PAGE_SHIFT)
#define KMEM_BITMAP_BYTES   64u /* of bitmap[] per arena page: 1 bit per 8 bytes */
#define KMEM_NR_ORDERS      11  /* 0 .. 10, 4 MiB */
#define KMEM_NR_MIGRATETYPES 4  /* unmovable, movable, reclaimable, highatomic */
#define KMEM_NR_PCPTYPES    3   /* of those, the ones that per-CPU lists hold */
#define KMEM_NR_PCP_LISTS   23  /* orders 0-6 by type, then order 9: not movable, movable */
#define KMEM_MAX_NODES      8
#define KMEM_PAGEBLOCK_TYPE 0x7f /* of pageblocks[]: the mobility */
#define KMEM_MAX_ZONES      10  /* Normal of each node, DMA32, Huge */
#define KMEM_NR_WMARKS      4   /* min, low, high, promo */
#define KMEM_BARN_SHEAVES   10  /* full and empty sheaves that a node keeps */
#define KMEM_NAME_BYTES     64  /* of a cache name, with the terminating NUL */

enum kmem_page_type {
	KMEM_PAGE_RESERVED = 0, /* never handed out: guard page, not committed */
	KMEM_PAGE_FREE,         /* head of a free buddy block */
	KMEM_PAGE_PCP,          /* head of a free block parked in a per-CPU list */
	KMEM_PAGE_SLAB,         /* head of a slab */
	KMEM_PAGE_LARGE,        /* head of a large kmalloc()/malloc() object */
	KMEM_PAGE_PAGES,        /* head of an alloc_pages() block */
	KMEM_PAGE_TAIL,         /* not a head */
	KMEM_PAGE_NR_TYPES
};

enum kmem_page_flags {
	KMEM_PG_ZEROED = 1 << 0,  /* free block known to read as zeroes */
	KMEM_PG_PARTIAL = 1 << 1, /* slab on its node's partial list */
	KMEM_PG_COMP = 1 << 2,    /* compound: allocated with __GFP_COMP */
	KMEM_PG_MAPPED = 1 << 3,  /* large object with an address range of its own (> 4 MiB) */
	KMEM_PG_EXACT = 1 << 4,   /* its tail pages were given back: size is exact */
	KMEM_PG_GUARD = 1 << 9,   /* LARGE, but one page with a sampled object somewhere in it */
	KMEM_PG_DEBUG = 1 << 8,   /* large object whose size asked for is exact, and guarded */
	KMEM_PG_VMALLOC = 1 << 5, /* large object that is_vmalloc_addr() knows */
	KMEM_PG_SAMPLED = 1 << 10, /* an object here is in the table of samples (kmem/observe_sample.h) */
	KMEM_PG_LAZY = 1 << 6,    /* free block given back lazily (MADV_FREE): contents unknown, not dirty */
};

/* What 4 MiB of the arena are. */
enum kmem_block_state {
	KMEM_BLOCK_FREE,       /* reserved address space */
	KMEM_BLOCK_BUDDY,      /* belongs to the page allocator */
	KMEM_BLOCK_LARGE,      /* first block of a large mapping */
	KMEM_BLOCK_LARGE_TAIL, /* its other blocks */
	KMEM_BLOCK_GUARD,      /* the pool of guarded objects */
};

/*
 * Which descriptors mean something: every one whose type is neither RESERVED
 * nor TAIL is the live head of nr_pages pages, and the heads of committed
 * address space do not overlap. The descriptors behind a head are of no meaning,
 * so look pages up by interval; but none of them is of type SLAB, so the head of
 * a slab, which is naturally aligned, is found by trying the orders.
 */
/*
 * One page descriptor, 64 bytes; pages[kmem_page_place(i)] describes arena_base + (i << 12).
 * In each 4 MiB those of the pages 0, 8, 16 ... come first, then of 1, 9, 17 ...: where blocks
 * are of 8 pages or more and only their heads are described, 8 KiB of 64 need memory.
 */
struct page {
	uint8_t type;        /* enum kmem_page_type */
	uint8_t order;       /* of the block, when this is a head */
	uint16_t flags;      /* enum kmem_page_flags */
	uint16_t cache_id;   /* slab: as in idmap, of merged caches the root's; guarded object: of its cache */
	uint8_t migratetype;
	uint8_t node;
	uint32_t head;       /* tail of a compound page: page index of the head */
	uint32_t next, prev; /* list links as page indices, 0 ends the list */
	uint32_t nr_pages;   /* head: pages in this block */
	uint16_t inuse;      /* slab: objects taken = `fresh` - bits set in its bitmap; free: pages that may hold memory, a guess */
	uint16_t objects;    /* slab: objects that fit */
	uint16_t hint;       /* slab: first bitmap word that may have a bit set */
	uint16_t debug_id;   /* slab of a debug cache, on its node: cache_id again */
	int32_t refcount;    /* alloc_pages() blocks; bit 30: __free_pages() was called */
	uint32_t chain_inuse; /* slab of a debug cache: objects not in its chain of free ones */
	union {
		uint32_t stack; /* large, debugged: handle of who allocated it */
		uint32_t fresh; /* slab: objects from this one on were never taken: they are free, and have no bit */
	};
	uint32_t offset;     /* guarded: of the object in its page; slab: its colour, bytes in front of object 0 */
	union {
		struct {
			union {
				uint64_t freelist; /* slab of a debug cache: first free object, as its chain says */
				uint64_t emptied;  /* other slab of up to 64 pages: bit n: page n has no memory, as no
						    * object there was taken since it was fresh or given back */
			};
			uint64_t size; /* large: requested bytes */
		};
		uint64_t rcu[2]; /* an empty slab that waits for a grace period */
	};
};

#define KMEM_ARENA_BLOCK_PAGES 1024u /* 4 MiB; no block but LARGE ones lies across two */

static inline uint64_t kmem_page_place(uint64_t index)
{
	return (index & ~UINT64_C(1023)) | (index & 7) << 7 | (index >> 3 & 127);
}

/* And back: the page that pages[place] describes. */
static inline uint64_t kmem_page_of_place(uint64_t place)
{
	return (place & ~UINT64_C(1023)) | (place & 127) << 3 | (place >> 7 & 7);
}

/* Where word `word` of the bitmap of a slab whose head is page `index` is in bitmap[]: its pages have 8 words each, in the same order. */
static inline uint64_t kmem_bitmap_word(uint64_t index, uint32_t word)
{
	return kmem_page_place(index + word / 8) * 8 + word % 8;
}

/*
 * Which of the objects 64 * word .. 64 * word + 63 of a slab are taken, as bits. `bits` is
 * that word of its bitmap: one is set while an object that was taken once is free. So as
 * long as a slab is only taken from, nobody writes there, and it needs no memory.
 */
static inline uint64_t kmem_slab_taken(const struct page *slab, uint64_t bits, uint32_t word)
{
	uint32_t end = slab->fresh < slab->objects ? slab->fresh : slab->objects;

	if (word >= (end + 63) / 64)
		return 0;
	return ~bits & (~UINT64_C(0) >> (end - word * 64 < 64 ? 64 - (end - word * 64) : 0));
}

/*
 * What SLAB_STORE_USER keeps behind each object, at object + cache.track: the
 * last allocation, then the last free. All zero: there was none yet.
 */
struct kmem_track {
	uint64_t call_site;
	uint32_t handle;     /* of the stack in the depot, 0 none */
	int32_t cpu;
	int32_t tid;
	uint32_t reserved;
	uint64_t when_ns;    /* CLOCK_MONOTONIC */
};

/* A stack, innermost address first; lies at root.depot + handle * 8. */
struct kmem_depot_record {
	uint32_t next;       /* handle of another stack of the same hash bucket */
	uint32_t hash;
	uint32_t nr;
	uint32_t reserved;
	uint64_t frame[];
};

/* A full or empty array of object addresses that the barn exchanges. */
struct kmem_sheaf {
	uint32_t count;    /* valid entries of object[] */
	uint32_t capacity;
	uint64_t object[];
};

/*
 * The per-CPU object array of one cache on one CPU: the kernel's main and
 * spare sheaf as one stack of 2 * sheaf capacity, or more where that was too few. `word` is replaced by a
 * single store inside the rseq critical section, so count and number of
 * allocations can never disagree; `net` changes with it in one 16-byte store.
 */
struct kmem_slot {
	uint64_t word;     /* bits 0-15: objects held; bits 16-63: allocations served */
	int64_t net;       /* objects put in by refills minus taken out by flushes */
	uint32_t capacity; /* 0: every call takes the slow path */
	uint32_t limit;    /* objects that it may hold; capacity stays 0 with several nodes: slow frees look at the node */
	uint16_t credit;   /* refills since the last flush */
	uint16_t grant;    /* sheaves that it may grow by before the next flush */
	uint32_t address_mask; /* the cache's, once the slot is in use */
	uint64_t object[];
};

static inline uint32_t kmem_slot_count(const struct kmem_slot *slot)
{
	return (uint32_t)(slot->word & 0xffff);
}

/*
 * Allocations and frees that a slot has counted are meant modulo 2^48, as is what they are added up to (with
 * cache.folded_*, which may be "negative"): a slot that counts towards the next sample starts just so
 * far from 2^48, and passes it.
 */
#define KMEM_COUNT_MASK ((UINT64_C(1) << 48) - 1)

static inline uint64_t kmem_slot_allocs(const struct kmem_slot *slot)
{
	return slot->word >> 16;
}

/* Frees served: what is here, was not put in by refills, and was not allocated from here. */
static inline uint64_t kmem_slot_frees(const struct kmem_slot *slot)
{
	return kmem_slot_count(slot) + kmem_slot_allocs(slot) - (uint64_t)slot->net;
}

/* Of kmem_cache.prefill; objects that callers hold are free as those in a slot are. */
static inline uint64_t kmem_prefill_held(uint64_t prefill)
{
	return prefill & 0xffffff;
}

static inline uint64_t kmem_prefill_allocs(uint64_t prefill)
{
	return prefill >> 24;
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
	uint64_t remote_free;   /* objects freed by CPUs of other nodes */
	uint64_t prefill_fast;  /* sheaves for callers that the barn filled */
	uint64_t prefill_slow;  /* sheaves for callers that slabs filled */
	uint64_t prefill_oversize; /* of those, with more objects than the cache's sheaves hold */
	uint64_t return_fast;   /* sheaves of callers that went back into the barn */
	uint64_t return_slow;   /* sheaves of callers that went back into slabs */
};

/*
 * Per-node state of a cache. The lock of node 0 is that of all its nodes, and
 * the seq of node 0 is odd while its holder changes any of them.
 */
struct kmem_cache_node {
	uint32_t lock;
	uint32_t seq;
	uint32_t nr_partial;    /* slabs on the partial list */
	uint32_t partial_head;  /* page index of the first, 0 none */
	uint32_t partial_tail;
	uint32_t nr_full;       /* full sheaves: full[], and from the eleventh on more[] */
	uint32_t nr_empty;      /* entries of empty[] */
	uint32_t closed;        /* the barn takes no full sheaves, until objects leave slabs again */
	uint64_t nr_slabs;
	uint64_t nr_objects;    /* that fit into those slabs */
	uint64_t nr_taken;      /* bits set in their bitmaps */
	uint64_t shared;        /* struct kmem_slot used under `lock` without rseq, or 0 */
	uint64_t full[KMEM_BARN_SHEAVES];  /* struct kmem_sheaf */
	uint64_t empty[KMEM_BARN_SHEAVES];
	struct kmem_node_stat stat;
	uint64_t parked;        /* objects in full sheaves */
	uint64_t more;          /* uint64_t[] in the range of sheaves: full sheaves beyond full[]; 0 none */
	uint64_t spare;         /* empty sheaves beyond empty[], chained through object[0] */
	uint32_t nr_spare;
	uint32_t learned;       /* full sheaves kept beyond cache.barn_full, because they were missed */
	uint32_t debt;          /* objects that went to slabs for want of room, and may be missed */
	uint32_t low;           /* fewest full sheaves in this period */
	uint32_t ticks;         /* refills and flushes until the next look at the clock */
	uint32_t more_room;     /* entries that more[] has room for */
	uint64_t period_ns;     /* when it ends, CLOCK_MONOTONIC */
	uint64_t rest_moves;    /* node 0: refills and flushes when the cache was last looked at */
	uint64_t rested;        /* node 0: it was given back what it parks, and has moved nothing since */
	uint64_t reserved2[8];
};

/* The bits of cache.flags that readers need: the SLAB_* flags of these names. */
#define KMEM_CACHE_CONSISTENCY_CHECKS 0x00000001u
#define KMEM_CACHE_RED_ZONE           0x00000002u
#define KMEM_CACHE_POISON             0x00000004u
#define KMEM_CACHE_STORE_USER         0x00000008u
#define KMEM_CACHE_TRACE              0x00000010u
#define KMEM_CACHE_FAILSLAB           0x00000020u
#define KMEM_CACHE_HWCACHE_ALIGN      0x00000100u
#define KMEM_CACHE_DMA                0x00000200u
#define KMEM_CACHE_TYPESAFE_BY_RCU    0x00001000u
#define KMEM_CACHE_NOLEAKTRACE        0x00002000u /* its objects are neither scanned nor reported */
#define KMEM_CACHE_RECLAIM_ACCOUNT    0x00008000u

/* cache.behaviour: run-time choices that are no SLAB_* flags. */
enum kmem_cache_behaviour {
	KMEM_CACHE_RANDOM_ORDER = 1 << 0, /* objects leave their slabs in random order */
	KMEM_CACHE_BARN_FIXED = 1 << 1,   /* somebody has set the barn's limits: it learns none */
	KMEM_CACHE_SLOT_FIXED = 1 << 2,   /* somebody has set the sheaf capacity: slots do not grow */
};

/* cache.state */
enum kmem_cache_state {
	KMEM_CACHE_FREE = 0, /* the id is unused */
	KMEM_CACHE_LIVE,
	KMEM_CACHE_DEAD,     /* destroyed with objects left: kept, leaked on purpose; or with aliases, which need it */
};

/*
 * A cache. The first cache line is what the fast path reads. Sizes as the
 * kernel names them: object_size is what was asked for, size the stride.
 */
struct kmem_cache {
	uint64_t percpu;        /* slot of CPU 0 in the current region */
	uint64_t address_mask;  /* bits that are 0 in the address of every object; 0 for a debug cache, which checks all */
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
	uint32_t slot_capacity; /* objects that a slot has room for: 2 * sheaf_capacity or more; 0 with per-CPU caching off */
	uint16_t min_objects;   /* per slab of the minimum order */
	uint8_t migratetype;
	uint8_t nr_nodes;
	uint32_t useroffset, usersize;
	int32_t refcount;       /* of a root: live names that share its slabs */
	uint32_t seq;           /* odd while create, destroy or drain changes it */
	uint64_t folded_allocs; /* of slots that were drained */
	uint64_t folded_frees;
	uint64_t created_ns;    /* CLOCK_MONOTONIC */
	uint64_t call_site;     /* of kmem_cache_create() */
	char name[KMEM_NAME_BYTES];

	/*
	 * Layout of a debug cache's objects (slab/geometry.h): object i of a slab starts at
	 * page.offset + i * size + red_left_pad; the other offsets count from there, UINT32_MAX none.
	 */
	uint32_t red_left_pad;
	uint32_t inuse;
	uint32_t freeptr;       /* of the pointer to the next free object */
	uint32_t track;         /* of two struct kmem_track: allocation, free */
	uint32_t orig_size;     /* of the size asked for, uint32_t */
	uint32_t info_end;
	uint64_t random;        /* what the free pointers are mixed with */
	uint64_t errors;        /* reported about this cache so far, repairs included */
	uint64_t prefill;       /* bits 0-23: objects in sheaves that callers hold; 24-63: allocated from them */
	uint32_t barn_full;     /* full sheaves that a node always keeps, at most KMEM_BARN_SHEAVES; empty ones */
	uint32_t barn_empty;
	uint32_t remote_node_defrag_ratio; /* 0-1000: how often, of 1024, to take from another node before a new slab */
	uint32_t behaviour;     /* enum kmem_cache_behaviour */
	uint64_t deferred;      /* freed in contexts that could not take the lock: first of a chain through the objects */
	uint64_t guard_allocs;  /* objects between guard pages: in no slab, and counted nowhere else */
	uint64_t guard_frees;
	uint16_t root_id;       /* whose slabs it uses: its own id, or that of the cache it is an alias of */
	uint16_t next_alias;    /* chain from the root through its aliases: id, 0 at the end */
	uint32_t nr_hot;        /* words at `hot` that follow `percpu`: tables by size of kmalloc() and malloc() */
	uint64_t hot;
	uint32_t colour_off;    /* distance between the colours of slabs, bytes; 0: every slab begins with an object */
	uint32_t colour_next;   /* slabs coloured so far */
	uint32_t slots_wanted;  /* larger slots: 1 the next allocation that may wait makes them, 2 there are none */
	uint32_t reserved1;
	uint64_t reserved[26];
};

/* Whether a cache has its slabs from another one. */
static inline int kmem_cache_is_alias(const struct kmem_cache *s)
{
	return s->root_id && s->root_id != s->id;
}

/* Whether other names live in the same slabs: then a name's own objects are its allocations minus its frees. */
static inline int kmem_cache_is_merged(const struct kmem_cache *s)
{
	return kmem_cache_is_alias(s) || s->refcount > (s->state == KMEM_CACHE_LIVE);
}

/* Free blocks of one order and migratetype: those with contents first to be taken, and those given back. */
struct kmem_free_list {
	uint32_t head, tail; /* blocks that hold memory, the last one freed first */
	uint32_t clean;      /* fresh blocks and purged ones */
	uint32_t nr;         /* both */
};

/* Counters of a zone; what per-CPU lists served is counted there. */
enum kmem_zone_stat {
	KMEM_ZS_ALLOC,        /* pages handed out */
	KMEM_ZS_FREE,         /* pages taken back */
	KMEM_ZS_NUMA_HIT,     /* blocks from the node that was meant */
	KMEM_ZS_NUMA_MISS,    /* blocks from here, though another node was meant */
	KMEM_ZS_NUMA_FOREIGN, /* blocks meant for here that came from another node */
	KMEM_ZS_NUMA_LOCAL,   /* blocks for a CPU of this node */
	KMEM_ZS_NUMA_OTHER,   /* blocks for a CPU of another node */
	KMEM_ZS_CLAIM,        /* pageblocks that changed type for a request of another one */
	KMEM_ZS_STEAL,        /* blocks taken from pageblocks of another type */
	KMEM_NR_ZONE_STATS
};

/* Events of no zone; the names are the kernel's where /proc/vmstat has the like. */
enum kmem_vm_event {
	KMEM_VM_ALLOCSTALL,     /* requests that had to reclaim */
	KMEM_VM_SLABS_SCANNED,  /* objects that shrinkers freed */
	KMEM_VM_PGSCAN_DIRECT,  /* pages that rounds of reclaim were after */
	KMEM_VM_PGSTEAL_DIRECT, /* pages that became free during reclaim */
	KMEM_VM_DROP_SLAB,      /* calls of kmem_drop_slab() */
	KMEM_VM_DRAIN,          /* times all per-CPU lists were drained for a request */
	KMEM_VM_ALLOC_FAIL,     /* requests that got NULL */
	KMEM_VM_PURGE,          /* blocks given back to the system */
	KMEM_VM_SLAB_PURGE,     /* pages without objects given back out of slabs */
	KMEM_VM_BAD_PAGE,       /* bad page states found */
	KMEM_NR_VM_EVENTS
};

/*
 * A zone: memory of one kind on one node. zones[0 .. nr_nodes) are the nodes'
 * "Normal"; "DMA32" and "Huge" follow where they are asked for.
 */
struct kmem_zone {
	uint32_t lock;
	uint32_t seq;           /* odd while the lock holder changes it */
	char name[8];
	uint32_t node;
	uint32_t deferred;      /* blocks freed while the lock was taken: page index, chained by `next` */
	uint64_t max_pages;     /* its share of the budget (limit=), UINT64_MAX without one */
	uint64_t present_pages; /* committed to the buddy so far */
	uint64_t free_pages;    /* in free_list, per-CPU lists not included */
	uint64_t dirty_pages;   /* of those, about so many hold memory: purge gives them back */
	uint64_t purged_pages;  /* given back to the system so far, cumulative */
	uint64_t emptied_taken; /* pages handed out that were fresh or given back, cumulative */
	uint64_t mapped_pages;  /* in objects of their own address range (> 4 MiB), now */
	uint64_t watermark[KMEM_NR_WMARKS]; /* pages, without the boost */
	uint64_t watermark_boost;
	uint64_t lowmem_reserve; /* pages kept from requests that do not ask for this zone */
	uint64_t highatomic_pages; /* in pageblocks reserved for urgent requests of order > 0 */
	uint64_t highatomic_free;  /* of those, free */
	uint64_t stat[KMEM_NR_ZONE_STATS];
	struct kmem_free_list free_list[KMEM_NR_ORDERS][KMEM_NR_MIGRATETYPES];
};

/* One CPU's lists of one zone; changed under `lock` only. */
struct kmem_pcp {
	uint32_t lock;
	uint32_t count;        /* pages parked */
	uint32_t batch;        /* pages moved at once */
	uint32_t high;         /* more than that are given back; tuned between the next two */
	uint32_t high_min, high_max;
	uint16_t alloc_factor; /* refills are batch << this */
	uint16_t free_count;   /* pages freed here in a row */
	uint32_t free_flags;   /* how the last free went */
	uint64_t rest_moves;   /* pages taken and freed when it was last looked at */
	uint32_t head[KMEM_NR_PCP_LISTS]; /* page index of the first, chained by `next` */
	uint64_t stat[KMEM_NR_ZONE_STATS];
} __attribute__((aligned(64)));

/* Memory that belongs to the allocator itself: never a root of a leak scan. */
struct kmem_black_range {
	uint64_t start, end;
	char name[16];
};

/*
 * The mailbox: with the words of attention[], the only thing here that an
 * observer may write. It asks the process to change a tunable of a cache, as a
 * write to /sys/kernel/slab would: all fields first, then `request`, then 65535
 * to both words of attention[], which diverts allocations from the fast path.
 * The next one that may block does it, sets `result`, then `done` to the request,
 * and clears the words. Whatever is written here, no more happens than that a
 * cache's tunable changes within its range: everything is checked, on a copy.
 */
struct kmem_control {
	uint32_t request;   /* a number of the writer's own, not that of `done` */
	uint32_t done;
	int32_t result;     /* 0 or -errno; -EAGAIN: another writer came between */
	uint32_t token;     /* as `request`: these fields belong to it */
	int64_t value;
	uint32_t cache_id;
	char attribute[36]; /* its name, terminated */
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
	uint32_t pcp_bytes;
	uint32_t nr_zones;     /* of zones[] and of each CPU's pcps[] */

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
	uint64_t zones;        /* struct kmem_zone[nr_zones] */
	uint64_t pcps;         /* struct kmem_pcp[nr_cpus][nr_zones] */
	uint64_t events;       /* uint64_t[nr_events], by enum kmem_vm_event */
	uint64_t blocks;       /* per 4 MiB of the arena a byte: enum kmem_block_state | index of the zone << 4 */
	uint64_t nr_events;
	uint64_t percpu[2];    /* the two per-CPU regions */
	uint64_t percpu_bytes; /* of each */
	uint64_t sheaves;      /* range that holds every struct kmem_sheaf and shared slot */
	uint64_t sheaves_end;
	uint64_t black;        /* struct kmem_black_range[] */
	uint32_t nr_black;
	uint32_t page_caps;    /* bit 0: huge pages advised */
	char release[16];      /* "0.1.0" */
	uint64_t init_ns;      /* CLOCK_MONOTONIC */
	uint64_t pageblocks;   /* uint8_t[]: mobility of each 2 MiB of the arena; bit 7: huge pages asked for */
	uint64_t control;      /* struct kmem_control */
	uint64_t attention[2]; /* uint16_t each: 65535 there makes the next allocation look into `control` */
	uint64_t depot;        /* stacks, 0 when none was ever stored */
	uint64_t pools;        /* struct kmem_pools, kmem/observe_pool.h */
	uint64_t batches;      /* struct kmem_batches, kmem/observe_batch.h */
	uint64_t samples;      /* struct kmem_samples, kmem/observe_sample.h */
	uint64_t reserved[4];
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
