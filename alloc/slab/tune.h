/* SPDX-License-Identifier: BSD-2-Clause */
/* tune.h - changing caches while they are in use; see kmem_cache_tune() in kmem/slab.h. */
#ifndef SLAB_TUNE_H
#define SLAB_TUNE_H

#include <kmem/slab.h>

/* As kmem_cache_tune(), with the registry locked: for cache_change(). */
int tune_locked(struct kmem_cache *s, enum kmem_tune attribute, int64_t value);

#endif
