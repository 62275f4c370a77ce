/* SPDX-License-Identifier: BSD-2-Clause */
/* merge.c - which caches are alike, and joining them; see merge.h. */
#include "slab/merge.h"

#include "base/report.h"

/* With one of these a cache keeps its slabs to itself. */
#define NEVER_MERGE                                                                              \
	(SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER | SLAB_TRACE | SLAB_TYPESAFE_BY_RCU |     \
	 SLAB_NOLEAKTRACE | SLAB_FAILSLAB | SLAB_NO_MERGE | SLAB_CONSISTENCY_CHECKS | SLAB_KMALLOC)

/* In these, caches that share slabs must agree. */
#define SAME_FLAGS (SLAB_RECLAIM_ACCOUNT | SLAB_CACHE_DMA | SLAB_CACHE_DMA32 | SLAB_ACCOUNT)

/* An object may waste less than this. */
#define MAX_SLACK sizeof(void *)

static bool is_open(const struct kmem_cache *s)
{
	return s->state != KMEM_CACHE_FREE && !kmem_cache_is_alias(s) && s->refcount > 0 &&
	       !(s->flags & NEVER_MERGE) && !s->ctor && !s->usersize && !s->colour_off && s->slot_offset;
}

static bool fits(const struct kmem_cache *s, slab_flags_t flags, const struct geometry *g)
{
	return !((s->flags ^ flags) & SAME_FLAGS) && g->size <= s->size && s->size - g->size < MAX_SLACK &&
	       !(s->size % g->align) && s->sheaf_capacity == g->sheaf_capacity;
}

struct kmem_cache *merge_find(struct kmem_cache *caches, unsigned int nr, const struct geometry_args *a,
			      const struct geometry *g)
{
	unsigned int id;

	if ((a->flags & NEVER_MERGE) || a->ctor)
		return NULL;
	for (id = 1; id < nr; id++)
		if (is_open(&caches[id]) && fits(&caches[id], a->flags, g))
			return &caches[id];
	return NULL;
}

void merge_join(struct kmem_cache *root, struct kmem_cache *s, uint32_t object_size)
{
	struct kmem_cache alias = *root;

	/* Geometry and limits are the root's, the rest begins at 0. */
	alias.id = s->id;
	alias.state = KMEM_CACHE_FREE;
	alias.object_size = object_size;
	alias.folded_allocs = alias.folded_frees = 0;
	alias.seq = 0;
	alias.errors = 0;
	alias.prefill = 0;
	alias.deferred = 0;
	*s = alias;
	root->next_alias = s->id;
	root->refcount++;
	/* Who finds an object by its address sees room for the largest. */
	if (root->object_size < object_size)
		WRITE_ONCE(root->object_size, object_size);
}

static void add_stat(struct kmem_node_stat *sum, const struct kmem_node_stat *one)
{
	uint64_t *to = (uint64_t *)(void *)sum;
	const uint64_t *from = (const uint64_t *)(const void *)one;
	size_t i;

	for (i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] += from[i];
}

void merge_leave(struct kmem_cache *root, struct kmem_cache *s)
{
	struct kmem_cache_node *home = node_of(root, 0);
	struct kmem_cache *before = root, *next;
	unsigned int nid;

	while ((next = next_alias(before)) && next != s)
		before = next;
	BUG_ON(!next);
	node_lock(home);
	before->next_alias = next->next_alias;
	root->folded_allocs += s->folded_allocs;
	root->folded_frees += s->folded_frees;
	__atomic_fetch_add(&root->prefill, s->prefill, __ATOMIC_RELAXED);
	for (nid = 0; nid < s->nr_nodes; nid++)
		add_stat(&node_of(root, nid)->stat, counters_of(s, node_of(s, nid)));
	node_unlock(home);
}

size_t merge_own_objects(const struct kmem_cache *s)
{
	uint64_t allocs = s->folded_allocs + kmem_prefill_allocs(s->prefill), frees = s->folded_frees;
	unsigned int nid;

	for (nid = 0; nid < s->nr_nodes; nid++) {
		allocs += counters_of(s, node_of(s, nid))->alloc;
		frees += counters_of(s, node_of(s, nid))->free;
	}
	return allocs > frees ? allocs - frees : 0;
}
