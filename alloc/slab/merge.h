/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * merge.h - caches that share the slabs of another one that is like them.
 *
 *   root  "a"   slots, counters ---+
 *   alias "b"   slots, counters ---+--- nodes, barns, slabs: the root's
 *   alias "c"   slots, counters ---+
 *
 * An alias is a struct kmem_cache with slots and counters of its own, so that each
 * name is counted exactly. Its objects are the root's to whoever finds them by
 * address: kfree() counts them there. All functions need the registry locked.
 */
#ifndef SLAB_MERGE_H
#define SLAB_MERGE_H

#include "slab/geometry.h"
#include "slab/node.h"

/*
 * The first of caches[1 .. nr) in whose slabs objects of this geometry can live: the
 * kernel's rules, and per-CPU slots as large as g's. NULL when there is none.
 */
struct kmem_cache *merge_find(struct kmem_cache *caches, unsigned int nr, const struct geometry_args *a,
			      const struct geometry *g);

/* Make `s`, an unused entry, an alias of root with objects of this size. Its slots are the caller's to set. */
void merge_join(struct kmem_cache *root, struct kmem_cache *s, uint32_t object_size);

/* Take a drained alias off its root, which inherits its counters. */
void merge_leave(struct kmem_cache *root, struct kmem_cache *s);

/* Objects that a drained cache has allocated and not freed, by its own count. */
size_t merge_own_objects(const struct kmem_cache *s);

#endif
