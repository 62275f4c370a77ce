/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shrinker.h - caches of the program's own that give memory back when it is short.
 *
 * Semantics follow mm/shrinker.c of Linux 6.12. Shrinkers run when a request with
 * __GFP_DIRECT_RECLAIM finds no memory within the budget (KMEM_OPTIONS=limit=),
 * in the requesting thread, with no lock of the allocator held, and never within
 * each other. They may allocate: what they ask for goes below the watermarks.
 *
 *	static unsigned long count(struct shrinker *s, struct shrink_control *sc);
 *	static unsigned long scan(struct shrinker *s, struct shrink_control *sc);
 *
 *	struct shrinker *s = shrinker_alloc(0, "lru-%s", name);
 *	s->count_objects = count;
 *	s->scan_objects = scan;
 *	shrinker_register(s);
 *	...
 *	shrinker_free(s);
 */
#ifndef KMEM_SHRINKER_H
#define KMEM_SHRINKER_H

#include <kmem/attr.h>
#include <kmem/gfp.h>

KMEM_BEGIN

struct shrink_control {
	gfp_t gfp_mask; /* of the request: without __GFP_FS, do not take file system locks, and so on */
	int nid;        /* node to free on; 0 for shrinkers that are not NUMA aware */
	unsigned long nr_to_scan; /* objects that scan_objects() should look at */
	unsigned long nr_scanned; /* set to nr_to_scan before; scan_objects() may change it */
};

#define SHRINK_STOP  (~0UL)     /* scan_objects(): no progress is possible now */
#define SHRINK_EMPTY (~0UL - 1) /* count_objects(): there is nothing at all */

#define DEFAULT_SEEKS 2
#define SHRINK_BATCH  128

/* Flags for shrinker_alloc(). The last two are accepted: there are no memory cgroups. */
#define SHRINKER_NUMA_AWARE   (1u << 2)
#define SHRINKER_MEMCG_AWARE  (1u << 3)
#define SHRINKER_NONSLAB      (1u << 4)

struct shrinker {
	/* How many objects could be freed; 0 when unknown or right now none. */
	unsigned long (*count_objects)(struct shrinker *shrinker, struct shrink_control *sc);
	/* Look at sc->nr_to_scan objects and free what is possible. Return: objects freed, or SHRINK_STOP. */
	unsigned long (*scan_objects)(struct shrinker *shrinker, struct shrink_control *sc);

	long batch;         /* objects per call of scan_objects(); 0: SHRINK_BATCH */
	int seeks;          /* what an object costs to make again; DEFAULT_SEEKS. 0: half of all are scanned */
	unsigned int flags;
	void *private_data; /* the owner's */
};

/*
 * Make a shrinker with a name (printf format, 31 characters are kept) and
 * default seeks and batch. Context: may make system calls. Return: NULL when
 * memory is out. To be filled in, registered, and freed.
 */
KMEM_API struct shrinker *shrinker_alloc(unsigned int flags, const char *format, ...)
	__attribute__((format(printf, 2, 3))) KMEM_CHECK;

/* From now on it is called. */
KMEM_API void shrinker_register(struct shrinker *shrinker);

/* Unregister and free. Waits until no thread is inside; so not from within itself. NULL is ignored. */
KMEM_API void shrinker_free(struct shrinker *shrinker);

/*
 * Run all shrinkers, the library's own caches first, as a request of GFP_KERNEL
 * that found nothing would: the kernel's drop_slab(). Return: objects freed.
 */
KMEM_API unsigned long kmem_drop_slab(void);

KMEM_END

#endif
