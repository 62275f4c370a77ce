/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tune.c - changing caches while they are in use: ranges, and what a change takes.
 * A change holds for all caches that share slabs, whichever of them was named.
 * Limits are single words that slow paths read under the node's lock.
 */
#include "slab/tune.h"

#include <errno.h>

#include "slab/cache.h"
#include "slab/debug.h"
#include "slab/geometry.h"

#define MIN_PARTIAL_MAX (1 << 20)

/* A limit of every cache that shares the slabs of s; `offset` of a uint32_t in struct kmem_cache. */
static void set_limit(struct kmem_cache *s, size_t offset, uint32_t value)
{
	for (s = root_of(s); s; s = next_alias(s))
		WRITE_ONCE(*(uint32_t *)(void *)((char *)s + offset), value);
}

/* What somebody has set is not learned any more. */
static void fix(struct kmem_cache *s, uint32_t behaviour)
{
	for (s = root_of(s); s; s = next_alias(s))
		__atomic_fetch_or(&s->behaviour, behaviour, __ATOMIC_RELAXED);
}

static int set_barn(struct kmem_cache *s, size_t offset, int64_t value)
{
	fix(s, KMEM_CACHE_BARN_FIXED);
	set_limit(s, offset, (uint32_t)value);
	/* What is beyond the new limit goes back to the slabs. */
	slub_drain(s);
	return 0;
}

static int set_sheaf_capacity(struct kmem_cache *s, int64_t value)
{
	int rc = 0;

	fix(s, KMEM_CACHE_SLOT_FIXED);
	for (s = root_of(s); s && !rc; s = next_alias(s))
		rc = cache_set_sheaf_capacity(s, (uint32_t)value);
	return rc;
}

/* Slabs of both orders live side by side: each knows how many objects it has. */
static int set_order(struct kmem_cache *s, int64_t value)
{
	struct kmem_cache_node *home = node_of(s, 0);
	unsigned int order = (unsigned int)value;

	if (order < s->min_order || debug_cache(s))
		return -EINVAL;
	node_lock(home);
	for (s = root_of(s); s; s = next_alias(s)) {
		/* The reciprocal is exact while offset * size stays below 2^32; divisions serve smaller slabs, too. */
		if ((PAGE_SIZE << order) * s->size > UINT64_C(1) << 32)
			WRITE_ONCE(s->reciprocal, 0);
		s->objects = (uint16_t)slab_capacity(s, order);
		WRITE_ONCE(s->order, (uint8_t)order);
	}
	node_unlock(home);
	return 0;
}

static int set_failslab(struct kmem_cache *s, int64_t value)
{
	/* Caches that share the slabs would fail, too. */
	if (kmem_cache_is_merged(s))
		return -EBUSY;
	if (value)
		__atomic_fetch_or(&s->flags, SLAB_FAILSLAB, __ATOMIC_RELAXED);
	else
		__atomic_fetch_and(&s->flags, ~SLAB_FAILSLAB, __ATOMIC_RELAXED);
	return 0;
}

static int64_t tune_max(enum kmem_tune attribute)
{
	static const int64_t max[KMEM_TUNE_NR] = {
		[KMEM_TUNE_SHEAF_CAPACITY] = 16384,
		[KMEM_TUNE_BARN_FULL] = KMEM_BARN_SHEAVES,
		[KMEM_TUNE_BARN_EMPTY] = KMEM_BARN_SHEAVES,
		[KMEM_TUNE_MIN_PARTIAL] = MIN_PARTIAL_MAX,
		[KMEM_TUNE_ORDER] = MAX_PAGE_ORDER,
		[KMEM_TUNE_DEFRAG_RATIO] = 100,
		[KMEM_TUNE_FAILSLAB] = 1,
		[KMEM_TUNE_SHRINK] = 1,
	};

	return (unsigned int)attribute < KMEM_TUNE_NR ? max[attribute] : -1;
}

int tune_locked(struct kmem_cache *s, enum kmem_tune attribute, int64_t value)
{
	if (value < (attribute == KMEM_TUNE_SHRINK) || value > tune_max(attribute))
		return -EINVAL;
	switch (attribute) {
	case KMEM_TUNE_SHEAF_CAPACITY:
		return set_sheaf_capacity(s, value);
	case KMEM_TUNE_BARN_FULL:
		return set_barn(s, offsetof(struct kmem_cache, barn_full), value);
	case KMEM_TUNE_BARN_EMPTY:
		return set_barn(s, offsetof(struct kmem_cache, barn_empty), value);
	case KMEM_TUNE_MIN_PARTIAL:
		set_limit(s, offsetof(struct kmem_cache, min_partial), (uint32_t)value);
		return 0;
	case KMEM_TUNE_ORDER:
		return set_order(s, value);
	case KMEM_TUNE_DEFRAG_RATIO:
		/* The kernel's unit: compared with a number of 0 to 1023. */
		set_limit(s, offsetof(struct kmem_cache, remote_node_defrag_ratio), (uint32_t)value * 10);
		return 0;
	case KMEM_TUNE_FAILSLAB:
		return set_failslab(s, value);
	default:
		cache_shrink_locked(s);
		return 0;
	}
}

struct request {
	enum kmem_tune attribute;
	int64_t value;
};

static int tune_request(struct kmem_cache *s, int64_t value)
{
	const struct request *request = (const struct request *)(intptr_t)value;

	return tune_locked(s, request->attribute, request->value);
}

KMEM_API int kmem_cache_tune(struct kmem_cache *s, enum kmem_tune attribute, int64_t value)
{
	const struct request request = { attribute, value };

	return cache_change(s->id, tune_request, (intptr_t)&request);
}
