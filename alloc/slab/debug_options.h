/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * debug_options.h - which caches are debugged: the kernel's slab_debug grammar,
 * from the environment variable KMEM_SLAB_DEBUG.
 *
 *   KMEM_SLAB_DEBUG=                    FZPU for all caches
 *   KMEM_SLAB_DEBUG=FZ                  these for all
 *   KMEM_SLAB_DEBUG=,kmalloc-*,foo      FZPU for some; a name may end in *
 *   KMEM_SLAB_DEBUG='ZF,a,b;U,c*'       blocks: the first whose list has the name applies
 *
 *   F checks at every call   Z red zones   P poison   U who allocated and freed
 *   T trace every call       A failslab may hit this cache
 *   O no Z, P, U where a slab would need more pages   - nothing
 */
#ifndef SLAB_DEBUG_OPTIONS_H
#define SLAB_DEBUG_OPTIONS_H

#include <kmem/slab.h>

#include "slab/geometry.h"

#define SLAB_DEBUG_DEFAULT  (SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER)
#define SLAB_DEBUG_METADATA (SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER)

/* A cache with one of these is served by debug.h: no per-CPU arrays, every call under the node's lock. */
#define SLAB_DEBUG_FLAGS    (SLAB_DEBUG_DEFAULT | SLAB_TRACE)

/* Keep `text` (NULL: not set) for all caches to come. Unknown letters are reported and skipped. */
void debug_options_set(const char *text);

/* The flags of a cache that is created with `flags`. */
slab_flags_t debug_options_apply(const char *name, slab_flags_t flags);

/*
 * Layout of a debug cache. With O, flags that would make slabs larger are taken
 * out of a->flags. Return: false when an object does not fit the largest slab.
 */
bool debug_options_layout(struct geometry *g, struct geometry_args *a);

#endif
