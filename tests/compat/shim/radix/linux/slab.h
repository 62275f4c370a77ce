/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * linux/slab.h for the kernel's tree tests: libkmem's, with the test's control
 * in between. What the tests rely on: allocations that must not block fail,
 * unless so many objects of a cache are granted; a callback runs before the
 * allocation after a failed one; live objects are counted. See radix.c.
 */
#ifndef TESTS_COMPAT_RADIX_SLAB_H
#define TESTS_COMPAT_RADIX_SLAB_H

#include_next <linux/slab.h>

void *control_alloc(struct kmem_cache *s, struct list_lru *lru, gfp_t gfp);
int control_alloc_bulk(struct kmem_cache *s, gfp_t gfp, size_t size, void **p);
void control_free(struct kmem_cache *s, void *object);
void control_free_bulk(struct kmem_cache *s, size_t size, void **p);
void *control_kmalloc(size_t size, gfp_t gfp);
void control_kfree(const void *p);

#ifndef TESTS_COMPAT_RADIX_CONTROL
#define kmem_cache_alloc(s, gfp)              control_alloc(s, NULL, gfp)
#define kmem_cache_alloc_lru(s, lru, gfp)     control_alloc(s, lru, gfp)
#define kmem_cache_alloc_bulk(s, gfp, n, p)   control_alloc_bulk(s, gfp, n, p)
#define kmem_cache_free(s, object)            control_free(s, object)
#define kmem_cache_free_bulk(s, n, p)         control_free_bulk(s, n, p)
#define kmalloc(size, gfp)                    control_kmalloc(size, gfp)
#define kzalloc(size, gfp)                    control_kmalloc(size, (gfp) | __GFP_ZERO)
#define kfree(p)                              control_kfree(p)
#endif

#endif
