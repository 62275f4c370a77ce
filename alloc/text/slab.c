/* SPDX-License-Identifier: BSD-2-Clause */
/* slab.c - /proc/slabinfo 2.1 and /sys/kernel/slab; see slab.h. Formats as in mm/slub.c of Linux 6.12. */
#include "text/slab.h"

#include <errno.h>

#define RETRIES 4

static int get(const struct text_source *src, uint64_t addr, void *buf, size_t len)
{
	return src->read(src->context, addr, buf, len);
}

/* ---- the numbers ---- */

static uint64_t node_addr(const struct kmem_observe *root, unsigned int id, unsigned int nid)
{
	return root->nodes + ((uint64_t)id * root->nr_nodes + nid) * sizeof(struct kmem_cache_node);
}

static uint64_t slot_addr(const struct kmem_observe *root, const struct kmem_cache *s, unsigned int cpu)
{
	return s->percpu + ((uint64_t)cpu << root->percpu_shift);
}

static int slot_count(const struct text_source *src, uint64_t addr, uint64_t *count)
{
	struct kmem_slot slot;
	int rc = get(src, addr, &slot, sizeof(slot));

	if (!rc)
		*count += kmem_slot_count(&slot);
	return rc;
}

/* Of a merged cache, whose own objects are its allocations minus its frees: add those of its CPUs. */
static int own_on_cpus(const struct text_source *src, struct text_cache *c)
{
	const struct kmem_cache *s = &c->cache;
	struct kmem_slot slot;
	unsigned int cpu;
	int rc = 0;

	for (cpu = 0; !rc && s->slot_offset && cpu < src->root->nr_cpus; cpu++) {
		rc = get(src, slot_addr(src->root, s, cpu), &slot, sizeof(slot));
		c->own += rc ? 0 : (int64_t)(kmem_slot_allocs(&slot) - kmem_slot_frees(&slot));
	}
	return rc;
}

/* An alias has its root's slabs and number of names, but its own counters, and no barn. */
static int read_alias(struct text_cache *c, const struct text_source *src, unsigned int id)
{
	struct kmem_cache_node own[KMEM_MAX_NODES];
	struct kmem_cache root;
	unsigned int nid;
	int rc = get(src, src->root->caches + (uint64_t)c->cache.root_id * sizeof(root), &root, sizeof(root));

	if (!rc)
		rc = get(src, node_addr(src->root, id, 0), own, src->root->nr_nodes * sizeof(own[0]));
	c->cache.refcount = rc ? 0 : root.refcount;
	for (nid = 0; !rc && nid < src->root->nr_nodes; nid++) {
		c->node[nid].stat = own[nid].stat;
		c->node[nid].nr_full = c->node[nid].nr_empty = 0;
		c->node[nid].parked = 0;
		c->node[nid].shared = 0;
	}
	return rc;
}

/* Objects that a node's barn and shared slot hold. */
static int parked_on_node(const struct text_source *src, const struct kmem_cache_node *n, uint64_t *count)
{
	*count += n->parked;
	return n->shared ? slot_count(src, n->shared, count) : 0;
}

static int parked_on_cpus(const struct text_source *src, const struct kmem_cache *s, uint64_t *count)
{
	unsigned int cpu;
	int rc = 0;

	for (cpu = 0; !rc && s->slot_offset && cpu < src->root->nr_cpus; cpu++)
		rc = slot_count(src, slot_addr(src->root, s, cpu), count);
	return rc;
}

static int read_once(struct text_cache *c, const struct text_source *src, unsigned int id)
{
	unsigned int nid;
	int rc = get(src, src->root->caches + (uint64_t)id * sizeof(c->cache), &c->cache, sizeof(c->cache));

	if (!rc && c->cache.state != KMEM_CACHE_LIVE)
		return -ENOENT;
	c->cache.name[KMEM_NAME_BYTES - 1] = '\0';
	c->cache.id = (uint16_t)id;
	c->taken = c->cached = c->objects = c->slabs = 0;
	if (!rc)
		rc = get(src, node_addr(src->root, text_root_id(c), 0), c->node,
			 src->root->nr_nodes * sizeof(c->node[0]));
	if (!rc && kmem_cache_is_alias(&c->cache))
		rc = read_alias(c, src, id);
	c->own = (int64_t)(c->cache.folded_allocs + kmem_prefill_allocs(c->cache.prefill) - c->cache.folded_frees);
	for (nid = 0; !rc && nid < src->root->nr_nodes; nid++) {
		c->taken += c->node[nid].nr_taken;
		c->objects += c->node[nid].nr_objects;
		c->slabs += c->node[nid].nr_slabs;
		c->own += (int64_t)(c->node[nid].stat.alloc - c->node[nid].stat.free);
		rc = parked_on_node(src, &c->node[nid], &c->cached);
	}
	c->cached += kmem_prefill_held(c->cache.prefill);
	/* Between guard pages: in no slab, each a place of its own. */
	c->guarded = c->cache.guard_allocs - c->cache.guard_frees;
	c->objects += c->guarded;
	c->own += (int64_t)c->guarded;
	if (!rc)
		rc = own_on_cpus(src, c);
	return rc ? rc : parked_on_cpus(src, &c->cache, &c->cached);
}

/* Whether nothing changed since read_once(). */
static bool is_stable(const struct text_cache *c, const struct text_source *src)
{
	unsigned int nid;
	uint32_t seq;

	for (nid = 0; nid < src->root->nr_nodes; nid++)
		if (get(src, node_addr(src->root, text_root_id(c), nid) + offsetof(struct kmem_cache_node, seq), &seq, sizeof(seq)) ||
		    seq != c->node[nid].seq || seq & 1)
			return false;
	return true;
}

int text_cache_read(struct text_cache *c, const struct text_source *src, unsigned int id)
{
	unsigned int attempt;
	int rc = 0;

	if (!id || id >= src->root->nr_caches || src->root->nr_nodes > KMEM_MAX_NODES)
		return -ENOENT;
	for (attempt = 0; attempt < RETRIES; attempt++) {
		rc = read_once(c, src, id);
		/* A torn pointer may lead nowhere: that is a change, too. */
		if (rc == -ENOENT || (!rc && is_stable(c, src)))
			break;
	}
	return rc;
}

static uint64_t active(const struct text_cache *c)
{
	if (kmem_cache_is_merged(&c->cache))
		return c->own > 0 ? (uint64_t)c->own : 0;
	return (c->taken > c->cached ? c->taken - c->cached : 0) + c->guarded;
}

/* ---- /proc/slabinfo ---- */

void text_slabinfo_header(struct text *t)
{
	text_string(t, "slabinfo - version: 2.1\n"
		       "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>"
		       " : tunables <limit> <batchcount> <sharedfactor>"
		       " : slabdata <active_slabs> <num_slabs> <sharedavail>\n");
}

static void column(struct text *t, uint64_t n, int width)
{
	text_char(t, ' ');
	text_number(t, n, width);
}

void text_slabinfo_row(struct text *t, const struct kmem_cache *s, uint64_t active_objects, uint64_t objects,
		       uint64_t slabs)
{
	text_field(t, s->name, -17);
	column(t, active_objects, 6);
	column(t, objects, 6);
	column(t, s->size, 6);
	column(t, s->objects, 4);
	column(t, UINT64_C(1) << s->order, 4);
	text_string(t, " : tunables    0    0    0 : slabdata");
	column(t, slabs, 6);
	column(t, slabs, 6);
	column(t, 0, 6);
	text_char(t, '\n');
}

int text_slabinfo(struct text *t, const struct text_source *src)
{
	struct text_cache c;
	unsigned int id;

	text_slabinfo_header(t);
	for (id = 1; id < src->root->nr_caches; id++) {
		int rc = text_cache_read(&c, src, id);

		bool alias = !rc && kmem_cache_is_alias(&c.cache);

		/* What names share is in the row of their root, so that a column's sum is true. */
		if (!rc)
			text_slabinfo_row(t, &c.cache, active(&c), alias ? 0 : c.objects, alias ? 0 : c.slabs);
		else if (rc != -ENOENT)
			return rc;
	}
	return 0;
}

/* ---- /sys/kernel/slab ---- */

/* What an attribute is made from. */
struct view {
	const struct text_source *src;
	const struct text_cache *c;
};

/* "total N0=.. N1=..", of nodes that have any. */
static void by_node(struct text *t, const struct view *v, const uint64_t *count)
{
	unsigned int nid;
	uint64_t total = 0;

	for (nid = 0; nid < v->src->root->nr_nodes; nid++)
		total += count[nid];
	text_number(t, total, 0);
	for (nid = 0; nid < v->src->root->nr_nodes; nid++) {
		if (!count[nid])
			continue;
		text_string(t, " N");
		text_number(t, nid, 0);
		text_char(t, '=');
		text_number(t, count[nid], 0);
	}
}

/* In percent, as the kernel's file has it. */
static int show_defrag_ratio(struct text *t, const struct view *v)
{
	text_number(t, v->c->cache.remote_node_defrag_ratio / 10, 0);
	return 0;
}

/* Attributes that are a field of the cache, the same for all. */
static int show_aliases(struct text *t, const struct view *v)
{
	text_number(t, v->c->cache.refcount > 0 ? (uint64_t)(v->c->cache.refcount - 1) : 0, 0);
	return 0;
}

static int show_ctor(struct text *t, const struct view *v)
{
	const struct text_source *src = v->src;
	uint64_t n = v->c->cache.ctor;
	char name[256];
	const char *symbol = src->symbol ? src->symbol(src->context, n, name, sizeof(name)) : NULL;
	unsigned int shift;

	if (symbol) {
		text_string(t, symbol);
		return 0;
	}
	text_string(t, "0x");
	for (shift = 64; shift; shift -= 4)
		text_char(t, "0123456789abcdef"[n >> (shift - 4) & 15]);
	return 0;
}

static int show_zero(struct text *t, const struct view *v)
{
	(void)v;
	text_char(t, '0');
	return 0;
}

static int show_slabs_cpu_partial(struct text *t, const struct view *v)
{
	(void)v;
	text_string(t, "0(0)");
	return 0;
}

static int show_active(struct text *t, const struct view *v)
{
	text_number(t, active(v->c), 0);
	return 0;
}

/* Objects out of the slabs: those parked in sheaves count as in use, as in the kernel. */
static int show_objects(struct text *t, const struct view *v)
{
	uint64_t count[KMEM_MAX_NODES];
	unsigned int nid;

	for (nid = 0; nid < v->src->root->nr_nodes; nid++)
		count[nid] = v->c->node[nid].nr_taken;
	by_node(t, v, count);
	return 0;
}

static int show_total_objects(struct text *t, const struct view *v)
{
	uint64_t count[KMEM_MAX_NODES];
	unsigned int nid;

	for (nid = 0; nid < v->src->root->nr_nodes; nid++)
		count[nid] = v->c->node[nid].nr_objects;
	by_node(t, v, count);
	return 0;
}

static int show_slabs(struct text *t, const struct view *v)
{
	uint64_t count[KMEM_MAX_NODES];
	unsigned int nid;

	for (nid = 0; nid < v->src->root->nr_nodes; nid++)
		count[nid] = v->c->node[nid].nr_slabs;
	by_node(t, v, count);
	return 0;
}

static int show_partial(struct text *t, const struct view *v)
{
	uint64_t count[KMEM_MAX_NODES];
	unsigned int nid;

	for (nid = 0; nid < v->src->root->nr_nodes; nid++)
		count[nid] = v->c->node[nid].nr_partial;
	by_node(t, v, count);
	return 0;
}

/* Objects taken from the slabs of a node's partial list, which may change under our eyes. */
static int taken_from_partial(const struct view *v, const struct kmem_cache_node *n, uint64_t *count)
{
	const struct kmem_observe *root = v->src->root;
	uint64_t nr_pages = (root->arena_end - root->arena_base) >> KMEM_PAGE_SHIFT;
	uint32_t at = n->partial_head, left;

	*count = 0;
	for (left = n->nr_partial; left && at && at < nr_pages; left--) {
		struct page page;
		int rc = get(v->src, root->pages + kmem_page_place(at) * sizeof(page), &page, sizeof(page));

		if (rc)
			return rc;
		if (page.type != KMEM_PAGE_SLAB || page.cache_id != text_root_id(v->c))
			break;
		*count += page.inuse;
		at = page.next;
	}
	return 0;
}

static int show_objects_partial(struct text *t, const struct view *v)
{
	uint64_t count[KMEM_MAX_NODES];
	unsigned int nid;
	int rc = 0;

	for (nid = 0; !rc && nid < v->src->root->nr_nodes; nid++)
		rc = taken_from_partial(v, &v->c->node[nid], &count[nid]);
	if (!rc)
		by_node(t, v, count);
	return rc;
}

/* "total C0=.. N0=.. P=..": parked free objects: per CPU, in the barns of the nodes, prefilled for callers. */
static int show_cached(struct text *t, const struct view *v)
{
	const struct kmem_cache *s = &v->c->cache;
	unsigned int cpu, nid;

	text_number(t, v->c->cached, 0);
	for (cpu = 0; s->slot_offset && cpu < v->src->root->nr_cpus; cpu++) {
		uint64_t count = 0;
		int rc = slot_count(v->src, slot_addr(v->src->root, s, cpu), &count);

		if (rc)
			return rc;
		if (!count)
			continue;
		text_string(t, " C");
		text_number(t, cpu, 0);
		text_char(t, '=');
		text_number(t, count, 0);
	}
	for (nid = 0; nid < v->src->root->nr_nodes; nid++) {
		uint64_t count = 0;
		int rc = parked_on_node(v->src, &v->c->node[nid], &count);

		if (rc)
			return rc;
		if (!count)
			continue;
		text_string(t, " N");
		text_number(t, nid, 0);
		text_char(t, '=');
		text_number(t, count, 0);
	}
	if (kmem_prefill_held(s->prefill)) {
		text_string(t, " P=");
		text_number(t, kmem_prefill_held(s->prefill), 0);
	}
	return 0;
}

/* ---- the table ---- */

enum kind {
	FIELD8, FIELD16, FIELD32, /* of the cache, at `offset` */
	FLAG,                     /* bit `offset` of its flags */
	STAT,                     /* counter of the nodes, at `offset` */
	SHOW,
	ACTION,                   /* written only */
};

#define CACHE(kind, member) kind, offsetof(struct kmem_cache, member), NULL
#define FLAG_OF(bit)        FLAG, bit, NULL
#define STAT_OF(member)     STAT, offsetof(struct kmem_node_stat, member), NULL

static const struct attribute {
	const char *name;
	enum text_mode mode;
	enum kind kind;
	size_t offset;
	int (*show)(struct text *t, const struct view *v);
} attributes[] = {
	{ "active", TEXT_READ, SHOW, 0, show_active },
	{ "aliases", TEXT_READ, SHOW, 0, show_aliases },
	{ "align", TEXT_READ, CACHE(FIELD32, align) },
	{ "alloc_slab", TEXT_READ, STAT_OF(slab_alloc) },
	{ "barn_empty", TEXT_READ | TEXT_WRITE, CACHE(FIELD32, barn_empty) },
	{ "barn_full", TEXT_READ | TEXT_WRITE, CACHE(FIELD32, barn_full) },
	{ "barn_get", TEXT_READ, STAT_OF(barn_get) },
	{ "barn_get_fail", TEXT_READ, STAT_OF(barn_get_fail) },
	{ "barn_put", TEXT_READ, STAT_OF(barn_put) },
	{ "barn_put_fail", TEXT_READ, STAT_OF(barn_put_fail) },
	{ "cache_dma", TEXT_READ, FLAG_OF(KMEM_CACHE_DMA) },
	{ "cached", TEXT_READ, SHOW, 0, show_cached },
	{ "cpu_partial", TEXT_READ, SHOW, 0, show_zero },
	{ "cpu_slabs", TEXT_READ, SHOW, 0, show_zero },
	{ "ctor", TEXT_READ, SHOW, 0, show_ctor },
	{ "destroy_by_rcu", TEXT_READ, FLAG_OF(KMEM_CACHE_TYPESAFE_BY_RCU) },
	{ "failslab", TEXT_READ | TEXT_WRITE, FLAG_OF(KMEM_CACHE_FAILSLAB) },
	{ "free_slab", TEXT_READ, STAT_OF(slab_free) },
	{ "hwcache_align", TEXT_READ, FLAG_OF(KMEM_CACHE_HWCACHE_ALIGN) },
	{ "min_partial", TEXT_READ | TEXT_WRITE, CACHE(FIELD32, min_partial) },
	{ "object_size", TEXT_READ, CACHE(FIELD32, object_size) },
	{ "objects", TEXT_READ, SHOW, 0, show_objects },
	{ "objects_partial", TEXT_READ, SHOW, 0, show_objects_partial },
	{ "objs_per_slab", TEXT_READ, CACHE(FIELD16, objects) },
	{ "order", TEXT_READ | TEXT_WRITE, CACHE(FIELD8, order) },
	{ "order_fallback", TEXT_READ, STAT_OF(order_fallback) },
	{ "partial", TEXT_READ, SHOW, 0, show_partial },
	{ "poison", TEXT_READ, FLAG_OF(KMEM_CACHE_POISON) },
	{ "reclaim_account", TEXT_READ, FLAG_OF(KMEM_CACHE_RECLAIM_ACCOUNT) },
	{ "red_zone", TEXT_READ, FLAG_OF(KMEM_CACHE_RED_ZONE) },
	{ "remote_free", TEXT_READ, STAT_OF(remote_free) },
	{ "remote_node_defrag_ratio", TEXT_READ | TEXT_WRITE, SHOW, 0, show_defrag_ratio },
	{ "sanity_checks", TEXT_READ, FLAG_OF(KMEM_CACHE_CONSISTENCY_CHECKS) },
	{ "sheaf_capacity", TEXT_READ | TEXT_WRITE, CACHE(FIELD32, sheaf_capacity) },
	{ "sheaf_flush", TEXT_READ, STAT_OF(flush) },
	{ "sheaf_prefill_fast", TEXT_READ, STAT_OF(prefill_fast) },
	{ "sheaf_prefill_oversize", TEXT_READ, STAT_OF(prefill_oversize) },
	{ "sheaf_prefill_slow", TEXT_READ, STAT_OF(prefill_slow) },
	{ "sheaf_refill", TEXT_READ, STAT_OF(refill) },
	{ "sheaf_return_fast", TEXT_READ, STAT_OF(return_fast) },
	{ "sheaf_return_slow", TEXT_READ, STAT_OF(return_slow) },
	{ "shrink", TEXT_WRITE, ACTION, 0, NULL },
	{ "slab_size", TEXT_READ, CACHE(FIELD32, size) },
	{ "slabs", TEXT_READ, SHOW, 0, show_slabs },
	{ "slabs_cpu_partial", TEXT_READ, SHOW, 0, show_slabs_cpu_partial },
	{ "store_user", TEXT_READ, FLAG_OF(KMEM_CACHE_STORE_USER) },
	{ "total_objects", TEXT_READ, SHOW, 0, show_total_objects },
	{ "trace", TEXT_READ, FLAG_OF(KMEM_CACHE_TRACE) },
	{ "usersize", TEXT_READ, CACHE(FIELD32, usersize) },
	{ "validate", TEXT_WRITE, ACTION, 0, NULL },
};

const char *text_attribute_name(unsigned int nth, enum text_mode *mode)
{
	if (nth >= ARRAY_LEN(attributes))
		return NULL;
	*mode = attributes[nth].mode;
	return attributes[nth].name;
}

static const struct attribute *find(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(attributes); i++)
		if (!strcmp(attributes[i].name, name))
			return &attributes[i];
	return NULL;
}

static uint64_t field(const struct kmem_cache *s, const struct attribute *a)
{
	const char *at = (const char *)s + a->offset;
	uint32_t wide;
	uint16_t half;

	switch (a->kind) {
	case FIELD8:
		return *(const uint8_t *)at;
	case FIELD16:
		memcpy(&half, at, sizeof(half));
		return half;
	default:
		memcpy(&wide, at, sizeof(wide));
		return wide;
	}
}

static void show_stat(struct text *t, const struct view *v, size_t offset)
{
	uint64_t count[KMEM_MAX_NODES];
	unsigned int nid;

	for (nid = 0; nid < v->src->root->nr_nodes; nid++)
		memcpy(&count[nid], (const char *)&v->c->node[nid].stat + offset, sizeof(count[nid]));
	by_node(t, v, count);
}

int text_attribute(struct text *t, const struct text_source *src, const struct text_cache *c, const char *name)
{
	const struct attribute *a = find(name);
	const struct view v = { src, c };
	int rc = 0;

	if (!a)
		return -ENOENT;
	/* As the kernel's: these files read as empty. */
	if (a->kind == ACTION || (a->show == show_ctor && !c->cache.ctor))
		return 0;
	if (a->kind == SHOW)
		rc = a->show(t, &v);
	else if (a->kind == STAT)
		show_stat(t, &v, a->offset);
	else
		text_number(t, a->kind == FLAG ? !!(c->cache.flags & a->offset) : field(&c->cache, a), 0);
	text_char(t, '\n');
	return rc;
}
