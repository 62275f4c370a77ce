/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watch.h - allocation and free of one object with all that is off by default.
 *
 * The public functions come here when a probe of theirs is traced or when
 * trace_watch() is on; otherwise they take the fast path and none of this runs.
 * The functions fire no event: that is their caller's part.
 */
#ifndef SLAB_WATCH_H
#define SLAB_WATCH_H

#include "slab/slub.h"

/* One object; NULL when out of memory. */
void *watch_alloc(struct kmem_cache *s, const struct slab_request *request);

/* Free it. object: not NULL. */
void watch_free(struct kmem_cache *s, void *object, const void *call_site);

/* An object goes to its caller on another way than watch_alloc(): for builds that shadow objects (base/shadow.h). */
void watch_handed_out(const struct kmem_cache *s, const void *object);

#endif
