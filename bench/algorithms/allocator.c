/* SPDX-License-Identifier: BSD-2-Clause */
/* allocator.c - each algorithm of the library, called as a program would call it. */
#include "allocator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <kmem/genalloc.h>
#include <kmem/mp_pool.h>
#include <kmem/page.h>
#include <kmem/slab.h>

#define GRANULE_ORDER 4 /* 16 bytes, what malloc() aligns to */
#define GRANULE       (1u << GRANULE_ORDER)

static void die(const char *what)
{
	fprintf(stderr, "algorithms: %s\n", what);
	exit(1);
}

static void *map(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("no address space");
	return p;
}

static size_t extent_of_object(void *p, uint32_t size, uintptr_t *from)
{
	*from = (uintptr_t)p;
	return size;
}

static void nothing(void)
{
}

/* ---- ideal: exactly the live bytes, at no cost. Not an allocator: pieces overlap. ---- */

static struct {
	char *base;
	size_t bytes, at;
} ideal;

static void ideal_start(const struct workload *w, size_t range)
{
	(void)range;
	ideal.bytes = w->peak_live;
	ideal.base = map(2 * w->peak_live);
}

static void *ideal_alloc(uint32_t size, uint32_t scope)
{
	void *p = ideal.base + ideal.at;

	(void)scope;
	ideal.at += size;
	if (ideal.at > ideal.bytes)
		ideal.at = 0;
	return p;
}

static void ideal_free(void *p, uint32_t size, uint32_t scope)
{
	(void)p;
	(void)size;
	(void)scope;
}

static size_t ideal_occupies(uint32_t size)
{
	return size;
}

/* ---- genalloc: first, best and worst fit in a range ---- */

static struct gen_pool *pool;

static void pool_start(genpool_algo_t algo, size_t range)
{
	pool = gen_pool_create(GRANULE_ORDER, -1);
	if (!pool || gen_pool_add(pool, (unsigned long)map(range), range, -1))
		die("no genpool");
	gen_pool_set_algo(pool, algo, NULL);
}

static void first_start(const struct workload *w, size_t range)
{
	(void)w;
	pool_start(gen_pool_first_fit, range);
}

static void best_start(const struct workload *w, size_t range)
{
	(void)w;
	pool_start(gen_pool_best_fit, range);
}

static void worst_start(const struct workload *w, size_t range)
{
	(void)w;
	pool_start(gen_pool_worst_fit, range);
}

static void pool_stop(void)
{
	gen_pool_destroy(pool);
}

static void *pool_alloc(uint32_t size, uint32_t scope)
{
	(void)scope;
	return (void *)gen_pool_alloc(pool, size);
}

static void pool_free(void *p, uint32_t size, uint32_t scope)
{
	(void)scope;
	gen_pool_free(pool, (unsigned long)p, size);
}

static size_t pool_occupies(uint32_t size)
{
	return (size + GRANULE - 1) & ~(size_t)(GRANULE - 1);
}

/* ---- buddy: pages ---- */

static void no_start(const struct workload *w, size_t range)
{
	(void)w;
	(void)range;
}

static void *buddy_alloc(uint32_t size, uint32_t scope)
{
	(void)scope;
	return (void *)__get_free_pages(GFP_KERNEL, (unsigned int)get_order(size));
}

static void buddy_free(void *p, uint32_t size, uint32_t scope)
{
	(void)scope;
	free_pages((unsigned long)p, (unsigned int)get_order(size));
}

static size_t buddy_occupies(uint32_t size)
{
	return PAGE_SIZE << get_order(size);
}

static size_t buddy_extent(void *p, uint32_t size, uintptr_t *from)
{
	*from = (uintptr_t)p;
	return buddy_occupies(size);
}

/* ---- fixed size: one cache; slab: kmalloc ---- */

/* From /proc/slabinfo's text: what an object of a cache occupies, and its slab. Return: 0 when there is no such cache. */
static int slabinfo(const char *cache, unsigned int *object, size_t *slab)
{
	static char text[1 << 16];
	unsigned int pages, found = 0;
	char *line, *save = NULL, name[64];

	if (kmem_slabinfo(text, sizeof(text)) >= sizeof(text))
		die("slabinfo does not fit");
	for (line = strtok_r(text, "\n", &save); line && !found; line = strtok_r(NULL, "\n", &save))
		found = sscanf(line, "%63s %*u %*u %u %*u %u", name, object, &pages) == 3 && !strcmp(name, cache);
	*slab = found ? pages * PAGE_SIZE : 0;
	return (int)found;
}

static struct kmem_cache *cache;
static unsigned int fixed_bytes;
static size_t fixed_slab;

static const char *fixed_refuses(const struct workload *w)
{
	return w->nr_sizes > 1 ? "objects differ in size" : NULL;
}

static void fixed_start(const struct workload *w, size_t range)
{
	(void)range;
	cache = kmem_cache_create("fixed", w->op[0].size, 0, 0, NULL);
	if (!cache || !slabinfo("fixed", &fixed_bytes, &fixed_slab))
		die("no cache");
}

static void fixed_stop(void)
{
	kmem_cache_destroy(cache);
}

static void *fixed_alloc(uint32_t size, uint32_t scope)
{
	(void)size;
	(void)scope;
	return kmem_cache_alloc(cache, GFP_KERNEL);
}

static void fixed_free(void *p, uint32_t size, uint32_t scope)
{
	(void)size;
	(void)scope;
	kmem_cache_free(cache, p);
}

static size_t fixed_occupies(uint32_t size)
{
	(void)size;
	return fixed_bytes;
}

static size_t slab_around(void *p, size_t slab, uintptr_t *from)
{
	*from = (uintptr_t)p & ~(slab - 1);
	return slab;
}

static size_t fixed_extent(void *p, uint32_t size, uintptr_t *from)
{
	(void)size;
	return slab_around(p, fixed_slab, from);
}

static void *slab_alloc(uint32_t size, uint32_t scope)
{
	(void)scope;
	return kmalloc(size, GFP_KERNEL);
}

static void slab_free(void *p, uint32_t size, uint32_t scope)
{
	(void)size;
	(void)scope;
	kfree(p);
}

static size_t slab_occupies(uint32_t size)
{
	return kmalloc_size_roundup(size);
}

static size_t slab_extent(void *p, uint32_t size, uintptr_t *from)
{
	static size_t slab_of[KMALLOC_MAX_CACHE_SIZE + 1]; /* by the size of the bucket */
	size_t bytes = kmalloc_size_roundup(size);
	unsigned int object;
	char name[32];

	if (bytes > KMALLOC_MAX_CACHE_SIZE)
		return buddy_extent(p, size, from);
	if (!slab_of[bytes]) {
		snprintf(name, sizeof(name), bytes < 1024 ? "kmalloc-%zu" : "kmalloc-%zuk", bytes < 1024 ? bytes : bytes / 1024);
		if (!slabinfo(name, &object, &slab_of[bytes]))
			die("a kmalloc bucket is not in slabinfo");
	}
	return slab_around(p, slab_of[bytes], from);
}

/* ---- region: a pool for each scope, freed when the scope is over and the last object in it was freed ---- */

#define NODE  4096        /* bytes */
#define LARGE (NODE - 64) /* more than fits beside a node's head has a block of its own, which is freed alone */

static struct region {
	struct mp_pool *pool;
	uint32_t live;
} *regions;
static uint32_t nr_regions, open_scope;

static void region_start(const struct workload *w, size_t range)
{
	(void)range;
	nr_regions = w->nr_scopes;
	open_scope = 0;
	regions = map(nr_regions * sizeof(*regions));
}

static void region_end(uint32_t scope)
{
	if (regions[scope].live)
		return;
	mp_destroy_pool(regions[scope].pool);
	regions[scope].pool = NULL;
}

static void region_over(void)
{
	region_end(open_scope);
}

static void region_stop(void)
{
	munmap(regions, nr_regions * sizeof(*regions));
}

static void *region_alloc(uint32_t size, uint32_t scope)
{
	struct region *r = &regions[scope];

	if (scope != open_scope)
		region_end(open_scope);
	open_scope = scope;
	if (!r->pool)
		r->pool = mp_create_pool(NODE);
	r->live++;
	return r->pool ? mp_alloc(r->pool, size) : NULL;
}

static void region_free(void *p, uint32_t size, uint32_t scope)
{
	struct region *r = &regions[scope];

	r->live--;
	if (size > LARGE)
		mp_free(r->pool, p);
	if (scope != open_scope)
		region_end(scope);
}

static size_t region_occupies(uint32_t size)
{
	return (size + MP_ALIGNMENT - 1) & ~(size_t)(MP_ALIGNMENT - 1);
}

static size_t region_held(void)
{
	struct mp_stats stats;
	size_t held = 0;

	for (uint32_t i = 0; i <= open_scope; i++) {
		if (!regions[i].pool)
			continue;
		mp_stats(regions[i].pool, &stats);
		held += stats.held;
	}
	return held;
}

const struct allocator allocators[] = {
	{ .name = "ideal", .start = ideal_start, .stop = nothing, .alloc = ideal_alloc, .free = ideal_free,
	  .occupies = ideal_occupies, .extent = extent_of_object },
	{ .name = "first-fit", .needs_range = 1, .start = first_start, .stop = pool_stop, .alloc = pool_alloc,
	  .free = pool_free, .occupies = pool_occupies, .extent = extent_of_object },
	{ .name = "best-fit", .needs_range = 1, .start = best_start, .stop = pool_stop, .alloc = pool_alloc,
	  .free = pool_free, .occupies = pool_occupies, .extent = extent_of_object },
	{ .name = "worst-fit", .needs_range = 1, .start = worst_start, .stop = pool_stop, .alloc = pool_alloc,
	  .free = pool_free, .occupies = pool_occupies, .extent = extent_of_object },
	{ .name = "buddy", .start = no_start, .stop = nothing, .alloc = buddy_alloc, .free = buddy_free,
	  .occupies = buddy_occupies, .extent = buddy_extent },
	{ .name = "fixed-size", .refuses = fixed_refuses, .start = fixed_start, .stop = fixed_stop, .alloc = fixed_alloc,
	  .free = fixed_free, .occupies = fixed_occupies, .extent = fixed_extent },
	{ .name = "slab", .start = no_start, .stop = nothing, .alloc = slab_alloc, .free = slab_free,
	  .occupies = slab_occupies, .extent = slab_extent },
	{ .name = "region", .start = region_start, .stop = region_stop, .alloc = region_alloc, .free = region_free,
	  .over = region_over, .occupies = region_occupies, .held = region_held },
	{ .name = NULL },
};
