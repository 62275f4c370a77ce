/* SPDX-License-Identifier: BSD-2-Clause */
/* bad_free.c - reports of wrong frees; see bad_free.h. */
#include "slab/bad_free.h"

#include "base/report.h"
#include "slab/slab.h"

void bad_free_again(const struct kmem_cache *s, const void *object)
{
	report("BUG %s: Object already free: %p; it was left alone", s->name, object);
	report_misuse_end(false);
}

void bad_free_pointer(const struct kmem_cache *s, const void *object)
{
	const struct page *slab = slab_of(object);

	if (!slab || slab->cache_id != s->root_id)
		report("BUG %s: kmem_cache_free(%p): no object of this cache; it was left alone", s->name, object);
	else
		report("BUG %s: Invalid object pointer %p: %zu bytes into the slab at %p; it was left alone",
		       s->name, object, (size_t)((const uint8_t *)object - (const uint8_t *)page_to_addr(slab)),
		       page_to_addr(slab));
	report_misuse_end(false);
}
