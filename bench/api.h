/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * api.h - the allocator that a benchmark runs on. Every program is built once for each:
 *
 *   API_INLINE   typed caches, inline fast path     API_SO      typed caches through libkmem.so
 *   API_KMALLOC  kmalloc and kfree                  API_MALLOC  malloc and free of what is preloaded
 *
 * A handle stands for objects of one size: a cache, or the size itself.
 */
#ifndef BENCH_API_H
#define BENCH_API_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define API_INLINE  1
#define API_SO      2
#define API_KMALLOC 3
#define API_MALLOC  4

#define API_CLASSES 8
static const unsigned int api_class_size[API_CLASSES] = { 16, 32, 64, 96, 128, 256, 512, 1024 };

typedef void *api_handle;

#if API == API_MALLOC

static inline void *api_alloc(api_handle h)
{
	return malloc((size_t)h);
}

static inline void api_free(api_handle h, void *p)
{
	(void)h;
	free(p);
}

#else

#include <kmem/fastpath.h>
#include <kmem/slab.h>

static inline void *api_alloc(api_handle h)
{
	if (API == API_INLINE)
		return kmem_cache_alloc_inline(h, GFP_KERNEL);
	return API == API_SO ? kmem_cache_alloc(h, GFP_KERNEL) : kmalloc((size_t)h, GFP_KERNEL);
}

static inline void api_free(api_handle h, void *p)
{
	if (API == API_INLINE)
		kmem_cache_free_inline(h, p);
	else if (API == API_SO)
		kmem_cache_free(h, p);
	else
		kfree(p);
}

#endif

/* The handle for objects of size bytes; ctor is for typed caches only. */
static inline api_handle api_open(size_t size, void (*ctor)(void *))
{
#if API == API_INLINE || API == API_SO
	struct kmem_cache *s;
	char name[32];

	snprintf(name, sizeof(name), "bench-%zu%s", size, ctor ? "-ctor" : "");
	s = kmem_cache_create(name, (unsigned int)size, 0, 0, ctor);
	if (!s)
		exit(1);
	return s;
#else
	(void)ctor;
	return (api_handle)size;
#endif
}

/* One handle for each of the eight classes. */
static inline void api_open_classes(api_handle handle[API_CLASSES])
{
	int i;

	for (i = 0; i < API_CLASSES; i++)
		handle[i] = api_open(api_class_size[i], NULL);
}

#endif
