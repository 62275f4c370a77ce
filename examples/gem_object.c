/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gem_object.c - buffer objects as a graphics driver keeps them: a cache for the
 * headers, 64 KiB of pages behind each, and a shrinker that takes the pages of
 * those that their user does not need at the moment.
 *
 *   $ build/examples/gem_object
 *   64 objects, 4096 KiB of pages
 *   memory is short: 4 objects purged, 3840 KiB of pages left
 *   0 objects left
 */
#include <stdio.h>
#include <kmem/page.h>
#include <kmem/shrinker.h>
#include <kmem/slab.h>

#define NR_OBJECTS 64
#define ORDER      4

struct gem_object {
	int dont_need;      /* may be purged: its user draws it again if need be */
	struct page *pages; /* NULL: purged */
};

static struct gem_object *gem[NR_OBJECTS];
static unsigned long resident; /* objects with pages */

static void gem_purge(struct gem_object *obj)
{
	resident -= obj->pages != NULL;
	__free_pages(obj->pages, ORDER);
	obj->pages = NULL;
}

static unsigned long gem_count(struct shrinker *s __attribute__((unused)), struct shrink_control *sc)
{
	return sc->gfp_mask & __GFP_FS ? resident : 0; /* else who asks may hold our locks */
}

static unsigned long gem_scan(struct shrinker *s __attribute__((unused)), struct shrink_control *sc)
{
	unsigned long before = resident;

	for (unsigned long i = 0; i < NR_OBJECTS && i < sc->nr_to_scan; i++)
		if (gem[i]->dont_need)
			gem_purge(gem[i]);
	return before - resident;
}

int main(void)
{
	struct kmem_cache *cache = KMEM_CACHE(gem_object, SLAB_HWCACHE_ALIGN);
	struct shrinker *shrinker = shrinker_alloc(0, "gem");

	if (!cache || !shrinker)
		return 1;
	for (resident = 0; resident < NR_OBJECTS; resident++) {
		gem[resident] = kmem_cache_zalloc(cache, GFP_KERNEL);
		if (!gem[resident] || !(gem[resident]->pages = alloc_pages(GFP_HIGHUSER, ORDER)))
			return 1;
		gem[resident]->dont_need = resident % 16 == 5;
	}
	shrinker->count_objects = gem_count;
	shrinker->scan_objects = gem_scan;
	shrinker_register(shrinker);

	printf("%d objects, %lu KiB of pages\n", NR_OBJECTS, resident * 64);
	kmem_drop_slab(); /* as an allocation does that finds no memory */
	printf("memory is short: %lu objects purged, %lu KiB of pages left\n", NR_OBJECTS - resident, resident * 64);

	shrinker_free(shrinker);
	for (int i = 0; i < NR_OBJECTS; i++) {
		gem_purge(gem[i]);
		kmem_cache_free(cache, gem[i]);
	}
	printf("%zu objects left\n", kmem_cache_destroy(cache));
	return 0;
}
