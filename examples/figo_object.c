/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * figo_object.c - a first cache: objects of 20 bytes, aligned to 8, and what the
 * allocator makes of them.
 *
 *   $ cc figo_object.c -lkmem
 *   $ build/examples/figo_object
 *   figo_object: 20 bytes asked for, 24 used each, 170 in a slab of 4096 bytes
 *   two objects next to each other: 24 bytes apart
 *   1000 in use
 *   0 left when the cache is destroyed
 */
#include <stdio.h>
#include <stdlib.h>
#include <kmem/info.h>
#include <kmem/page.h>
#include <kmem/slab.h>

struct figo_object {
	int x, y, width, height;
	unsigned int flags;
};

#define NR_FIGURES 1000

static struct figo_object *figure[NR_FIGURES];

/* A number from the cache's directory in /sys/kernel/slab, if this were the kernel. */
static long attribute(struct kmem_cache *cache, const char *name)
{
	char text[64];

	return kmem_slab_sysfs(cache, name, text, sizeof(text)) > 0 ? strtol(text, NULL, 10) : 0;
}

int main(void)
{
	struct kmem_cache *cache = kmem_cache_create("figo_object", sizeof(struct figo_object), 8, 0, NULL);
	struct kmem_cache_stat stat;
	unsigned long distance = PAGE_SIZE;
	int i;

	if (!cache)
		return 1;
	printf("figo_object: %u bytes asked for, %ld used each, %ld in a slab of %lu bytes\n", kmem_cache_size(cache),
	       attribute(cache, "slab_size"), attribute(cache, "objs_per_slab"), PAGE_SIZE << attribute(cache, "order"));

	for (i = 0; i < NR_FIGURES; i++) {
		figure[i] = kmem_cache_zalloc(cache, GFP_KERNEL);
		if (!figure[i])
			return 1;
	}
	for (i = 1; i < NR_FIGURES; i++) {
		unsigned long apart = (unsigned long)labs((char *)figure[i] - (char *)figure[0]);

		distance = apart < distance ? apart : distance;
	}
	printf("two objects next to each other: %lu bytes apart\n", distance);

	kmem_cache_stat(cache, &stat);
	printf("%lu in use\n", stat.active);

	kmem_cache_free_bulk(cache, NR_FIGURES, (void **)figure);
	printf("%zu left when the cache is destroyed\n", kmem_cache_destroy(cache));
	return 0;
}
