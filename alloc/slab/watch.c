/* SPDX-License-Identifier: BSD-2-Clause */
/* watch.c - the watched path of allocation and free; see watch.h. */
#include "slab/watch.h"

void *watch_alloc(struct kmem_cache *s, const struct slab_request *request)
{
	return slub_alloc_request(s, request);
}

void watch_free(struct kmem_cache *s, void *object, const void *call_site)
{
	(void)call_site;
	slub_free(s, object);
}
