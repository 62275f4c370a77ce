/* SPDX-License-Identifier: BSD-2-Clause */
/* watch.c - the watched path of allocation and free; see watch.h. */
#include "slab/watch.h"

#include "base/fault.h"
#include "base/observe.h"
#include "base/shadow.h"
#include "base/strict.h"
#include "base/trace.h"
#include "base/wipe.h"
#include "slab/account.h"
#include "slab/debug.h"
#include "slab/refuse.h"

/* Constructed and TYPESAFE_BY_RCU objects keep their contents while free, poisoned ones their poison. */
static bool may_wipe(const struct kmem_cache *s)
{
	return !s->ctor && !(s->flags & (SLAB_TYPESAFE_BY_RCU | SLAB_POISON));
}

/* Free objects of these are nobody's to look at. */
static bool is_shadowed(const struct kmem_cache *s)
{
	return SHADOW && !s->ctor && !(s->flags & SLAB_TYPESAFE_BY_RCU) && !debug_cache(s);
}

void watch_handed_out(const struct kmem_cache *s, const void *object)
{
	if (is_shadowed(s))
		shadow_alloc(object, s->object_size, s->size);
}

/* It may be cleared only once it is the caller's. */
static void *alloc_shadowed(struct kmem_cache *s, const struct slab_request *request)
{
	struct slab_request plain = *request;
	void *object;

	plain.gfp &= ~__GFP_ZERO;
	object = slub_alloc_request(s, &plain);
	if (!object)
		return NULL;
	watch_handed_out(s, object);
	return request->gfp & __GFP_ZERO ? slub_zero(s, object) : object;
}

static void *alloc_unaccounted(struct kmem_cache *s, const struct slab_request *request)
{
	struct slab_request cleared = *request;

	if (request->gfp & __GFP_DIRECT_RECLAIM)
		observe_poll();
	strict_check(request->gfp, request->call_site);
	if (fault_slab(request->gfp, s->object_size, s->flags & SLAB_FAILSLAB, request->call_site))
		return NULL;
	if (may_wipe(s))
		cleared.gfp = wipe_gfp(request->gfp);
	if (debug_cache(s))
		return debug_alloc(s, &cleared);
	if (is_shadowed(s))
		return alloc_shadowed(s, &cleared);
	return slub_alloc_request(s, &cleared);
}

void *watch_alloc(struct kmem_cache *s, const struct slab_request *request)
{
	void *object;
	int group;

	/* Nobody but a tracer: debug caches have no slot, and are known where it is missed. */
	if (likely(!trace_watched()))
		return slub_alloc_request(s, request);

	if (!account_on() || !((request->gfp & __GFP_ACCOUNT) || (s->flags & SLAB_ACCOUNT)))
		return alloc_unaccounted(s, request);
	group = account_charge(request->gfp, s->size);
	if (group < 0)
		return NULL;
	object = alloc_unaccounted(s, request);
	account_own(group, object, s->size);
	return object;
}

void watch_free(struct kmem_cache *s, void *object, const void *call_site)
{
	if (likely(!trace_watched())) {
		slub_free(s, object);
		return;
	}
	/* Before anything is written to it. */
	if (refuse_free(s, object))
		return;
	if (account_on() && arena_contains(object))
		account_release(object, s->size);
	if (debug_cache(s)) {
		debug_free(s, object, call_site);
		return;
	}
	if (wipe_on_free() && may_wipe(s))
		memset(object, 0, s->object_size);
	if (is_shadowed(s))
		shadow_free(object, s->size);
	slub_free(s, object);
}
