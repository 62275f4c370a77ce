/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prefill.c - sheaves that callers hold: objects reserved before a critical
 * section, so that allocation in it cannot fail. See kmem/slab.h.
 *
 * The sheaf is an object of kmalloc(), so that a leak scan finds what is in it
 * through the program's pointer. Objects of a debug cache are allocated when the
 * sheaf is filled: their red zones and tracks say so.
 */
#include <errno.h>

#include "base/report.h"
#include "base/shadow.h"
#include "base/event.h"
#include "slab/debug.h"
#include "slab/kmalloc.h"
#include "slab/watch.h"

struct slab_sheaf {
	uint32_t count;
	uint32_t capacity;
	void *object[];
};

static struct slab_sheaf *new_sheaf(const struct kmem_cache *s, gfp_t gfp, uint32_t capacity)
{
	struct slab_sheaf *sheaf;

	capacity = MAX(capacity, s->sheaf_capacity);
	sheaf = kmalloc(sizeof(*sheaf) + capacity * sizeof(sheaf->object[0]), gfp & ~__GFP_ZERO);
	if (sheaf) {
		sheaf->count = 0;
		sheaf->capacity = capacity;
	}
	return sheaf;
}

static void count(struct kmem_cache *s, uint64_t *counter)
{
	struct kmem_cache_node *home = node_of(s, 0);

	node_lock(home);
	++*counter;
	node_unlock(home);
}

static bool fill_debug(struct kmem_cache *s, gfp_t gfp, struct slab_sheaf *sheaf, uint32_t size, const void *call_site)
{
	const struct slab_request request = { gfp, -1, s->object_size, call_site };

	while (sheaf->count < size) {
		void *object = debug_alloc(s, &request);

		if (!object)
			return false;
		sheaf->object[sheaf->count++] = object;
	}
	return true;
}

/* At least `size` objects; what is there already stays. */
static bool fill(struct kmem_cache *s, gfp_t gfp, struct slab_sheaf *sheaf, uint32_t size, const void *call_site)
{
	struct kmem_node_stat *stat = counters_of(s, node_of(s, 0));
	bool fast;

	gfp &= ~__GFP_ZERO;
	if (debug_cache(s))
		return fill_debug(s, gfp, sheaf, size, call_site);
	sheaf->count += slub_reserve(s, gfp, sheaf->object + sheaf->count, size - sheaf->count, &fast);
	count(s, fast ? &stat->prefill_fast : &stat->prefill_slow);
	return sheaf->count == size;
}

static void empty(struct kmem_cache *s, struct slab_sheaf *sheaf, const void *call_site)
{
	struct kmem_node_stat *stat = counters_of(s, node_of(s, 0));

	while (debug_cache(s) && sheaf->count)
		debug_free(s, sheaf->object[--sheaf->count], call_site);
	if (sheaf->count)
		count(s, slub_unreserve(s, sheaf->object, sheaf->count) ? &stat->return_fast : &stat->return_slow);
	kfree(sheaf);
}

static struct slab_sheaf *prefill(struct kmem_cache *s, gfp_t gfp, uint32_t size, const void *call_site)
{
	struct slab_sheaf *sheaf = new_sheaf(s, gfp, size);

	if (!sheaf)
		return NULL;
	if (size > s->sheaf_capacity)
		count(s, &counters_of(s, node_of(s, 0))->prefill_oversize);
	if (fill(s, gfp, sheaf, size, call_site))
		return sheaf;
	empty(s, sheaf, call_site);
	return NULL;
}

KMEM_API struct slab_sheaf *kmem_cache_prefill_sheaf(struct kmem_cache *s, gfp_t gfp, unsigned int size)
{
	return size ? prefill(s, gfp, size, __builtin_return_address(0)) : NULL;
}

KMEM_API int kmem_cache_refill_sheaf(struct kmem_cache *s, gfp_t gfp, struct slab_sheaf **sheafp, unsigned int size)
{
	const void *call_site = __builtin_return_address(0);
	struct slab_sheaf *larger, *sheaf = *sheafp;

	if (sheaf->count >= size)
		return 0;
	if (size <= sheaf->capacity)
		return fill(s, gfp, sheaf, size, call_site) ? 0 : -ENOMEM;
	larger = prefill(s, gfp, size, call_site);
	if (!larger)
		return -ENOMEM;
	empty(s, sheaf, call_site);
	*sheafp = larger;
	return 0;
}

KMEM_API void *kmem_cache_alloc_from_sheaf(struct kmem_cache *s, gfp_t gfp, struct slab_sheaf *sheaf)
{
	void *object;

	if (!sheaf->count) {
		report("BUG %s: kmem_cache_alloc_from_sheaf() of an empty sheaf; prefill more objects", s->name);
		return NULL;
	}
	object = sheaf->object[--sheaf->count];
	if (!debug_cache(s))
		slub_reserve_use(s);
	if (SHADOW)
		watch_handed_out(s, object);
	if (gfp & __GFP_ZERO)
		slub_zero(s, object);
	if (trace_on(TRACE_KMEM_CACHE_ALLOC))
		event_kmem_cache_alloc(__builtin_return_address(0), object, s->name, s->object_size, s->size, gfp, -1,
				       (gfp & __GFP_ACCOUNT) || (s->flags & SLAB_ACCOUNT));
	return object;
}

KMEM_API void kmem_cache_return_sheaf(struct kmem_cache *s, gfp_t gfp, struct slab_sheaf *sheaf)
{
	(void)gfp;
	if (sheaf)
		empty(s, sheaf, __builtin_return_address(0));
}

KMEM_API unsigned int kmem_cache_sheaf_size(const struct slab_sheaf *sheaf)
{
	return sheaf->count;
}
