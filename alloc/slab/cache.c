/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cache.c - creating, destroying, shrinking and listing caches.
 *
 * The registry lock guards the table, and serialises whatever drains slots.
 */
#include "slab/cache.h"

#include <errno.h>

#include "base/numa.h"
#include "base/observe.h"
#include "base/os.h"
#include "base/report.h"
#include "base/strict.h"
#include "page/reclaim.h"
#include "slab/debug.h"
#include "slab/debug_report.h"
#include "slab/geometry.h"
#include "slab/guard.h"
#include "slab/merge.h"
#include "slab/rcu.h"

#define SLAB_ALL_FLAGS                                                                            \
	(SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER | SLAB_TRACE |   \
	 SLAB_FAILSLAB | SLAB_HWCACHE_ALIGN | SLAB_CACHE_DMA | SLAB_CACHE_DMA32 | SLAB_PANIC |    \
	 SLAB_TYPESAFE_BY_RCU | SLAB_NOLEAKTRACE | SLAB_NO_MERGE | SLAB_RECLAIM_ACCOUNT |         \
	 SLAB_ACCOUNT | SLAB_NO_USER_FLAGS | SLAB_KMALLOC)

_Static_assert(KMEM_CACHE_NOLEAKTRACE == SLAB_NOLEAKTRACE, "what leak scanners know as the flag");

/* The slot counts to 65535 and holds two sheaves. */
#define MAX_SHEAF_CAPACITY 16384u

struct kmem_cache *cache_array KMEM_STATE;

static struct {
	lock_t lock;
	unsigned int nr_cpus;
	uint32_t behaviour; /* of caches to come */
	bool merge;         /* them */
	struct meta_range caches, nodes;
} registry KMEM_STATE;

int cache_init(unsigned int nr_cpus)
{
	int rc = meta_reserve(&registry.caches, "kmem caches", KMEM_ID_MAX * sizeof(struct kmem_cache));

	if (!rc)
		rc = meta_reserve(&registry.nodes, "kmem nodes", (size_t)KMEM_ID_MAX * numa_nr_nodes() * sizeof(struct kmem_cache_node));
	if (!rc)
		rc = sheaf_init();
	if (rc)
		return rc;
	cache_array = (struct kmem_cache *)(void *)registry.caches.base;
	node_array = (struct kmem_cache_node *)(void *)registry.nodes.base;
	registry.nr_cpus = nr_cpus;
	page_set_reclaim(cache_reclaim);
	slab_init();
	observe_root.caches = (uintptr_t)cache_array;
	observe_root.nodes = (uintptr_t)node_array;
	observe_root.nr_caches = 1;
	return 0;
}

void cache_set_random_order(bool on)
{
	registry.behaviour = on ? KMEM_CACHE_RANDOM_ORDER : 0;
}

void cache_set_merge(bool on)
{
	registry.merge = on;
}

unsigned int cache_count(void)
{
	return READ_ONCE(observe_root.nr_caches);
}

struct kmem_cache *cache_next(const struct kmem_cache *s)
{
	unsigned int id = s ? s->id + 1u : 1u;

	for (; id < cache_count(); id++)
		if (READ_ONCE(cache_array[id].state) == KMEM_CACHE_LIVE)
			return &cache_array[id];
	return NULL;
}

/* ---- create ---- */

/* Why a cache cannot be made; NULL when it can. */
static const char *refuse(const char *name, unsigned int size, const struct kmem_cache_args *args, slab_flags_t flags)
{
	if (!name || !*name)
		return "it has no name";
	if (!size)
		return "object size is 0";
	if (size > KMALLOC_MAX_SIZE)
		return "object size is beyond 4 MiB";
	if (flags & ~SLAB_ALL_FLAGS)
		return "unknown flags";
	if (args->align && !is_pow2(args->align))
		return "align is no power of two";
	if (args->align > PAGE_SIZE)
		return "align is beyond a page";
	if (args->usersize && (uint64_t)args->useroffset + args->usersize > size)
		return "the usercopy window lies outside the object";
	if (args->sheaf_capacity > MAX_SHEAF_CAPACITY)
		return "sheaf_capacity is beyond 16384";
	return NULL;
}

/* An unused entry with its tables usable, or NULL. Registry locked. */
static struct kmem_cache *take_entry(void)
{
	unsigned int id;

	for (id = 1; id < observe_root.nr_caches; id++)
		if (cache_array[id].state == KMEM_CACHE_FREE)
			break;
	if (id >= KMEM_ID_MAX)
		return NULL;
	if (meta_ensure(&registry.caches, (id + 1) * sizeof(struct kmem_cache)) ||
	    meta_ensure(&registry.nodes, (size_t)(id + 1) * numa_nr_nodes() * sizeof(struct kmem_cache_node)))
		return NULL;
	memset(&cache_array[id], 0, sizeof(cache_array[id]));
	memset(&node_array[(size_t)id * numa_nr_nodes()], 0, numa_nr_nodes() * sizeof(node_array[0]));
	cache_array[id].id = (uint16_t)id;
	cache_array[id].root_id = (uint16_t)id;
	cache_array[id].nr_nodes = (uint8_t)numa_nr_nodes();
	return &cache_array[id];
}

static void set_geometry(struct kmem_cache *s, const struct geometry *g)
{
	s->size = g->size;
	s->align = g->align;
	s->objects = (uint16_t)g->objects;
	s->min_objects = (uint16_t)g->min_objects;
	s->order = g->order;
	s->min_order = g->min_order;
	s->min_partial = g->min_partial;
	/* Exact while offset * size stays below 2^32. */
	if (MAX(g->order, g->min_order) <= SLAB_MAX_ORDER)
		s->reciprocal = (uint32_t)(((UINT64_C(1) << 32) + g->size - 1) / g->size);
}

/*
 * A shared slot lives in the memory of a sheaf, so that it is reused when the
 * cache is destroyed: this many objects make up for the larger header.
 */
static uint32_t shared_sheaf_capacity(uint32_t slot_capacity)
{
	return slot_capacity + (uint32_t)((sizeof(struct kmem_slot) - sizeof(struct kmem_sheaf)) / sizeof(uint64_t));
}

static struct kmem_slot *shared_slot_alloc(uint32_t capacity)
{
	struct kmem_slot *slot = (struct kmem_slot *)(void *)sheaf_alloc(shared_sheaf_capacity(capacity));

	if (!slot)
		return NULL;
	memset(slot, 0, sizeof(*slot));
	slot->capacity = capacity;
	slot->limit = capacity;
	return slot;
}

static void shared_slot_free(struct kmem_slot *slot)
{
	struct kmem_sheaf *memory = (struct kmem_sheaf *)(void *)slot;

	if (!slot)
		return;
	memory->capacity = shared_sheaf_capacity(slot->limit);
	sheaf_free(memory);
}

/* Slots in the per-CPU regions, or one shared slot per node. None for capacity 0: then the null slot serves. */
static int alloc_slots(uint32_t capacity, uint32_t *offset, struct kmem_slot **shared)
{
	unsigned int nid;

	*offset = capacity ? percpu_slot_alloc(slot_bytes(capacity)) : 0;
	for (nid = 0; nid < numa_nr_nodes(); nid++) {
		shared[nid] = capacity && !*offset ? shared_slot_alloc(capacity) : NULL;
		if (capacity && !*offset && !shared[nid]) {
			while (nid-- > 0)
				shared_slot_free(shared[nid]);
			return -ENOMEM;
		}
	}
	return 0;
}

/* Slabs begin with a page, and objects lie one behind the other. */
static uint64_t address_mask(const struct kmem_cache *s)
{
	uint32_t multiple = s->size & -s->size;

	if (s->colour_off)
		multiple = MIN(multiple, s->colour_off);
	return debug_cache(s) ? 0 : MIN(multiple, PAGE_SIZE) - 1;
}

static int set_slots(struct kmem_cache *s)
{
	struct kmem_slot *shared[KMEM_MAX_NODES];
	unsigned int nid;

	s->slot_capacity = 2 * s->sheaf_capacity;
	if (alloc_slots(s->slot_capacity, &s->slot_offset, shared))
		return -ENOMEM;
	slot_point(s, percpu_region(0) + s->slot_offset);
	for (nid = 0; nid < s->nr_nodes; nid++)
		node_of(s, nid)->shared = (uintptr_t)shared[nid];
	return 0;
}

/* The slots of a drained cache. */
static void release_slots(struct kmem_cache *s)
{
	unsigned int nid;

	percpu_slot_free(s->slot_offset, slot_bytes(s->slot_capacity));
	for (nid = 0; nid < s->nr_nodes; nid++) {
		shared_slot_free((struct kmem_slot *)(uintptr_t)node_of(s, nid)->shared);
		node_of(s, nid)->shared = 0;
	}
}

int cache_set_sheaf_capacity(struct kmem_cache *s, uint32_t capacity)
{
	uint32_t offset, slot_capacity = 2 * capacity;
	struct kmem_slot *shared[KMEM_MAX_NODES] = { NULL };
	unsigned int nid;
	int rc;

	if (debug_cache(s) || capacity > MAX_SHEAF_CAPACITY)
		return -EINVAL;
	if (alloc_slots(2 * capacity, &offset, shared))
		return -ENOMEM;
	if (capacity && !offset && kmem_cache_is_merged(s)) {
		for (nid = 0; nid < s->nr_nodes; nid++)
			shared_slot_free(shared[nid]);
		return -ENOMEM;
	}
	rc = slub_change_slots(s, &offset, &slot_capacity, shared);
	percpu_slot_free(offset, slot_bytes(slot_capacity));
	for (nid = 0; nid < s->nr_nodes; nid++)
		shared_slot_free(shared[nid]);
	return rc;
}

/* Debug caches have the kernel's layout with all its metadata, the others nothing between their objects. */
static bool compute_layout(struct geometry *g, struct geometry_args *a)
{
	if (a->flags & SLAB_DEBUG_FLAGS)
		return debug_options_layout(g, a);
	return geometry_compute(g, a->object_size, a->align, a->flags & SLAB_HWCACHE_ALIGN, a->nr_cpus);
}

static void publish(struct kmem_cache *s, const char *name, const void *call_site)
{
	s->refcount = 1;
	s->created_ns = os_now_ns();
	s->call_site = (uintptr_t)call_site;
	report_format(s->name, sizeof(s->name), "%s", name);
	__atomic_store_n(&s->state, KMEM_CACHE_LIVE, __ATOMIC_RELEASE);
	if (s->id >= observe_root.nr_caches)
		__atomic_store_n(&observe_root.nr_caches, s->id + 1u, __ATOMIC_RELEASE);
}

/* Another name for the slabs of a cache like this; NULL when there is none, or no slots for it. */
static struct kmem_cache *create_alias(const char *name, const struct kmem_cache_args *args,
				       const struct geometry_args *a, const struct geometry *g, const void *call_site)
{
	struct kmem_cache *root = NULL, *s = NULL;
	uint32_t offset = 0;

	if (registry.merge && !args->usersize && !args->sheaf_capacity && !args->colour)
		root = merge_find(cache_array, cache_count(), a, g);
	if (root)
		offset = percpu_slot_alloc(slot_bytes(2 * root->sheaf_capacity));
	if (offset)
		s = take_entry();
	if (!s) {
		percpu_slot_free(offset, slot_bytes(root ? 2 * root->sheaf_capacity : 0));
		return NULL;
	}
	merge_join(root, s, a->object_size);
	s->slot_offset = offset;
	s->slot_capacity = 2 * s->sheaf_capacity;
	s->slots_wanted = 0;
	slot_point(s, percpu_region(0) + offset);
	publish(s, name, call_site);
	return s;
}

static struct kmem_cache *create(const char *name, unsigned int size, const struct kmem_cache_args *args,
				 slab_flags_t flags, const void *call_site)
{
	struct geometry_args a = { .object_size = size, .align = args->align, .flags = flags,
		.kmalloc = flags & SLAB_KMALLOC, .ctor = args->ctor, .use_freeptr_offset = args->use_freeptr_offset,
		.freeptr_offset = args->freeptr_offset, .nr_cpus = registry.nr_cpus };
	struct geometry g;
	struct kmem_cache *s;

	if (!compute_layout(&g, &a))
		return NULL;
	flags = a.flags;
	s = create_alias(name, args, &a, &g, call_site);
	if (s)
		return s;
	s = take_entry();
	if (!s)
		return NULL;
	set_geometry(s, &g);
	s->behaviour = registry.behaviour;
	s->random = registry.behaviour ? os_random() : 0;
	s->barn_full = KMEM_BARN_SHEAVES;
	s->barn_empty = KMEM_BARN_SHEAVES;
	s->remote_node_defrag_ratio = 1000;
	s->object_size = size;
	s->flags = flags;
	s->colour_off = args->colour && !debug_cache(s) ? MAX(s->align, CACHE_LINE) : 0;
	s->address_mask = address_mask(s);
	s->ctor = (uintptr_t)args->ctor;
	s->sheaf_capacity = debug_cache(s) ? 0 : MAX(g.sheaf_capacity, args->sheaf_capacity);
	s->migratetype = flags & SLAB_RECLAIM_ACCOUNT ? MIGRATE_RECLAIMABLE : MIGRATE_UNMOVABLE;
	s->useroffset = args->useroffset;
	s->usersize = args->usersize;
	if (set_slots(s))
		return NULL;
	if (debug_cache(s))
		debug_cache_init(s, &g);
	publish(s, name, call_site);
	return s;
}

static struct kmem_cache *create_failed(const char *name, slab_flags_t flags, const char *why)
{
	const char *shown = name ? name : "(null)";

	if (flags & SLAB_PANIC)
		report_bug("BUG: kmem_cache_create(%s) failed: %s, and SLAB_PANIC is set", shown, why);
	/* The library's own classes are made when they are first wanted; without one, another serves. */
	if (!(flags & SLAB_KMALLOC))
		report("kmem_cache_create(%s) failed: %s", shown, why);
	return NULL;
}

KMEM_API struct kmem_cache *__kmem_cache_create_args(const char *name, unsigned int size,
						     const struct kmem_cache_args *args, slab_flags_t flags)
{
	static const struct kmem_cache_args none;
	struct kmem_cache *s;
	const char *why;

	strict_check(GFP_KERNEL, __builtin_return_address(0));
	if (!args)
		args = &none;
	why = refuse(name, size, args, flags);
	if (why)
		return create_failed(name, flags, why);
	flags = debug_options_apply(name, flags);
	lock_acquire(&registry.lock, LOCK_REGISTRY);
	s = create(name, size, args, flags, __builtin_return_address(0));
	lock_release(&registry.lock, LOCK_REGISTRY);
	if (!s)
		return create_failed(name, flags, "out of memory or of cache ids");
	if (trace_on(TRACE_KMEM_CACHE_CREATE))
		trace_kmem_cache_create(__builtin_return_address(0), s, s->name, s->object_size, s->size, s->align, s->flags);
	if (strlen(name) >= KMEM_NAME_BYTES)
		report("kmem_cache_create(%s): the name is cut to %d bytes", name, KMEM_NAME_BYTES - 1);
	return s;
}

/* ---- destroy ---- */

enum { SHOWN_OBJECTS = 10 };

/* Report the objects that are still allocated in one slab. */
static size_t list_objects(const struct kmem_cache *s, const struct page *slab, size_t shown)
{
	uint32_t i;

	for (i = 0; i < slab->objects && shown < SHOWN_OBJECTS; i++) {
		const void *object = slab_object(s, slab, i);

		if (!slab_object_taken(s, slab, object))
			continue;
		report("  Object %p @offset=%zu", object, (size_t)((uintptr_t)object - (uintptr_t)page_to_addr(slab)));
		debug_tracks(s, object);
		shown++;
	}
	return shown;
}

static size_t list_guarded(const struct kmem_cache *s, size_t shown)
{
	const void *object = NULL;

	while (shown < SHOWN_OBJECTS && (object = guard_next_of(s, object))) {
		report("  Object %p between guard pages", object);
		shown++;
	}
	return shown;
}

static void report_remaining(struct kmem_cache *s, size_t left)
{
	size_t nr_pages = arena.bytes >> PAGE_SHIFT, i, shown = 0;

	report("BUG %s: Objects remaining on __kmem_cache_shutdown(): %zu; the cache is kept", s->name, left);
	s->errors += 1 + left;
	for (i = 0; i < nr_pages; i++)
		if (page_at(i)->type == KMEM_PAGE_SLAB && page_at(i)->cache_id == s->id)
			shown = list_objects(s, page_at(i), shown);
	shown = list_guarded(s, shown);
	if (left > shown)
		report("  and %zu more", left - shown);
}

/* Return: slabs left. */
static size_t release_empty_slabs(struct kmem_cache *s)
{
	struct kmem_cache_node *home = node_of(s, 0);
	struct page *empty = NULL;
	size_t left = 0;
	unsigned int nid;

	node_lock(home);
	for (nid = 0; nid < s->nr_nodes; nid++) {
		node_shrink(node_of(s, nid), &empty);
		left += node_of(s, nid)->nr_slabs;
	}
	node_unlock(home);
	node_release(s, empty);
	return left;
}

/* Slabs that readers may still look into keep the cache's id: it must not be reused before they are gone. */
static void wait_for_readers(void)
{
	lock_release(&registry.lock, LOCK_REGISTRY);
	rcu_barrier();
	lock_acquire(&registry.lock, LOCK_REGISTRY);
}

/* Objects that no slot or barn holds any more, and those between guard pages, which are in no slab. */
static size_t objects_left(const struct kmem_cache *s)
{
	size_t left = (size_t)(READ_ONCE(s->guard_allocs) - READ_ONCE(s->guard_frees));
	unsigned int nid;

	for (nid = 0; nid < s->nr_nodes; nid++)
		left += node_of(s, nid)->nr_taken;
	return left;
}

/* Nobody uses the slabs of a drained cache any more. Return: objects left; with any, it is kept. */
static size_t end_cache(struct kmem_cache *s)
{
	size_t left = objects_left(s);

	if (left)
		return left;
	if (s->flags & SLAB_TYPESAFE_BY_RCU)
		wait_for_readers();
	release_slots(s);
	if (debug_cache(s))
		debug_cache_exit(s);
	__atomic_store_n(&s->state, KMEM_CACHE_FREE, __ATOMIC_RELEASE);
	return 0;
}

/* A name goes, its slabs stay for others. Return: objects left of it, by its own count. */
static size_t end_name(struct kmem_cache *s)
{
	struct kmem_cache *root = root_of(s);
	size_t left = MIN(merge_own_objects(s), objects_left(root));

	if (left && root->refcount)
		report("kmem_cache_destroy(%s): %zu objects remaining by its own count; they stay in the slabs it shares",
		       s->name, left);
	if (s == root)
		return left;
	merge_leave(root, s);
	percpu_slot_free(s->slot_offset, slot_bytes(s->slot_capacity));
	__atomic_store_n(&s->state, KMEM_CACHE_FREE, __ATOMIC_RELEASE);
	return left;
}

KMEM_API size_t kmem_cache_destroy(struct kmem_cache *s)
{
	struct kmem_cache *root;
	size_t left = 0;
	bool last;

	if (!s)
		return 0;
	strict_check(GFP_KERNEL, __builtin_return_address(0));
	if (READ_ONCE(s->state) != KMEM_CACHE_LIVE)
		report_bug("BUG: kmem_cache_destroy(%p): not a live cache", (void *)s);
	/* What kfree_rcu() was given is no leak. */
	rcu_barrier();
	if (trace_on(TRACE_KMEM_CACHE_DESTROY))
		trace_kmem_cache_destroy(__builtin_return_address(0), s, s->name);
	lock_acquire(&registry.lock, LOCK_REGISTRY);
	root = root_of(s);
	s->state = KMEM_CACHE_DEAD;
	slub_drain(s);
	release_empty_slabs(s);
	last = !--root->refcount;
	if (!last || s != root)
		left = end_name(s);
	if (last)
		left = end_cache(root);
	lock_release(&registry.lock, LOCK_REGISTRY);
	if (last && left)
		report_remaining(root, left);
	return left;
}

/* ---- shrink ---- */

static size_t shrink(struct kmem_cache *s)
{
	size_t slabs;

	slub_drain(s);
	slabs = release_empty_slabs(s);
	if (trace_on(TRACE_KMEM_CACHE_SHRINK))
		trace_kmem_cache_shrink(s, s->name, slabs);
	return slabs;
}

/* A drained cache: false when no node has as many free objects as its smallest slab holds, so that none is empty. */
static bool may_have_empty_slabs(const struct kmem_cache *s, size_t *slabs)
{
	unsigned int nid;
	bool may = false;

	*slabs = 0;
	for (nid = 0; nid < s->nr_nodes; nid++) {
		const struct kmem_cache_node *n = node_of(s, nid);
		uint64_t fit = READ_ONCE(n->nr_objects), nr = READ_ONCE(n->nr_slabs);
		/* Of several orders they are only where pages were short. */
		uint64_t smallest = fit == nr * s->objects ? s->objects : s->min_objects;

		may |= nr && fit - READ_ONCE(n->nr_taken) >= smallest;
		*slabs += nr;
	}
	return may;
}

/*
 * In a walk over all caches: an alias is done with its root, unless that is only kept for it. A barrier for each of a
 * hundred caches that hold nothing would be most of what malloc_trim() costs.
 */
static size_t shrink_once(struct kmem_cache *s)
{
	struct kmem_cache *root = root_of(s);
	size_t slabs;

	if (s != root && root->state == KMEM_CACHE_LIVE)
		return 0;
	if (!slub_is_drained(root))
		return shrink(root);
	return may_have_empty_slabs(root, &slabs) ? release_empty_slabs(root) : slabs;
}

size_t cache_shrink_locked(struct kmem_cache *s)
{
	return shrink(s);
}

bool cache_registry_try(void)
{
	return lock_try(&registry.lock, LOCK_REGISTRY);
}

void cache_registry_unlock(void)
{
	lock_release(&registry.lock, LOCK_REGISTRY);
}

int cache_change(uint32_t id, int (*change)(struct kmem_cache *s, int64_t value), int64_t value)
{
	int rc = -ENOENT;

	lock_acquire(&registry.lock, LOCK_REGISTRY);
	if (id && id < cache_count() && cache_array[id].state == KMEM_CACHE_LIVE)
		rc = change(&cache_array[id], value);
	lock_release(&registry.lock, LOCK_REGISTRY);
	return rc;
}

KMEM_API int kmem_cache_shrink(struct kmem_cache *s)
{
	size_t slabs;

	strict_check(GFP_KERNEL, __builtin_return_address(0));
	lock_acquire(&registry.lock, LOCK_REGISTRY);
	slabs = shrink(s);
	lock_release(&registry.lock, LOCK_REGISTRY);
	return slabs != 0;
}

size_t cache_shrink_all(void)
{
	struct kmem_cache *s = NULL;
	size_t slabs = 0;

	lock_acquire(&registry.lock, LOCK_REGISTRY);
	while ((s = cache_next(s)))
		slabs += shrink_once(s);
	lock_release(&registry.lock, LOCK_REGISTRY);
	return slabs;
}

/*
 * Parked objects and empty slabs, when pages are short. A request that comes from
 * inside create or destroy holds the registry: it does without.
 */
size_t cache_reclaim(gfp_t gfp, unsigned int nid, unsigned int priority)
{
	struct kmem_cache *s = NULL;

	(void)gfp;
	(void)nid;
	(void)priority;
	if (!lock_try(&registry.lock, LOCK_REGISTRY))
		return 0;
	while ((s = cache_next(s)))
		shrink_once(s);
	lock_release(&registry.lock, LOCK_REGISTRY);
	return 0;
}

/* ---- questions ---- */

KMEM_API unsigned int kmem_cache_size(const struct kmem_cache *s)
{
	return s->object_size;
}

KMEM_API const char *kmem_cache_name(const struct kmem_cache *s)
{
	return s->name;
}

static void add_slot(struct kmem_cache_stat *stat, const struct kmem_slot *slot)
{
	stat->allocs += kmem_slot_allocs(slot);
	stat->frees += kmem_slot_frees(slot);
	stat->cached += kmem_slot_count(slot);
}

static void add_prefill(struct kmem_cache_stat *stat, uint64_t prefill)
{
	stat->allocs += kmem_prefill_allocs(prefill);
	stat->cached += kmem_prefill_held(prefill);
}

/* What free objects a node keeps, of which an alias has none. */
static void add_barn(struct kmem_cache_stat *stat, const struct kmem_cache_node *n)
{
	if (n->shared)
		add_slot(stat, (const struct kmem_slot *)(uintptr_t)n->shared);
	stat->cached += n->parked;
}

static void add_node(struct kmem_cache_stat *stat, const struct kmem_cache_node *n)
{
	stat->active += n->nr_taken;
	stat->objects += n->nr_objects;
	stat->slabs += n->nr_slabs;
	stat->partial += n->nr_partial;
}

static void add_counters(struct kmem_cache_stat *stat, const struct kmem_node_stat *n)
{
	stat->allocs += n->alloc;
	stat->frees += n->free;
	stat->refills += n->refill;
	stat->flushes += n->flush;
	stat->barn_get += n->barn_get;
	stat->barn_put += n->barn_put;
	stat->slab_allocs += n->slab_alloc;
	stat->slab_frees += n->slab_free;
	stat->drains += n->drain;
	stat->remote_frees += n->remote_free;
	stat->prefills += n->prefill_fast + n->prefill_slow;
	stat->returns += n->return_fast + n->return_slow;
	stat->alloc_fail += n->alloc_fail;
}

/* Each is a place of its own, so that there are never more objects in use than there are. */
static void add_guarded(struct kmem_cache_stat *stat, const struct kmem_cache *s)
{
	uint64_t frees = READ_ONCE(s->guard_frees), allocs = READ_ONCE(s->guard_allocs);

	stat->allocs += allocs;
	stat->frees += frees;
	stat->active += allocs - frees;
	stat->objects += allocs - frees;
}

KMEM_API void kmem_cache_stat(struct kmem_cache *s, struct kmem_cache_stat *stat)
{
	struct kmem_cache_node *n = node_of(s, 0);
	unsigned int cpu, nid;

	memset(stat, 0, sizeof(*stat));
	/* The node lock keeps slow paths and drains out; pops and pushes go on. */
	lock_acquire(&n->lock, LOCK_NODE);
	for (nid = 0; nid < s->nr_nodes; nid++) {
		add_node(stat, node_of(s, nid));
		if (!kmem_cache_is_alias(s))
			add_barn(stat, node_of(s, nid));
		add_counters(stat, counters_of(s, node_of(s, nid)));
	}
	add_prefill(stat, READ_ONCE(s->prefill));
	stat->allocs += s->folded_allocs;
	stat->frees += s->folded_frees;
	add_guarded(stat, s);
	for (cpu = 0; s->slot_offset && cpu < percpu_nr_cpus(); cpu++)
		add_slot(stat, slot_of(s, cpu));
	lock_release(&n->lock, LOCK_NODE);
	stat->allocs &= KMEM_COUNT_MASK;
	stat->frees &= KMEM_COUNT_MASK;
	if (kmem_cache_is_merged(s))
		stat->active = stat->allocs > stat->frees ? stat->allocs - stat->frees : 0;
	else
		stat->active -= stat->cached;
}

/* ---- fork ---- */

void cache_lock_for_fork(void)
{
	unsigned int id;

	lock_for_fork(&registry.lock, false);
	for (id = 1; id < observe_root.nr_caches; id++)
		lock_for_fork(&node_array[(size_t)id * numa_nr_nodes()].lock, false);
}

void cache_unlock_after_fork(bool child)
{
	unsigned int id;

	for (id = observe_root.nr_caches; id-- > 1;)
		lock_after_fork(&node_array[(size_t)id * numa_nr_nodes()].lock, child);
	if (child) {
		sheaf_after_fork();
		percpu_after_fork();
	}
	lock_after_fork(&registry.lock, child);
}
