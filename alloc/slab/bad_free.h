/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bad_free.h - the words about a wrong free in a cache without slab_debug, whether it
 * was seen at once (slab/refuse.h) or when the slot was flushed (node_put()).
 * Each is one line, then what the policy says (base/report.h). Any context.
 */
#ifndef SLAB_BAD_FREE_H
#define SLAB_BAD_FREE_H

#include <kmem/slab.h>

/* The object is free already. */
void bad_free_again(const struct kmem_cache *s, const void *object);

/* The address is that of no object of the cache. */
void bad_free_pointer(const struct kmem_cache *s, const void *object);

#endif
