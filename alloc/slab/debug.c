/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * debug.c - debug caches: what F checks at each call, what Z, P and U write, and
 * kmem_cache_validate(). The order of checks and repairs is the kernel's.
 *
 * As long as a debug cache exists, trace_watch() sends every call through the
 * watched path, which knows size and call site.
 */
#include "slab/debug.h"

#include <errno.h>

#include <kmem/debug.h>

#include "base/numa.h"
#include "base/os.h"
#include "base/trace.h"
#include "base/wipe.h"
#include "slab/debug_report.h"
#include "slab/debug_slab.h"

void debug_cache_init(struct kmem_cache *s, const struct geometry *g)
{
	s->red_left_pad = g->red_left_pad;
	s->inuse = g->inuse;
	s->freeptr = g->offset;
	s->track = g->track;
	s->orig_size = g->orig_size;
	s->info_end = g->info_end;
	/* A secret as good as the address space is random: the chain is evidence, not a defence. */
	s->random = (os_now_ns() ^ (uintptr_t)s) * UINT64_C(0x9e3779b97f4a7c15);
	trace_watch(true);
}

void debug_cache_exit(struct kmem_cache *s)
{
	(void)s;
	trace_watch(false);
}

/* ---- allocation ---- */

static void print_trace(const struct kmem_cache *s, const struct page *slab, const void *object, bool alloc)
{
	report("TRACE %s %s %p inuse=%u fp=%p", s->name, alloc ? "alloc" : "free", object, slab->inuse,
	       debug_chain_first(slab));
	if (!alloc)
		debug_hex("Object", object, s->object_size);
	debug_stack();
}

/* The next object of a slab: the chain's first, if that is right; NULL otherwise, with the report made. */
static void *next_object(struct kmem_cache *s, struct page *slab)
{
	void *object = debug_chain_first(slab);

	if (s->flags & SLAB_CONSISTENCY_CHECKS && !debug_slab_check(s, slab))
		return NULL;
	if (!object) /* cut off after damage: the bitmap knows the rest */
		return slab_first_free(s, slab);
	if (!debug_is_object(s, slab, object) || slab_object_taken(s, slab, object)) {
		debug_bug(s, "Freelist Pointer check fails");
		debug_slab_trailer(slab);
		return NULL;
	}
	if (s->flags & SLAB_CONSISTENCY_CHECKS && !debug_object_check(s, slab, object, RED_INACTIVE))
		return NULL;
	debug_chain_pop(s, slab);
	return object;
}

/* A damaged slab serves nobody any more. */
static void retire_slab(struct kmem_cache *s, struct kmem_cache_node *n, struct page *slab)
{
	void *object;

	debug_fix(s, "Marking all objects used");
	slab->freelist = 0;
	slab->chain_inuse = slab->objects;
	while ((object = slab_first_free(s, slab)))
		node_take_object(s, n, slab, object);
}

static void *take_object(struct kmem_cache *s, struct kmem_cache_node *n, const struct slab_request *request)
{
	struct page *slab;
	void *object;

	while ((slab = node_first_partial(n))) {
		object = next_object(s, slab);
		if (!object) {
			retire_slab(s, n, slab);
			continue;
		}
		node_take_object(s, n, slab, object);
		n->stat.alloc++;
		if (debug_orig_size_of(s, object))
			*debug_orig_size_of(s, object) = (uint32_t)request->size;
		if (s->flags & SLAB_DEBUG_METADATA)
			debug_object_init(s, object, RED_ACTIVE);
		debug_object_track(s, object, TRACK_ALLOC, request->call_site);
		if (s->flags & SLAB_TRACE)
			print_trace(s, slab, object, true);
		return object;
	}
	return NULL;
}

/* A new slab for a node, or where there is memory. NULL when there is none. */
static struct kmem_cache_node *add_slab(struct kmem_cache *s, gfp_t gfp, unsigned int nid)
{
	struct kmem_cache_node *home = node_of(s, 0), *n = NULL;
	bool fell_back;
	struct page *slab = slab_new(s, gfp, (int)nid, &fell_back);

	node_lock(home);
	if (slab) {
		n = node_of_slab(s, slab);
		node_add_slab(s, slab);
		n->stat.order_fallback += fell_back;
	} else {
		node_of(s, nid)->stat.alloc_fail++;
	}
	node_unlock(home);
	return n;
}

void *debug_alloc(struct kmem_cache *s, const struct slab_request *request)
{
	bool known = request->nid >= 0 && request->nid < s->nr_nodes;
	unsigned int nid = known ? (unsigned int)request->nid : numa_this_node();
	struct kmem_cache_node *home = node_of(s, 0), *n = node_of(s, nid);
	void *object;

	if (request->nid >= s->nr_nodes && request->gfp & __GFP_THISNODE)
		return NULL;
	debug_call_site = request->call_site;
	do {
		node_lock(home);
		object = take_object(s, n, request);
		node_unlock(home);
	} while (!object && (n = add_slab(s, request->gfp, nid)));
	/* Not beyond the size asked for: a red zone is there. */
	if (object && request->gfp & __GFP_ZERO && !s->ctor)
		memset(object, 0, debug_size_of(s, object));
	debug_call_site = NULL;
	return object;
}

/* ---- free ---- */

static void bad_cache(struct kmem_cache *s, struct page *slab, const void *object)
{
	if (!slab) {
		debug_bug(s, "Attempt to free object(%p) outside of slab", object);
	} else {
		const struct kmem_cache *owner = s + ((int)slab->cache_id - (int)s->id);

		debug_bug(s, "kmem_cache_free: Wrong slab cache. %s but object is from %s", s->name, owner->name);
		if (debug_is_object(owner, slab, object))
			debug_tracks(owner, object);
	}
	debug_slab_trailer(slab);
}

/* Whether it is an object in use of this cache; if not, it was reported. */
static bool check_pointer(struct kmem_cache *s, struct page *slab, void *object)
{
	bool all = s->flags & SLAB_CONSISTENCY_CHECKS;

	if (!slab || slab->cache_id != s->id) {
		bad_cache(s, slab, object);
		return false;
	}
	if (all && !debug_slab_check(s, slab))
		return false;
	if (!debug_is_object(s, slab, object)) {
		debug_bug(s, "Invalid object pointer %p", object);
		debug_slab_trailer(slab);
		return false;
	}
	if ((all && debug_on_freelist(s, slab, object)) || !slab_object_taken(s, slab, object)) {
		debug_bug(s, "Object already free");
		debug_trailer(s, slab, object);
		return false;
	}
	return true;
}

/* Whether the object may be freed; if not, it was reported. */
static bool check_free(struct kmem_cache *s, struct page *slab, void *object)
{
	if (!check_pointer(s, slab, object))
		return false;
	return !(s->flags & SLAB_CONSISTENCY_CHECKS) || debug_object_check(s, slab, object, RED_ACTIVE);
}

static void put_object(struct kmem_cache *s, struct page *slab, void *object,
		       const void *call_site, struct page **empty)
{
	debug_object_track(s, object, TRACK_FREE, call_site);
	if (s->flags & SLAB_TRACE)
		print_trace(s, slab, object, false);
	if (wipe_on_free() && !s->ctor && !(s->flags & (SLAB_TYPESAFE_BY_RCU | SLAB_POISON)))
		memset(object, 0, s->object_size);
	if (s->flags & SLAB_DEBUG_METADATA)
		debug_object_init(s, object, RED_INACTIVE);
	debug_chain_push(s, slab, object);
	node_of_slab(s, slab)->stat.free++;
	node_put(s, &object, 1, empty);
}

void debug_free(struct kmem_cache *s, void *object, const void *call_site)
{
	struct kmem_cache_node *home = node_of(s, 0);
	struct page *slab = slab_of(object), *empty = NULL;

	debug_call_site = call_site;
	node_lock(home);
	if (check_free(s, slab, object))
		put_object(s, slab, object, call_site, &empty);
	else
		debug_fix(s, "Object at %p not freed", object);
	node_unlock(home);
	node_release(s, empty);
	debug_call_site = NULL;
}

/* ---- sizes ---- */

bool debug_in_use(struct kmem_cache *s, void *object, const void *call_site)
{
	struct kmem_cache_node *home = node_of(s, 0);
	struct page *slab = slab_of(object);
	bool ok;

	debug_call_site = call_site;
	node_lock(home);
	ok = check_pointer(s, slab, object);
	node_unlock(home);
	debug_call_site = NULL;
	return ok;
}

bool debug_size_is(struct kmem_cache *s, void *object, size_t size, const void *call_site)
{
	struct kmem_cache_node *home = node_of(s, 0);
	uint32_t asked;

	if (!debug_in_use(s, object, call_site))
		return false;
	asked = debug_size_of(s, object);
	if (!debug_orig_size_of(s, object) || asked == size)
		return true;
	debug_call_site = call_site;
	node_lock(home);
	debug_bug(s, "Wrong size in a sized free: %zu, but %u bytes were asked for", size, asked);
	debug_trailer(s, slab_of(object), object);
	node_unlock(home);
	debug_call_site = NULL;
	return false;
}

bool debug_resize(struct kmem_cache *s, void *object, size_t size, gfp_t gfp)
{
	const uint32_t *orig = debug_orig_size_of(s, object);

	if (!orig || size > s->object_size)
		return false;
	if (gfp & __GFP_ZERO && size > *orig)
		memset((uint8_t *)object + *orig, 0, size - *orig);
	debug_object_resize(s, object, (uint32_t)size);
	return true;
}

void debug_claim(struct kmem_cache *s, void *object)
{
	uint32_t *orig = debug_orig_size_of(s, object);

	if (orig)
		*orig = s->object_size;
}

/* ---- validation ---- */

KMEM_API size_t kmem_cache_errors(const struct kmem_cache *s)
{
	return __atomic_load_n(&s->errors, __ATOMIC_RELAXED);
}

KMEM_API long kmem_cache_validate(struct kmem_cache *s)
{
	struct kmem_cache_node *home = node_of(s, 0);
	size_t before = kmem_cache_errors(s), nr_pages, i;

	if (!debug_cache(s))
		return -EINVAL;
	debug_call_site = __builtin_return_address(0);
	node_lock(home);
	nr_pages = arena.bytes >> PAGE_SHIFT;
	for (i = 0; i < nr_pages; i++)
		if (READ_ONCE(page_at(i)->debug_id) == s->id)
			debug_slab_validate(s, page_at(i));
	node_unlock(home);
	debug_call_site = NULL;
	return (long)(kmem_cache_errors(s) - before);
}
