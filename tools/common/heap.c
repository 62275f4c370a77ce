/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * heap.c - snapshot of the caches of one libkmem root.
 *
 * Order of a snapshot, CHUNK cache ids at a time:
 *   1. caches[] and nodes[] of the chunk: two contiguous ranges, one call
 *   2. what they point to: slot headers of every CPU, shared slots, barn
 *      sheaf headers, and at the end of each cache its sequence words again;
 *      one scattered read
 *   3. compare the sequence words. A cache that changed goes through 1 and 2
 *      alone, where the window is a few microseconds, up to RETRIES times
 *
 * Everything that comes from the target is checked before it is used as an
 * index or a count: the target may be corrupt, and is written to meanwhile.
 */
#include "common/heap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHUNK   128u
#define RETRIES 4
#define MAX_CPUS 8192u

/* Where the parts of one cache of the chunk begin in the scattered read. */
struct parts {
	size_t ranges;    /* first range; range i reads into the i-th head */
	size_t nr_slots;  /* slot headers first, then the sequence words */
};

union head {
	struct kmem_slot slot;
	uint32_t seq;
};

struct heap_scratch {
	struct kmem_cache caches[CHUNK];
	struct kmem_cache_node nodes[CHUNK * KMEM_MAX_NODES];
	struct parts parts[CHUNK];
	struct target_range *ranges;
	union head *heads;
	size_t nr, room;
};

void heap_init(struct heap *h, struct target *t, uint64_t root_addr)
{
	*h = (struct heap){ .target = t, .root_addr = root_addr };
}

void heap_close(struct heap *h)
{
	if (h->scratch) {
		free(h->scratch->ranges);
		free(h->scratch->heads);
	}
	free(h->scratch);
	free(h->caches);
	*h = (struct heap){ .target = h->target };
}

static int no_memory(struct heap *h)
{
	return target_fail(h->target, -ENOMEM, "out of memory");
}

/* Numbers of the root that are used as loop bounds. */
static int check_root(struct heap *h)
{
	const struct kmem_observe *r = &h->root;

	if (r->nr_nodes >= 1 && r->nr_nodes <= KMEM_MAX_NODES && r->nr_cpus <= MAX_CPUS && r->percpu_shift < 48 &&
	    r->nr_caches <= KMEM_ID_MAX && r->arena_end >= r->arena_base)
		return 0;
	return target_fail(h->target, -EPROTO, "PID %d (%s): the libkmem root is damaged", h->target->pid,
			   h->target->comm);
}

/* ---- collecting what to read ------------------------------------------------------------- */

/* Room for `more` further ranges. The heads move along, so their addresses are set last. */
static int reserve(struct heap *h, size_t more)
{
	struct heap_scratch *s = h->scratch;
	size_t room = s->room ? s->room : 256;
	void *ranges, *heads;

	if (s->nr + more <= s->room)
		return 0;
	while (room < s->nr + more)
		room *= 2;
	ranges = realloc(s->ranges, room * sizeof(*s->ranges));
	if (ranges)
		s->ranges = ranges;
	heads = realloc(s->heads, room * sizeof(*s->heads));
	if (heads)
		s->heads = heads;
	if (!ranges || !heads)
		return no_memory(h);
	s->room = room;
	return 0;
}

static void want(struct heap_scratch *s, uint64_t addr, size_t len)
{
	s->ranges[s->nr++] = (struct target_range){ .addr = addr, .len = len };
}

/* Does `addr` lie where the target keeps its sheaves? A torn pointer need not. */
static bool is_sheaf(const struct kmem_observe *root, uint64_t addr, size_t len)
{
	return addr >= root->sheaves && addr < root->sheaves_end && root->sheaves_end - addr >= len;
}

static void want_nodes(struct heap *h, const struct kmem_cache_node *nodes, struct parts *p)
{
	struct heap_scratch *s = h->scratch;

	for (unsigned int nid = 0; nid < h->root.nr_nodes; nid++)
		if (is_sheaf(&h->root, nodes[nid].shared, sizeof(struct kmem_slot))) {
			want(s, nodes[nid].shared, sizeof(struct kmem_slot));
			p->nr_slots++;
		}
}

/* Queue the reads of cache `id`, which is number i of the chunk. */
static int want_cache(struct heap *h, unsigned int id, unsigned int i)
{
	const struct kmem_observe *root = &h->root;
	struct heap_scratch *s = h->scratch;
	const struct kmem_cache *cache = &s->caches[i];
	struct parts *p = &s->parts[i];
	int err;

	*p = (struct parts){ .ranges = s->nr };
	if (cache->state == KMEM_CACHE_FREE)
		return 0;
	err = reserve(h, root->nr_cpus + root->nr_nodes * 2u + 1);
	if (err)
		return err;
	if (cache->percpu && cache->slot_offset) {
		for (unsigned int cpu = 0; cpu < root->nr_cpus; cpu++)
			want(s, cache->percpu + ((uint64_t)cpu << root->percpu_shift), sizeof(struct kmem_slot));
		p->nr_slots = root->nr_cpus;
	}
	want_nodes(h, &s->nodes[i * root->nr_nodes], p);
	for (unsigned int nid = 0; nid < root->nr_nodes; nid++)
		want(s, root->nodes + ((uint64_t)id * root->nr_nodes + nid) * sizeof(struct kmem_cache_node) +
			offsetof(struct kmem_cache_node, seq), sizeof(uint32_t));
	want(s, root->caches + (uint64_t)id * sizeof(*cache) + offsetof(struct kmem_cache, seq), sizeof(uint32_t));
	return 0;
}

/* Steps 1 and 2 for the ids first .. first + nr. */
static int read_chunk(struct heap *h, unsigned int first, unsigned int nr)
{
	struct heap_scratch *s = h->scratch;
	uint32_t nr_nodes = h->root.nr_nodes;
	struct target_range tables[2] = {
		{ .addr = h->root.nodes + (uint64_t)first * nr_nodes * sizeof(*s->nodes),
		  .buf = s->nodes, .len = (size_t)nr * nr_nodes * sizeof(*s->nodes) },
		{ .addr = h->root.caches + (uint64_t)first * sizeof(*s->caches),
		  .buf = s->caches, .len = nr * sizeof(*s->caches) },
	};
	int failed = target_readv(h->target, tables, 2);

	if (failed > 0)
		return target_fail(h->target, -EPROTO, "PID %d (%s): the cache table of libkmem cannot be read",
				   h->target->pid, h->target->comm);
	if (failed < 0)
		return failed;
	s->nr = 0;
	for (unsigned int i = 0; i < nr; i++) {
		int err = want_cache(h, first + i, i);

		if (err)
			return err;
	}
	memset(s->heads, 0, s->nr * sizeof(*s->heads));
	for (size_t i = 0; i < s->nr; i++)
		s->ranges[i].buf = &s->heads[i];
	failed = target_readv(h->target, s->ranges, s->nr);
	return failed < 0 ? failed : 0;
}

/* ---- adding up ----------------------------------------------------------------------------- */

/* Step 3: nothing moved while the cache was read, and all of it could be read. */
static bool is_stable(const struct heap *h, unsigned int i)
{
	const struct heap_scratch *s = h->scratch;
	const struct parts *p = &s->parts[i];
	size_t at = p->ranges + p->nr_slots;

	for (size_t r = p->ranges; r < at; r++)
		if (s->ranges[r].error)
			return false;
	for (unsigned int nid = 0; nid < h->root.nr_nodes; nid++, at++) {
		uint32_t before = s->nodes[i * h->root.nr_nodes + nid].seq;

		if ((before & 1) || s->ranges[at].error || s->heads[at].seq != before)
			return false;
	}
	return !(s->caches[i].seq & 1) && !s->ranges[at].error && s->heads[at].seq == s->caches[i].seq;
}

static void add_stat(struct kmem_node_stat *sum, const struct kmem_node_stat *one)
{
	uint64_t *to = (uint64_t *)sum;
	const uint64_t *from = (const uint64_t *)one;

	for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] += from[i];
}

static void add_node(struct heap_cache *c, const struct kmem_cache_node *n)
{
	c->slabs += n->nr_slabs;
	c->objects += n->nr_objects;
	c->taken += n->nr_taken;
	c->partial_slabs += n->nr_partial;
	c->cached_barn += n->parked;
	add_stat(&c->stat, &n->stat);
}

/* The formula of observe.h. Differences of counters that are not of one instant are kept from wrapping. */
static void add_up(const struct heap *h, unsigned int i, struct heap_cache *c)
{
	const struct heap_scratch *s = h->scratch;
	const struct parts *p = &s->parts[i];
	uint64_t cached;

	*c = (struct heap_cache){ .cache = s->caches[i] };
	c->cache.name[KMEM_NAME_BYTES - 1] = '\0';
	c->allocs = c->cache.folded_allocs + c->cache.guard_allocs + kmem_prefill_allocs(c->cache.prefill);
	c->cached_barn = kmem_prefill_held(c->cache.prefill);
	c->frees = c->cache.folded_frees + c->cache.guard_frees;
	c->guarded = c->cache.guard_allocs - c->cache.guard_frees;
	c->objects = c->guarded;
	for (unsigned int nid = 0; nid < h->root.nr_nodes; nid++)
		add_node(c, &s->nodes[i * h->root.nr_nodes + nid]);
	for (size_t r = p->ranges; r < p->ranges + p->nr_slots; r++) {
		const struct kmem_slot *slot = &s->heads[r].slot;

		c->cached_slots += kmem_slot_count(slot);
		c->allocs += kmem_slot_allocs(slot);
		c->frees += kmem_slot_frees(slot);
	}
	c->allocs = (c->allocs + c->stat.alloc) & KMEM_COUNT_MASK;
	c->frees = (c->frees + c->stat.free) & KMEM_COUNT_MASK;
	cached = heap_cached(c);
	if (kmem_cache_is_merged(&c->cache))
		c->active = c->allocs > c->frees ? c->allocs - c->frees : 0;
	else
		c->active = (c->taken > cached ? c->taken - cached : 0) + c->guarded;
}

static int append(struct heap *h, const struct heap_cache *c)
{
	if (h->nr_caches == h->caches_room) {
		size_t room = h->caches_room ? 2 * h->caches_room : 64;
		void *more = realloc(h->caches, room * sizeof(*h->caches));

		if (!more)
			return no_memory(h);
		h->caches = more;
		h->caches_room = room;
	}
	h->caches[h->nr_caches++] = *c;
	h->nr_torn += c->torn;
	return 0;
}

/* Read one cache again until it holds still. The scratch area is then no longer that of the chunk. */
static int retry(struct heap *h, unsigned int id, struct heap_cache *c)
{
	for (int attempt = 0; attempt < RETRIES; attempt++) {
		int err = read_chunk(h, id, 1);

		if (err)
			return err;
		add_up(h, 0, c);
		if (is_stable(h, 0))
			return 0;
	}
	c->torn = true;
	return 0;
}

static int take_chunk(struct heap *h, unsigned int first, unsigned int nr)
{
	size_t start = h->nr_caches;
	int err = read_chunk(h, first, nr);

	for (unsigned int i = 0; !err && i < nr; i++) {
		struct heap_cache c;

		if (h->scratch->caches[i].state == KMEM_CACHE_FREE)
			continue;
		add_up(h, i, &c);
		c.cache.id = (uint16_t)(first + i);
		c.torn = !is_stable(h, i);
		err = append(h, &c);
	}
	for (size_t i = start; !err && i < h->nr_caches; i++) {
		struct heap_cache *c = &h->caches[i];
		uint16_t id = c->cache.id;

		if (!c->torn)
			continue;
		err = retry(h, id, c);
		c->cache.id = id;
		h->nr_torn -= !c->torn;
	}
	return err;
}

/* A cache may have been destroyed between the first look and the retry. */
static void drop_dead(struct heap *h)
{
	size_t kept = 0;

	for (size_t i = 0; i < h->nr_caches; i++) {
		if (h->caches[i].cache.state == KMEM_CACHE_FREE)
			h->nr_torn -= h->caches[i].torn;
		else
			h->caches[kept++] = h->caches[i];
	}
	h->nr_caches = kept;
}

/* ---- zones --------------------------------------------------------------------------------- */

static int read_zones(struct heap *h)
{
	struct kmem_zone again[KMEM_MAX_ZONES];
	size_t len = h->root.nr_zones * sizeof(struct kmem_zone);
	struct target_range r[2] = {
		{ .addr = h->root.zones, .buf = h->zones, .len = len },
		{ .addr = h->root.zones, .buf = again, .len = len },
	};

	for (int attempt = 0; attempt < RETRIES; attempt++) {
		int failed = target_readv(h->target, r, 2);

		if (failed)
			return failed < 0 ? failed
					  : target_fail(h->target, -EPROTO, "PID %d (%s): the zones of libkmem cannot be read",
							h->target->pid, h->target->comm);
		h->zones_torn = 0;
		for (unsigned int z = 0; z < h->root.nr_zones; z++)
			if ((h->zones[z].seq & 1) || h->zones[z].seq != again[z].seq)
				h->zones_torn |= 1u << z;
		if (!h->zones_torn)
			break;
	}
	return 0;
}

static int read_pcps(struct heap *h)
{
	unsigned int nr = h->root.pcps ? h->root.nr_cpus * h->root.nr_zones : 0;

	h->pcp_pages = 0;
	for (unsigned int at = 0; at < nr; at++) {
		struct kmem_pcp pcp;
		int err = target_read(h->target, h->root.pcps + at * sizeof(pcp), &pcp, sizeof(pcp));

		if (err)
			return err;
		h->pcp_pages += pcp.count;
	}
	return 0;
}

uint64_t heap_free_pages(const struct heap *h)
{
	uint64_t sum = h->pcp_pages;

	for (unsigned int z = 0; z < h->root.nr_zones; z++)
		sum += h->zones[z].free_pages;
	return sum;
}

uint64_t heap_present_pages(const struct heap *h)
{
	uint64_t sum = 0;

	for (unsigned int z = 0; z < h->root.nr_zones; z++)
		sum += h->zones[z].present_pages + h->zones[z].mapped_pages;
	return sum;
}

/* ---- the snapshot ------------------------------------------------------------------------------ */

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec;
}

static int read_all(struct heap *h)
{
	int err = target_read_root(h->target, h->root_addr, &h->root);

	h->ns = now_ns();
	if (err || !h->root.state) {
		h->root.nr_nodes = 0;
		h->root.nr_zones = 0;
		return err;
	}
	err = check_root(h);
	if (!err)
		err = read_zones(h);
	if (!err)
		err = read_pcps(h);
	for (unsigned int first = 1; !err && first < h->root.nr_caches; first += CHUNK) {
		unsigned int left = h->root.nr_caches - first;

		err = take_chunk(h, first, left < CHUNK ? left : CHUNK);
	}
	return err;
}

int heap_read(struct heap *h)
{
	int err = 0;

	h->nr_caches = 0;
	h->nr_torn = 0;
	if (!h->scratch)
		h->scratch = calloc(1, sizeof(*h->scratch));
	if (!h->scratch)
		return no_memory(h);
	err = reserve(h, 1);
	if (!err)
		err = read_all(h);
	if (err) {
		h->nr_caches = 0;
		h->root.nr_nodes = 0;
		h->root.nr_zones = 0;
		return err;
	}
	drop_dead(h);
	return 0;
}

const struct heap_cache *heap_cache_by_id(const struct heap *h, unsigned int id)
{
	for (size_t i = 0; i < h->nr_caches; i++)
		if (h->caches[i].cache.id == id)
			return &h->caches[i];
	return NULL;
}
