/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab.h - object caches and kmalloc, with the kernel's names and semantics
 * (include/linux/slab.h, mm/slub.c of Linux 6.12, sheaves as in 7.0).
 *
 * Every call is thread safe. Allocation and free of a cached object take about
 * a nanosecond: they run in a restartable sequence on a per-CPU array and use
 * no atomic operation. Allocation functions return NULL on failure; functions
 * that return int return 0 or -errno.
 */
#ifndef KMEM_SLAB_H
#define KMEM_SLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <kmem/attr.h>
#include <kmem/gfp.h>

KMEM_BEGIN

struct kmem_cache;

typedef unsigned int slab_flags_t;

/* Cache flags. Values are our own and may change: the kernel renumbers its own, too. */
#define SLAB_CONSISTENCY_CHECKS ((slab_flags_t)0x00000001u) /* F */
#define SLAB_RED_ZONE           ((slab_flags_t)0x00000002u) /* Z */
#define SLAB_POISON             ((slab_flags_t)0x00000004u) /* P */
#define SLAB_STORE_USER         ((slab_flags_t)0x00000008u) /* U */
#define SLAB_TRACE              ((slab_flags_t)0x00000010u) /* T */
#define SLAB_FAILSLAB           ((slab_flags_t)0x00000020u) /* A */
#define SLAB_HWCACHE_ALIGN      ((slab_flags_t)0x00000100u) /* align to the cache line where it costs little */
#define SLAB_CACHE_DMA          ((slab_flags_t)0x00000200u)
#define SLAB_CACHE_DMA32        ((slab_flags_t)0x00000400u)
#define SLAB_PANIC              ((slab_flags_t)0x00000800u) /* abort when the cache cannot be made */
#define SLAB_TYPESAFE_BY_RCU    ((slab_flags_t)0x00001000u)
#define SLAB_NOLEAKTRACE        ((slab_flags_t)0x00002000u) /* kmemleak neither reports nor scans its objects */
#define SLAB_NO_MERGE           ((slab_flags_t)0x00004000u)
#define SLAB_RECLAIM_ACCOUNT    ((slab_flags_t)0x00008000u) /* objects are reclaimable: pages come from such blocks */
#define SLAB_TEMPORARY          SLAB_RECLAIM_ACCOUNT
#define SLAB_ACCOUNT            ((slab_flags_t)0x00010000u)
#define SLAB_NO_USER_FLAGS      ((slab_flags_t)0x00020000u) /* KMEM_SLAB_DEBUG does not apply to it */
#define SLAB_KMALLOC            ((slab_flags_t)0x00040000u) /* objects are asked for by size: with U the size is kept */

/* Options of kmem_cache_create(); zero for what is not needed. */
struct kmem_cache_args {
	unsigned int align;          /* bytes, a power of two, 0 = 8 */
	unsigned int useroffset;     /* window that may be copied to and from user space: offset */
	unsigned int usersize;       /* and size in bytes, 0 = none */
	unsigned int freeptr_offset; /* accepted: free objects carry no pointer here */
	bool use_freeptr_offset;
	void (*ctor)(void *object);  /* run once per object, when its slab is made */
	unsigned int sheaf_capacity; /* floor for the objects per sheaf, 0 = by size */
	/*
	 * Ours: each new slab begins with another part of what its objects leave over, in
	 * steps of a cache line (or align). For caches of few objects per slab of which the
	 * same words are in use: without it they share few sets of the CPU's caches. Not
	 * with debug flags, and such a cache is never merged.
	 */
	bool colour;
};

/*
 * Make a cache of objects of `size` bytes. Both forms of the kernel work:
 *   kmem_cache_create(name, size, &args, flags)
 *   kmem_cache_create(name, size, align, flags, ctor)
 * `name` is copied (63 bytes at most). Return: the cache; NULL, with one line
 * on stderr, for a bad size (0, > 4 MiB), align, unknown flags, or when memory
 * is out; with SLAB_PANIC the process aborts instead.
 */
KMEM_API struct kmem_cache *__kmem_cache_create_args(const char *name, unsigned int size,
	const struct kmem_cache_args *args, slab_flags_t flags) KMEM_CHECK;

static inline struct kmem_cache *__kmem_cache_create_legacy(const char *name, unsigned int size,
	unsigned int align, slab_flags_t flags, void (*ctor)(void *))
{
	struct kmem_cache_args args;

	memset(&args, 0, sizeof(args));
	args.align = align;
	args.ctor = ctor;
	return __kmem_cache_create_args(name, size, &args, flags);
}

static inline struct kmem_cache *__kmem_cache_create_default(const char *name, unsigned int size,
	const void *null, slab_flags_t flags)
{
	struct kmem_cache_args args;

	(void)null;
	memset(&args, 0, sizeof(args));
	return __kmem_cache_create_args(name, size, &args, flags);
}

/* As the legacy form of kmem_cache_create(), with the window for copies to and from user space. */
static inline struct kmem_cache *kmem_cache_create_usercopy(const char *name, unsigned int size, unsigned int align,
	slab_flags_t flags, unsigned int useroffset, unsigned int usersize, void (*ctor)(void *))
{
	struct kmem_cache_args args;

	memset(&args, 0, sizeof(args));
	args.align = align;
	args.useroffset = useroffset;
	args.usersize = usersize;
	args.ctor = ctor;
	return __kmem_cache_create_args(name, size, &args, flags);
}

#ifndef __cplusplus
#define kmem_cache_create(name, size, args, ...)              \
	_Generic((args),                                      \
		struct kmem_cache_args *: __kmem_cache_create_args,       \
		const struct kmem_cache_args *: __kmem_cache_create_args, \
		void *: __kmem_cache_create_default,          \
		default: __kmem_cache_create_legacy)(name, size, args, __VA_ARGS__)
#endif /* C++: overloads, at the end */

/* Cache for objects of a type: KMEM_CACHE(request, SLAB_HWCACHE_ALIGN). */
#define KMEM_CACHE(type, cache_flags)                                           \
	__kmem_cache_create_legacy(#type, (unsigned int)sizeof(struct type),    \
		(unsigned int)__alignof__(struct type), (cache_flags), NULL)

/* As KMEM_CACHE(), and one field is what may be copied to and from user space. */
#define KMEM_CACHE_USERCOPY(type, cache_flags, field)                           \
	__kmem_cache_create_args(#type, (unsigned int)sizeof(struct type),      \
		&(struct kmem_cache_args){                                      \
			.align = (unsigned int)__alignof__(struct type),        \
			.useroffset = (unsigned int)offsetof(struct type, field), \
			.usersize = (unsigned int)sizeof(((struct type *)0)->field), \
		}, (cache_flags))

/*
 * Destroy a cache. Objects still allocated are reported, and the cache is then
 * leaked on purpose, as the kernel does; of merged caches only the name goes until the last,
 * and those left are a number. NULL is ignored. Return: objects left.
 */
KMEM_API size_t kmem_cache_destroy(struct kmem_cache *s);

/*
 * Allocate one object. gfp as in gfp.h; __GFP_ZERO clears object_size bytes.
 * Context: may block with __GFP_DIRECT_RECLAIM. Return: object or NULL.
 */
KMEM_API void *kmem_cache_alloc(struct kmem_cache *s, gfp_t gfp) KMEM_MALLOC;
KMEM_API void *kmem_cache_alloc_node(struct kmem_cache *s, gfp_t gfp, int nid) KMEM_MALLOC;

static inline void *kmem_cache_zalloc(struct kmem_cache *s, gfp_t gfp)
{
	return kmem_cache_alloc(s, gfp | __GFP_ZERO);
}

/* As kmem_cache_alloc(): there are no lists by NUMA node and memory group here. */
struct list_lru;
static inline void *kmem_cache_alloc_lru(struct kmem_cache *s, struct list_lru *lru, gfp_t gfp)
{
	(void)lru;
	return kmem_cache_alloc(s, gfp);
}

/*
 * Free one object of cache s. NULL is ignored. Any thread may free any object. The one
 * freed last on this CPU, and an unaligned address, are reported and left alone.
 */
KMEM_API void kmem_cache_free(struct kmem_cache *s, void *object);

/*
 * Allocate `size` objects into p[], all or nothing. Return: size, or 0.
 * Free `size` objects of one cache, none of them NULL; s == NULL means kfree_bulk().
 */
KMEM_API int kmem_cache_alloc_bulk(struct kmem_cache *s, gfp_t gfp, size_t size, void **p) KMEM_CHECK;
KMEM_API void kmem_cache_free_bulk(struct kmem_cache *s, size_t size, void **p);
static inline void kfree_bulk(size_t size, void **p)
{
	kmem_cache_free_bulk(NULL, size, p);
}

/*
 * Reserve objects before a critical section in which allocation must not fail.
 *
 *   prefill   a sheaf of at least `size` (> 0) objects; NULL when out of memory. More than the
 *             cache's sheaves hold makes a larger one for this once.
 *   alloc     one of them: cannot fail as long as any is left, and calls nobody; then NULL
 *             and a report. gfp: __GFP_ZERO and __GFP_ACCOUNT count. Free as any other.
 *   refill    up to `size` again; 0, or -ENOMEM and *sheaf as usable as before.
 *   return    what is left goes back, the sheaf is freed; NULL is ignored.
 *   size      objects left in it.
 *
 * Context: prefill, refill and return as kmem_cache_alloc(). A sheaf is its holder's: no two
 * threads may use it at once.
 */
struct slab_sheaf;
KMEM_API struct slab_sheaf *kmem_cache_prefill_sheaf(struct kmem_cache *s, gfp_t gfp, unsigned int size) KMEM_CHECK;
KMEM_API int kmem_cache_refill_sheaf(struct kmem_cache *s, gfp_t gfp, struct slab_sheaf **sheaf,
				     unsigned int size) KMEM_CHECK;
KMEM_API void *kmem_cache_alloc_from_sheaf(struct kmem_cache *s, gfp_t gfp, struct slab_sheaf *sheaf) KMEM_CHECK;
KMEM_API void kmem_cache_return_sheaf(struct kmem_cache *s, gfp_t gfp, struct slab_sheaf *sheaf);
KMEM_API unsigned int kmem_cache_sheaf_size(const struct slab_sheaf *sheaf) KMEM_CHECK;

/*
 * Give back what the cache holds in reserve: per-CPU arrays, barns, empty
 * slabs; sort the partial list, fullest slabs first. Return: 0 when no slab is
 * left, 1 otherwise.
 */
KMEM_API int kmem_cache_shrink(struct kmem_cache *s);

/* The library is ready before any code of the program runs. */
static inline bool slab_is_available(void)
{
	return true;
}

/*
 * Change how a cache works while it is in use. Values, and the kernel's file in
 * /sys/kernel/slab where there is one:
 */
enum kmem_tune {
	KMEM_TUNE_SHEAF_CAPACITY, /* objects per sheaf, 0-16384; 0: no per-CPU slots */
	KMEM_TUNE_BARN_FULL,      /* full sheaves that a node keeps, 0-10 */
	KMEM_TUNE_BARN_EMPTY,     /* empty ones, 0-10 */
	KMEM_TUNE_MIN_PARTIAL,    /* min_partial: empty slabs are kept while a node has no more partial ones, 0-2^20 */
	KMEM_TUNE_ORDER,          /* of slabs to come: the smallest that holds an object, to 10 */
	KMEM_TUNE_DEFRAG_RATIO,   /* remote_node_defrag_ratio, 0-100: percent of refills that try other nodes first */
	KMEM_TUNE_FAILSLAB,       /* failslab: failures may be injected here, 0 or 1 */
	KMEM_TUNE_SHRINK,         /* shrink: 1, give back what is in reserve, now */
	KMEM_TUNE_NR
};

/* Return: 0; -EINVAL for an unknown attribute, a value out of range, or one that a debug cache cannot have; -ENOMEM. */
KMEM_API int kmem_cache_tune(struct kmem_cache *s, enum kmem_tune attribute, int64_t value);

/* Size in bytes that an object was created with. */
KMEM_API unsigned int kmem_cache_size(const struct kmem_cache *s) KMEM_CHECK;
KMEM_API const char *kmem_cache_name(const struct kmem_cache *s) KMEM_CHECK;

/*
 * Counters of one cache; exact when no call is in flight. Of merged caches (kmem/options.h)
 * objects, slabs and partial are those they share, and active is allocs - frees of this
 * name, at least 0: kfree() counts for the first of them.
 */
struct kmem_cache_stat {
	uint64_t allocs, frees;  /* objects, bulk included */
	uint64_t active;         /* objects in use now: taken from slabs and not cached */
	uint64_t cached;         /* free objects in per-CPU arrays and barns */
	uint64_t objects, slabs; /* that exist */
	uint64_t partial;        /* slabs on partial lists */
	uint64_t refills, flushes, barn_get, barn_put, slab_allocs, slab_frees, drains, alloc_fail;
	uint64_t remote_frees;   /* objects freed by CPUs of other nodes than theirs */
	uint64_t prefills, returns; /* of kmem_cache_prefill_sheaf() and kmem_cache_return_sheaf() */
};
KMEM_API void kmem_cache_stat(struct kmem_cache *s, struct kmem_cache_stat *stat);

/* ---- kmalloc ---- */

#define ARCH_KMALLOC_MINALIGN    8
#define KMALLOC_MIN_SIZE         8
#define KMALLOC_MAX_CACHE_SIZE   8192u             /* beyond: whole pages */
#define KMALLOC_MAX_SIZE         (1UL << 22)       /* beyond: NULL */
#define KMALLOC_MAX_ORDER        10

/* What kmalloc(0) returns: not NULL, not to be read, and fine to free. */
#define ZERO_SIZE_PTR ((void *)16)
#define ZERO_OR_NULL_PTR(p) ((uintptr_t)(p) <= (uintptr_t)ZERO_SIZE_PTR)

/*
 * Allocate `size` bytes from the size classes 8 16 32 64 96 128 192 256 512
 * 1k 2k 4k 8k, beyond that as whole pages. Powers of two are aligned to their
 * size, other classes to their largest power-of-two divisor. Return: memory,
 * ZERO_SIZE_PTR for 0, NULL on failure or beyond KMALLOC_MAX_SIZE.
 */
KMEM_API void *kmalloc(size_t size, gfp_t gfp) KMEM_MALLOC KMEM_SIZE(1);
KMEM_API void *kmalloc_node(size_t size, gfp_t gfp, int nid) KMEM_MALLOC KMEM_SIZE(1);

static inline KMEM_MALLOC KMEM_SIZE(1) void *kzalloc(size_t size, gfp_t gfp)
{
	return kmalloc(size, gfp | __GFP_ZERO);
}

static inline KMEM_MALLOC KMEM_SIZE(1) void *kzalloc_node(size_t size, gfp_t gfp, int nid)
{
	return kmalloc_node(size, gfp | __GFP_ZERO, nid);
}

/* n * size bytes; NULL when that overflows. */
static inline KMEM_MALLOC KMEM_SIZE(1, 2) void *kmalloc_array(size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return kmalloc(bytes, gfp);
}

static inline KMEM_MALLOC KMEM_SIZE(1, 2) void *kcalloc(size_t n, size_t size, gfp_t gfp)
{
	return kmalloc_array(n, size, gfp | __GFP_ZERO);
}

static inline KMEM_MALLOC KMEM_SIZE(1, 2) void *kmalloc_array_node(size_t n, size_t size, gfp_t gfp, int nid)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return kmalloc_node(bytes, gfp, nid);
}

static inline KMEM_MALLOC KMEM_SIZE(1, 2) void *kcalloc_node(size_t n, size_t size, gfp_t gfp, int nid)
{
	return kmalloc_array_node(n, size, gfp | __GFP_ZERO, nid);
}

/* For wrappers: events name the wrapper's caller as the call site. */
KMEM_API void *__kmalloc_track_caller(size_t size, gfp_t gfp, int nid, const void *caller) KMEM_MALLOC KMEM_SIZE(1);
#define kmalloc_track_caller(size, gfp) \
	__kmalloc_track_caller(size, gfp, -1, __builtin_return_address(0))
#define kmalloc_node_track_caller(size, gfp, nid) \
	__kmalloc_track_caller(size, gfp, nid, __builtin_return_address(0))

/*
 * Resize. krealloc(NULL, n) allocates, krealloc(p, 0) frees and returns
 * ZERO_SIZE_PTR, a size that fits the bucket returns p; on failure NULL and p
 * stays valid. __GFP_ZERO clears what lies behind new_size, so the memory that
 * a later call uncovers reads as zero, if all calls for the object had the flag.
 */
KMEM_API void *krealloc(const void *p, size_t new_size, gfp_t gfp) KMEM_CHECK KMEM_SIZE(2);
KMEM_API void *krealloc_array(void *p, size_t n, size_t size, gfp_t gfp) KMEM_CHECK KMEM_SIZE(2, 3);

/*
 * Free what kmalloc(), krealloc() or kmem_cache_alloc() returned. NULL and
 * ZERO_SIZE_PTR are fine. A pointer that is none of these is reported and the
 * process aborts. kfree_sensitive() clears the memory first.
 */
KMEM_API void kfree(const void *p);
KMEM_API void kfree_sensitive(const void *p);

/*
 * kmalloc() and kfree() for any context: signal handlers that interrupt the
 * allocator itself, and code that must not wait. At most 8 KiB, gfp: __GFP_ZERO
 * and __GFP_ACCOUNT only. Neither waits for a lock, and no system call is made but
 * to wake somebody who waits for one. NULL, rather often, when what is at hand does
 * not do: no new memory is mapped. No faults, no debug caches; events as those of kmalloc().
 * kfree_nolock() takes objects of kmalloc(), too, and kfree() those of kmalloc_nolock().
 */
KMEM_API void *kmalloc_nolock(size_t size, gfp_t gfp, int nid) KMEM_MALLOC KMEM_SIZE(1);
KMEM_API void kfree_nolock(const void *p);

/*
 * A set of size classes of its own, `name`-8 ... `name`-8k, so that what is allocated
 * there never shares slabs with anything else. flags, the usercopy window and ctor
 * as of a cache. b == NULL is kmalloc(). Free with kfree(), what came from valloc
 * with kvfree(). alloc_track_caller: for wrappers, `caller` is shown as call site.
 * Return: NULL when out of memory; destroy: objects left, as kmem_cache_destroy().
 */
struct kmem_buckets;
KMEM_API struct kmem_buckets *kmem_buckets_create(const char *name, slab_flags_t flags, unsigned int useroffset,
	unsigned int usersize, void (*ctor)(void *object)) KMEM_CHECK;
KMEM_API size_t kmem_buckets_destroy(struct kmem_buckets *b);
KMEM_API void *kmem_buckets_alloc(struct kmem_buckets *b, size_t size, gfp_t gfp) KMEM_MALLOC KMEM_SIZE(2);
KMEM_API void *kmem_buckets_valloc(struct kmem_buckets *b, size_t size, gfp_t gfp) KMEM_MALLOC KMEM_SIZE(2);
KMEM_API void *kmem_buckets_alloc_track_caller(struct kmem_buckets *b, size_t size, gfp_t gfp,
	const void *caller) KMEM_MALLOC KMEM_SIZE(2);

/* Usable bytes behind p, 0 for NULL and ZERO_SIZE_PTR; and what a request of `size` would get. */
KMEM_API size_t ksize(const void *p) KMEM_CHECK;
KMEM_API size_t kmalloc_size_roundup(size_t size) KMEM_CHECK;

/*
 * As kmalloc(), but where the buddy has no block that large, and beyond 4 MiB,
 * an address range of its own (kmem/vmalloc.h) if gfp may block. At most 2 GiB
 * less one byte. Free with kvfree(), which takes memory of kmalloc() and
 * vmalloc(), too. kvfree_sensitive() clears `len` bytes first.
 */
KMEM_API void *kvmalloc(size_t size, gfp_t gfp) KMEM_MALLOC KMEM_SIZE(1);
KMEM_API void *kvmalloc_node(size_t size, gfp_t gfp, int nid) KMEM_MALLOC KMEM_SIZE(1);
KMEM_API void *kvmalloc_array(size_t n, size_t size, gfp_t gfp) KMEM_MALLOC KMEM_SIZE(1, 2);
KMEM_API void kvfree(const void *p);
KMEM_API void kvfree_sensitive(const void *p, size_t len);

/* krealloc() for memory of kvmalloc(): it may move from one kind to the other. kvrealloc(p, 0) frees. */
KMEM_API void *kvrealloc(const void *p, size_t size, gfp_t gfp) KMEM_CHECK KMEM_SIZE(2);

static inline KMEM_MALLOC KMEM_SIZE(1) void *kvzalloc(size_t size, gfp_t gfp)
{
	return kvmalloc(size, gfp | __GFP_ZERO);
}

static inline KMEM_MALLOC KMEM_SIZE(1) void *kvzalloc_node(size_t size, gfp_t gfp, int nid)
{
	return kvmalloc_node(size, gfp | __GFP_ZERO, nid);
}

static inline KMEM_MALLOC KMEM_SIZE(1, 2) void *kvcalloc(size_t n, size_t size, gfp_t gfp)
{
	return kvmalloc_array(n, size, gfp | __GFP_ZERO);
}

/* Copies. Strings of at most max bytes. NULL in gives NULL out. */
KMEM_API char *kstrdup(const char *s, gfp_t gfp) KMEM_MALLOC;
KMEM_API char *kstrndup(const char *s, size_t max, gfp_t gfp) KMEM_MALLOC;
KMEM_API void *kmemdup(const void *src, size_t len, gfp_t gfp) KMEM_MALLOC KMEM_SIZE(2);

/* n elements; NULL when their size overflows. */
static inline KMEM_MALLOC KMEM_SIZE(2, 3) void *kmemdup_array(const void *src, size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? NULL : kmemdup(src, bytes, gfp);
}

/* len bytes that may lack the terminating NUL, and one. */
static inline KMEM_MALLOC char *kmemdup_nul(const char *s, size_t len, gfp_t gfp)
{
	char *copy = s ? (char *)kmalloc(len + 1, gfp) : NULL;

	if (copy) {
		memcpy(copy, s, len);
		copy[len] = '\0';
	}
	return copy;
}

/* kmemdup() in memory of kvmalloc(). */
static inline KMEM_MALLOC KMEM_SIZE(2) void *kvmemdup(const void *src, size_t len, gfp_t gfp)
{
	void *copy = kvmalloc(len, gfp);

	if (copy && len)
		memcpy(copy, src, len);
	return copy;
}

/*
 * For strings that may be constants. The kernel's kstrdup_const() copies only
 * those that are not; a library cannot tell, so this one always copies.
 * kfree_const() ignores what is not memory of this allocator.
 */
static inline KMEM_CHECK const char *kstrdup_const(const char *s, gfp_t gfp)
{
	return kstrdup(s, gfp);
}
KMEM_API void kfree_const(const void *p);

/*
 * Typed allocation: one object, an array of them, a structure with a flexible
 * array member of `count` entries. The argument is a type or a variable of it;
 * gfp may be left out: GFP_KERNEL. An overflowing size gives NULL.
 *
 *   struct request *r = kmalloc_obj(*r);
 *   struct list *l = kzalloc_flex(*l, entry, 10, GFP_NOWAIT);
 */
static inline size_t kmem_flex_size(size_t base, size_t each, size_t count)
{
	size_t bytes;

	return __builtin_mul_overflow(each, count, &bytes) || __builtin_add_overflow(bytes, base, &bytes) ?
		SIZE_MAX : bytes;
}

#define KMEM_FIRST_(first, ...) (first)
#define KMEM_GFP_(...) KMEM_FIRST_(__VA_ARGS__ __VA_OPT__(,) GFP_KERNEL, 0)
#define KMEM_OBJS_(alloc, type, count, ...)                                                    \
	((__typeof__(type) *)alloc(kmem_flex_size(0, sizeof(__typeof__(type)), (count)),       \
				   KMEM_GFP_(__VA_ARGS__)))
#define KMEM_FLEX_(alloc, type, member, count, ...)                                            \
	((__typeof__(type) *)alloc(kmem_flex_size(sizeof(__typeof__(type)),                    \
						  sizeof(((__typeof__(type) *)0)->member[0]), (count)), \
				   KMEM_GFP_(__VA_ARGS__)))

#define kmalloc_obj(type, ...)                  KMEM_OBJS_(kmalloc, type, 1, ##__VA_ARGS__)
#define kmalloc_objs(type, count, ...)          KMEM_OBJS_(kmalloc, type, count, ##__VA_ARGS__)
#define kmalloc_flex(type, member, count, ...)  KMEM_FLEX_(kmalloc, type, member, count, ##__VA_ARGS__)
#define kzalloc_obj(type, ...)                  KMEM_OBJS_(kzalloc, type, 1, ##__VA_ARGS__)
#define kzalloc_objs(type, count, ...)          KMEM_OBJS_(kzalloc, type, count, ##__VA_ARGS__)
#define kzalloc_flex(type, member, count, ...)  KMEM_FLEX_(kzalloc, type, member, count, ##__VA_ARGS__)
#define kvmalloc_obj(type, ...)                 KMEM_OBJS_(kvmalloc, type, 1, ##__VA_ARGS__)
#define kvmalloc_objs(type, count, ...)         KMEM_OBJS_(kvmalloc, type, count, ##__VA_ARGS__)
#define kvmalloc_flex(type, member, count, ...) KMEM_FLEX_(kvmalloc, type, member, count, ##__VA_ARGS__)
#define kvzalloc_obj(type, ...)                 KMEM_OBJS_(kvzalloc, type, 1, ##__VA_ARGS__)
#define kvzalloc_objs(type, count, ...)         KMEM_OBJS_(kvzalloc, type, count, ##__VA_ARGS__)
#define kvzalloc_flex(type, member, count, ...) KMEM_FLEX_(kvzalloc, type, member, count, ##__VA_ARGS__)

/*
 * The kernel's init_on_alloc and init_on_free, at any time: clear every object
 * and page when it is allocated, or when it is freed. Objects with a constructor
 * are left alone; those of TYPESAFE_BY_RCU or poisoned caches are cleared for
 * __GFP_ZERO only. While either is on, calls take the watched path, about 20 ns.
 */
KMEM_API void kmem_set_init_on_alloc(bool on);
KMEM_API void kmem_set_init_on_free(bool on);

/*
 * Whether p lies in an object of a cache that has left its slab, at its start or
 * inside; and what is known about an address, printed as the kernel does: cache,
 * slab, the object's start, offset and size, and with SLAB_STORE_USER who allocated
 * and freed it. kmem_dump_obj() returns false, and prints nothing, for what is no slab's.
 */
KMEM_API bool kmem_valid_obj(const void *p) KMEM_CHECK;
KMEM_API bool kmem_dump_obj(const void *p);

/*
 * Whether n bytes at ptr may be copied to (else from) user space, as the
 * kernel's hardened usercopy: not beyond a heap object, and for a cache's object
 * within [useroffset, useroffset + usersize). Memory of others is fine.
 * Return: true; false after a report with the kernel's words.
 */
KMEM_API bool kmem_check_usercopy(const void *ptr, size_t n, bool to_user) KMEM_CHECK;

/*
 * Print every cache in the format of /proc/slabinfo 2.1 into buf (at most
 * bytes, always terminated). Return: length that the whole text needs.
 */
KMEM_API size_t kmem_slabinfo(char *buf, size_t bytes);

KMEM_END

#ifdef __cplusplus
static inline struct kmem_cache *kmem_cache_create(const char *name, unsigned int size,
	const struct kmem_cache_args *args, slab_flags_t flags)
{
	return __kmem_cache_create_args(name, size, args, flags);
}

static inline struct kmem_cache *kmem_cache_create(const char *name, unsigned int size, unsigned int align,
	slab_flags_t flags, void (*ctor)(void *))
{
	return __kmem_cache_create_legacy(name, size, align, flags, ctor);
}
#endif

#endif
