/* SPDX-License-Identifier: BSD-2-Clause */
/* buckets.c - private sets of size classes, so that objects of one use never meet those of another. */
#include "base/report.h"
#include "slab/kmalloc.h"
#include "slab/kmalloc_types.h"

struct kmem_buckets {
	struct kmem_cache *cache[NR_KMALLOC_CLASSES];
};

/* The part of the window that lies in objects of this size. */
static void clip_window(struct kmem_cache_args *args, unsigned int size, unsigned int offset, unsigned int bytes)
{
	args->useroffset = offset < size ? offset : 0;
	args->usersize = offset < size ? MIN(bytes, size - offset) : 0;
}

static struct kmem_cache *create(const char *name, unsigned int class, slab_flags_t flags, unsigned int useroffset,
				 unsigned int usersize, void (*ctor)(void *))
{
	struct kmem_cache_args args = { .align = kmalloc_class_align(class), .ctor = ctor };
	char full[KMEM_NAME_BYTES], prefix[KMEM_NAME_BYTES - 6];

	clip_window(&args, kmalloc_class_size[class], useroffset, usersize);
	report_format(prefix, sizeof(prefix), "%s-", name);
	kmalloc_class_name(full, sizeof(full), prefix, class);
	return __kmem_cache_create_args(full, kmalloc_class_size[class], &args, flags | SLAB_NO_MERGE | SLAB_KMALLOC);
}

/* The first nr caches, and the set itself. Return: objects left in them. */
static size_t destroy(struct kmem_buckets *b, unsigned int nr)
{
	size_t left = 0;

	while (nr-- > 0)
		left += kmem_cache_destroy(b->cache[nr]);
	kfree(b);
	return left;
}

KMEM_API size_t kmem_buckets_destroy(struct kmem_buckets *b)
{
	return b ? destroy(b, NR_KMALLOC_CLASSES) : 0;
}

KMEM_API struct kmem_buckets *kmem_buckets_create(const char *name, slab_flags_t flags, unsigned int useroffset,
						  unsigned int usersize, void (*ctor)(void *))
{
	struct kmem_buckets *b = kmalloc(sizeof(*b), GFP_KERNEL | __GFP_ZERO);
	unsigned int i;

	for (i = 0; b && i < NR_KMALLOC_CLASSES; i++) {
		b->cache[i] = create(name, i, flags, useroffset, usersize, ctor);
		if (!b->cache[i]) {
			destroy(b, i);
			return NULL;
		}
	}
	return b;
}

static void *alloc(struct kmem_buckets *b, size_t size, gfp_t gfp, const void *call_site)
{
	if (!b || size - 1 >= KMALLOC_MAX_CACHE_SIZE)
		return kmalloc_at(size, gfp, -1, call_site);
	return kmalloc_in(b->cache[kmalloc_class(size)], size, gfp, call_site);
}

KMEM_API void *kmem_buckets_alloc(struct kmem_buckets *b, size_t size, gfp_t gfp)
{
	return alloc(b, size, gfp, __builtin_return_address(0));
}

KMEM_API void *kmem_buckets_alloc_track_caller(struct kmem_buckets *b, size_t size, gfp_t gfp, const void *caller)
{
	return alloc(b, size, gfp, caller);
}

KMEM_API void *kmem_buckets_valloc(struct kmem_buckets *b, size_t size, gfp_t gfp)
{
	return size <= KMALLOC_MAX_SIZE ? alloc(b, size, gfp, __builtin_return_address(0)) : kvmalloc(size, gfp);
}
