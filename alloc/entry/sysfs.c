/* SPDX-License-Identifier: BSD-2-Clause */
/* sysfs.c - the attributes of caches as text, about this process. */
#include <errno.h>

#include <kmem/info.h>
#include <kmem/slab.h>

#include "entry/source.h"
#include "text/slab.h"

_Static_assert(KMEM_CACHE_CONSISTENCY_CHECKS == SLAB_CONSISTENCY_CHECKS && KMEM_CACHE_RED_ZONE == SLAB_RED_ZONE &&
	       KMEM_CACHE_POISON == SLAB_POISON && KMEM_CACHE_STORE_USER == SLAB_STORE_USER &&
	       KMEM_CACHE_TRACE == SLAB_TRACE && KMEM_CACHE_FAILSLAB == SLAB_FAILSLAB &&
	       KMEM_CACHE_HWCACHE_ALIGN == SLAB_HWCACHE_ALIGN && KMEM_CACHE_DMA == SLAB_CACHE_DMA &&
	       KMEM_CACHE_TYPESAFE_BY_RCU == SLAB_TYPESAFE_BY_RCU && KMEM_CACHE_NOLEAKTRACE == SLAB_NOLEAKTRACE &&
	       KMEM_CACHE_RECLAIM_ACCOUNT == SLAB_RECLAIM_ACCOUNT, "what readers know as the flags");

KMEM_API long kmem_slab_sysfs(const struct kmem_cache *s, const char *attribute, char *buf, size_t bytes)
{
	const struct text_source self = source_self();
	struct text t = text_init(buf, bytes);
	struct text_cache c;
	int rc = text_cache_read(&c, &self, s->id);

	if (!rc)
		rc = text_attribute(&t, &self, &c, attribute);
	return rc ? rc : (long)t.len;
}

KMEM_API const char *kmem_slab_attribute(unsigned int nth)
{
	enum text_mode mode;

	return text_attribute_name(nth, &mode);
}
