/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * debug.h - questions to caches with debug flags: the kernel's slab_debug.
 *
 * A cache is debugged when it is created with SLAB_CONSISTENCY_CHECKS (F),
 * SLAB_RED_ZONE (Z), SLAB_POISON (P), SLAB_STORE_USER (U) or SLAB_TRACE (T), or when
 * the environment variable KMEM_SLAB_DEBUG says so, in the grammar of the
 * kernel's boot option:
 *
 *   KMEM_SLAB_DEBUG=                   FZPU for all caches
 *   KMEM_SLAB_DEBUG=FZ,kmalloc-*,foo   FZ for these; blocks are separated by ;
 *
 * All functions are thread safe and may wait for a lock.
 */
#ifndef KMEM_DEBUG_H
#define KMEM_DEBUG_H

#include <kmem/slab.h>

KMEM_BEGIN

/*
 * Check every slab and object of a cache. What is wrong is reported on stderr
 * and repaired. Return: number of errors, where each repair counts as one more,
 * as in the kernel's own tests; -EINVAL when the cache has no debug flag.
 */
KMEM_API long kmem_cache_validate(struct kmem_cache *s);

/* Errors and repairs reported about the cache since it was created. */
KMEM_API size_t kmem_cache_errors(const struct kmem_cache *s) KMEM_CHECK;

/*
 * Who allocated the objects in use, and who freed them when they were in use
 * before: one entry per stack, most frequent first, in the format of the kernel's
 * /sys/kernel/debug/slab/CACHE/alloc_traces and free_traces, into buf (at most
 * bytes, always terminated). Return: length that the whole text needs;
 * -EINVAL when the cache has no SLAB_STORE_USER.
 */
KMEM_API long kmem_cache_alloc_traces(struct kmem_cache *s, char *buf, size_t bytes);
KMEM_API long kmem_cache_free_traces(struct kmem_cache *s, char *buf, size_t bytes);

KMEM_END

#endif
