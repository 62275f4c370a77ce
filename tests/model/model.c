/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * model.c - operations on the allocator beside a table of what must be true: no
 * two live things overlap, each is aligned, zeroed or constructed as promised,
 * keeps what was written into it, and the counters count.
 */
#include "model/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kmem/info.h>
#include <kmem/options.h>
#include <kmem/page.h>
#include <kmem/slab.h>

#include "model/audit.h"

enum { SLOTS = 1024, CACHES = 12, BULK = 48 };
#define MAX_LIVE ((size_t)192 << 20)

#define CHECK(condition, ...)                                                     \
	do {                                                                      \
		if (!(condition)) {                                               \
			fprintf(stderr, "model: %s: ", #condition);               \
			fprintf(stderr, __VA_ARGS__);                             \
			fputc('\n', stderr);                                      \
			abort();                                                  \
		}                                                                 \
	} while (0)

enum kind { NOTHING, OBJECT, KMALLOC, PAGES, EXACT, LARGE };

struct thing {
	enum kind kind;
	uint8_t *at;
	size_t bytes;        /* that its owner may use */
	uint64_t tag;        /* what it wrote */
	unsigned int detail; /* cache or order */
};

struct cache {
	struct kmem_cache *s;
	unsigned int size, align;
	bool ctor, debug;
	uint64_t live;
};

struct model {
	struct thing things[SLOTS];
	struct cache caches[CACHES];
	struct interval { uintptr_t start, end; } intervals[SLOTS]; /* of live things, by address */
	unsigned int nr_intervals;
	size_t live_bytes;
	uint64_t tags;
};

/* ---- contents ---- */

#define CTOR_WORD UINT64_C(0x636f6e7374727563)

static void construct(void *object)
{
	uint64_t word = CTOR_WORD;

	memcpy(object, &word, sizeof(word));
}

/* Constructed objects keep their first word. */
static size_t first_byte(const struct model *m, const struct thing *thing)
{
	return thing->kind == OBJECT && m->caches[thing->detail].ctor ? sizeof(uint64_t) : 0;
}

static uint64_t word_of(const struct thing *thing, size_t offset)
{
	return (thing->tag + offset) * UINT64_C(0x9e3779b97f4a7c15);
}

/* All of small things; of others the start, a word in every page, and the end. */
static size_t next_offset(const struct thing *thing, size_t offset)
{
	if (offset < 256 || offset + 72 >= thing->bytes)
		return offset + 8;
	offset += 4096 - 8;
	return offset + 72 >= thing->bytes ? thing->bytes - 64 : offset;
}

static void fill(const struct model *m, const struct thing *thing)
{
	size_t offset;

	for (offset = first_byte(m, thing); offset < thing->bytes; offset = next_offset(thing, offset)) {
		uint64_t word = word_of(thing, offset);

		memcpy(thing->at + offset, &word, thing->bytes - offset < 8 ? thing->bytes - offset : 8);
	}
}

static void check_contents(const struct model *m, const struct thing *thing, size_t bytes)
{
	size_t offset;

	for (offset = first_byte(m, thing); offset < thing->bytes; offset = next_offset(thing, offset)) {
		uint64_t word = word_of(thing, offset);
		size_t len = thing->bytes - offset < 8 ? thing->bytes - offset : 8;

		if (offset + len > bytes)
			break;
		CHECK(!memcmp(thing->at + offset, &word, len), "%p kind %d: byte %zu of %zu was overwritten",
		      (void *)thing->at, thing->kind, offset, thing->bytes);
	}
	if (first_byte(m, thing))
		CHECK(*(const uint64_t *)(const void *)thing->at == CTOR_WORD, "%p: the constructed word is gone",
		      (void *)thing->at);
}

static void check_zero(const uint8_t *at, size_t bytes)
{
	CHECK(!bytes || (!at[0] && !memcmp(at, at + 1, bytes - 1)), "%p: not zeroed", (const void *)at);
}

/* ---- where things lie ---- */

/* Number of intervals that begin before `start`. */
static unsigned int position(const struct model *m, uintptr_t start)
{
	unsigned int low = 0, high = m->nr_intervals;

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if (m->intervals[middle].start < start)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void claim(struct model *m, const struct thing *thing)
{
	uintptr_t start = (uintptr_t)thing->at, end = start + thing->bytes;
	unsigned int at = position(m, start);

	CHECK(!at || m->intervals[at - 1].end <= start, "%p overlaps what is live below", (void *)thing->at);
	CHECK(at == m->nr_intervals || m->intervals[at].start >= end, "%p overlaps what is live above", (void *)thing->at);
	memmove(&m->intervals[at + 1], &m->intervals[at], (m->nr_intervals - at) * sizeof(m->intervals[0]));
	m->intervals[at] = (struct interval){ start, end };
	m->nr_intervals++;
	m->live_bytes += thing->bytes;
}

static void disclaim(struct model *m, const struct thing *thing)
{
	unsigned int at = position(m, (uintptr_t)thing->at);

	CHECK(at < m->nr_intervals && m->intervals[at].start == (uintptr_t)thing->at, "%p is not known", (void *)thing->at);
	memmove(&m->intervals[at], &m->intervals[at + 1], (m->nr_intervals - at - 1) * sizeof(m->intervals[0]));
	m->nr_intervals--;
	m->live_bytes -= thing->bytes;
}

/* ---- one thing ---- */

static void adopt(struct model *m, uint32_t slot, enum kind kind, void *p, size_t bytes, unsigned int detail,
		  size_t align)
{
	struct thing *thing = &m->things[slot];

	CHECK(p, "kind %d of %zu bytes: out of memory with %zu bytes live", kind, bytes, m->live_bytes);
	CHECK((uintptr_t)p % align == 0, "%p kind %d of %zu bytes is not aligned to %zu", p, kind, bytes, align);
	*thing = (struct thing){ kind, p, bytes, ++m->tags * 4096, detail };
	if (first_byte(m, thing))
		CHECK(*(uint64_t *)p == CTOR_WORD, "%p: not constructed, or its state is lost", p);
	claim(m, thing);
	fill(m, thing);
}

static void release(struct model *m, struct thing *thing)
{
	check_contents(m, thing, thing->bytes);
	disclaim(m, thing);
	if (thing->kind == OBJECT)
		m->caches[thing->detail].live--;
	thing->kind = NOTHING;
}

static void free_slot(struct model *m, uint32_t slot)
{
	struct thing *thing = &m->things[slot], was = *thing;

	if (thing->kind == NOTHING)
		return;
	release(m, thing);
	switch (was.kind) {
	case OBJECT:
		/* Both forms are right for an object; where names share slabs, only one counts for the right name. */
		if (was.tag & 4096 || kmem_options()->merge)
			kmem_cache_free(m->caches[was.detail].s, was.at);
		else
			kfree(was.at);
		break;
	case PAGES:
		__free_pages(virt_to_page(was.at), was.detail);
		break;
	case EXACT:
		free_pages_exact(was.at, was.bytes);
		break;
	case LARGE:
		kvfree(was.at);
		break;
	default:
		kfree(was.at);
	}
}

static bool has_room(const struct model *m, size_t bytes)
{
	return m->live_bytes + bytes < MAX_LIVE;
}

/* ---- the operations: slot, a, b ---- */

static size_t kmalloc_align(size_t size)
{
	size_t bucket = kmalloc_size_roundup(size);

	return size > 4096 ? 4096 : bucket & (0 - bucket);
}

static void do_kmalloc(struct model *m, const struct operation *op)
{
	size_t size = op->a;
	gfp_t gfp = GFP_KERNEL | (op->b & 1 ? __GFP_ZERO : 0) | (op->b & 2 ? __GFP_RECLAIMABLE : 0);
	void *p;

	free_slot(m, op->slot);
	if (!has_room(m, size))
		return;
	p = kmalloc(size, gfp);
	if (!size) {
		CHECK(p == ZERO_SIZE_PTR, "kmalloc(0) is %p", p);
		kfree(p);
		return;
	}
	CHECK(p && ksize(p) >= size, "ksize %zu of %zu", p ? ksize(p) : 0, size);
	if (op->b & 1)
		check_zero(p, size);
	adopt(m, op->slot, KMALLOC, p, op->b & 4 ? ksize(p) : size, 0, kmalloc_align(size));
}

static void do_krealloc(struct model *m, const struct operation *op)
{
	struct thing *thing = &m->things[op->slot], was = *thing;
	size_t size = op->a;
	void *p;

	if (thing->kind != KMALLOC || !size || !has_room(m, size))
		return;
	check_contents(m, thing, thing->bytes);
	p = krealloc(was.at, size, GFP_KERNEL);
	CHECK(p, "krealloc %zu", size);
	disclaim(m, thing);
	was.at = p;
	check_contents(m, &was, was.bytes < size ? was.bytes : size);
	adopt(m, op->slot, KMALLOC, p, size, 0, 8);
}

static void do_pages(struct model *m, const struct operation *op)
{
	unsigned int order = op->a % NR_PAGE_ORDERS;
	gfp_t gfp = GFP_KERNEL | (op->b & 1 ? __GFP_ZERO : 0) | (op->b & 2 ? __GFP_MOVABLE : 0) |
		    (op->b & 4 ? __GFP_COMP : 0);
	struct page *page;

	free_slot(m, op->slot);
	if (!has_room(m, PAGE_SIZE << order))
		return;
	page = alloc_pages(gfp, order);
	CHECK(page && page_count(page) == 1, "order %u", order);
	if (op->b & 1)
		check_zero(page_address(page), PAGE_SIZE << order);
	adopt(m, op->slot, PAGES, page_address(page), PAGE_SIZE << order, order, PAGE_SIZE << order);
}

static void do_exact(struct model *m, const struct operation *op)
{
	size_t size = op->a % (300 * 1024) + 1;

	free_slot(m, op->slot);
	if (has_room(m, size))
		adopt(m, op->slot, EXACT, alloc_pages_exact(size, GFP_KERNEL), size, 0, PAGE_SIZE);
}

static void do_large(struct model *m, const struct operation *op)
{
	size_t size = (size_t)op->a % (6 << 20) + 1;
	void *p;

	free_slot(m, op->slot);
	if (!has_room(m, size))
		return;
	p = kvmalloc(size, op->b & 1 ? GFP_KERNEL | __GFP_ZERO : GFP_KERNEL);
	if (p && op->b & 1)
		check_zero(p, size);
	adopt(m, op->slot, LARGE, p, size, 0, 8);
}

static void do_free(struct model *m, const struct operation *op)
{
	free_slot(m, op->slot);
}

static struct cache *cache_of(struct model *m, uint32_t number)
{
	struct cache *c = &m->caches[number % CACHES];

	return c->s ? c : NULL;
}

static void do_object(struct model *m, const struct operation *op)
{
	struct cache *c = cache_of(m, op->a);
	bool zero = op->b & 1 && c && !c->ctor;
	void *p;

	free_slot(m, op->slot);
	if (!c || !has_room(m, c->size))
		return;
	p = kmem_cache_alloc(c->s, zero ? GFP_KERNEL | __GFP_ZERO : GFP_KERNEL);
	if (p && zero)
		check_zero(p, c->size);
	adopt(m, op->slot, OBJECT, p, c->size, op->a % CACHES, c->align);
	c->live++;
}

static void check_counters(struct model *m)
{
	uint32_t i;

	for (i = 0; i < CACHES; i++) {
		struct kmem_cache_stat stat;

		if (!m->caches[i].s)
			continue;
		kmem_cache_stat(m->caches[i].s, &stat);
		CHECK(stat.active == m->caches[i].live && stat.allocs - stat.frees == m->caches[i].live,
		      "cache %u: active %lu, allocs - frees %lu, live %lu", i, stat.active, stat.allocs - stat.frees,
		      m->caches[i].live);
		CHECK(stat.active + stat.cached <= stat.objects, "cache %u: more objects than fit", i);
	}
}

/* From a node of choice, one that may not exist among them. */
static void do_node(struct model *m, const struct operation *op)
{
	struct cache *c = cache_of(m, op->a);
	void *p;

	free_slot(m, op->slot);
	if (!c || !has_room(m, c->size))
		return;
	p = kmem_cache_alloc_node(c->s, GFP_KERNEL, (int)(op->b % 3) - 1);
	adopt(m, op->slot, OBJECT, p, c->size, op->a % CACHES, c->align);
	c->live++;
}

/* Reserve some, use a part of them, give the rest back. */
static void do_sheaf(struct model *m, const struct operation *op)
{
	struct cache *c = cache_of(m, op->a);
	uint32_t nr = op->b % BULK + 1, used = (op->b >> 8) % (nr + 1), i;
	struct slab_sheaf *sheaf;

	if (!c || op->slot + nr > SLOTS || !has_room(m, (size_t)c->size * nr))
		return;
	for (i = 0; i < used; i++)
		free_slot(m, op->slot + i);
	sheaf = kmem_cache_prefill_sheaf(c->s, GFP_KERNEL, nr);
	CHECK(sheaf && kmem_cache_sheaf_size(sheaf) >= nr, "a sheaf of %u", nr);
	for (i = 0; i < used; i++) {
		void *p = kmem_cache_alloc_from_sheaf(c->s, GFP_NOWAIT, sheaf);

		adopt(m, op->slot + i, OBJECT, p, c->size, op->a % CACHES, c->align);
		c->live++;
	}
	if (!c->debug) /* whose objects are allocated when the sheaf is filled */
		check_counters(m);
	if (op->b & 1 << 16)
		CHECK(!kmem_cache_refill_sheaf(c->s, GFP_KERNEL, &sheaf, nr), "refill to %u", nr);
	kmem_cache_return_sheaf(c->s, GFP_KERNEL, sheaf);
}

static void do_bulk(struct model *m, const struct operation *op)
{
	struct cache *c = cache_of(m, op->a);
	uint32_t nr = op->b % BULK + 1, i;
	void *objects[BULK];

	if (!c || op->slot + nr > SLOTS || !has_room(m, (size_t)c->size * nr))
		return;
	for (i = 0; i < nr; i++)
		free_slot(m, op->slot + i);
	CHECK(kmem_cache_alloc_bulk(c->s, GFP_KERNEL, nr, objects) == (int)nr, "bulk of %u", nr);
	for (i = 0; i < nr; i++)
		adopt(m, op->slot + i, OBJECT, objects[i], c->size, op->a % CACHES, c->align);
	c->live += nr;
}

/* Objects of one cache, or of kmalloc and all caches at once, from a slot on. */
static void do_bulk_free(struct model *m, const struct operation *op)
{
	struct cache *c = op->b & 1 ? NULL : cache_of(m, op->a);
	void *objects[BULK];
	size_t nr = 0;
	uint32_t i;

	for (i = op->slot; i < SLOTS && nr < BULK; i++) {
		struct thing *thing = &m->things[i];

		if (c ? thing->kind != OBJECT || &m->caches[thing->detail] != c
		      : (thing->kind != OBJECT || kmem_options()->merge) && thing->kind != KMALLOC)
			continue;
		objects[nr++] = thing->at;
		release(m, thing);
	}
	if (nr)
		kmem_cache_free_bulk(c ? c->s : NULL, nr, objects);
}

static void destroy(struct model *m, uint32_t number)
{
	struct cache *c = &m->caches[number];
	uint32_t i;

	if (!c->s)
		return;
	for (i = 0; i < SLOTS; i++)
		if (m->things[i].kind == OBJECT && m->things[i].detail == number)
			free_slot(m, i);
	CHECK(kmem_cache_destroy(c->s) == 0, "cache %u has %lu live objects by our count", number, c->live);
	c->s = NULL;
}

/* One cache in eight has some of the debug flags. */
static slab_flags_t random_flags(uint32_t bits)
{
	static const slab_flags_t flag[] = { SLAB_CONSISTENCY_CHECKS, SLAB_RED_ZONE, SLAB_POISON, SLAB_STORE_USER };
	slab_flags_t flags = bits & 1024 ? SLAB_HWCACHE_ALIGN : 0;
	unsigned int i;

	for (i = 0; i < 4 && !(bits >> 11 & 7); i++)
		flags |= bits >> (14 + i) & 1 ? flag[i] : 0;
	return flags;
}

/* With merging, sizes of which many pairs are alike. */
static uint32_t like_size(uint32_t random)
{
	return random % 3 * 400 + 93 + random / 3 % 8;
}

static void do_create(struct model *m, const struct operation *op)
{
	uint32_t number = op->slot % CACHES;
	struct cache *c = &m->caches[number];
	unsigned int align = 1u << op->b % 9;
	slab_flags_t flags;
	char name[32];

	destroy(m, number);
	snprintf(name, sizeof(name), "model-%u", number);
	*c = (struct cache){ .size = kmem_options()->merge ? like_size(op->a) : op->a % 5000 + 1, .align = align < 8 ? 8 : align };
	c->ctor = c->size >= sizeof(uint64_t) && op->b & 512;
	flags = random_flags(op->b);
	c->debug = (flags & ~SLAB_HWCACHE_ALIGN) || getenv("KMEM_SLAB_DEBUG");
	c->s = kmem_cache_create(name, c->size, align, flags, c->ctor ? construct : NULL);
	CHECK(c->s, "cache of %u bytes aligned to %u", c->size, align);
}

static void do_destroy(struct model *m, const struct operation *op)
{
	destroy(m, op->slot % CACHES);
}

static void do_shrink(struct model *m, const struct operation *op)
{
	struct cache *c = cache_of(m, op->slot);
	int left;

	if (!c)
		return;
	left = kmem_cache_shrink(c->s);
	/* Slabs of merged caches may be full of what other names have. */
	CHECK(left == (c->live != 0) || (left && kmem_options()->merge), "shrink says %d with %lu objects live", left, c->live);
}

static void do_drain(struct model *m, const struct operation *op)
{
	(void)m;
	if (op->a & 1)
		drain_all_pages();
	else
		kmem_page_purge(op->b % 12);
}

static void do_check(struct model *m, const struct operation *op)
{
	(void)op;
	model_check(m);
}

/* ---- the table ---- */

static const struct {
	const char *name;
	void (*run)(struct model *m, const struct operation *op);
	unsigned int weight; /* of 10000 */
} table[] = {
	{ "kmalloc", do_kmalloc, 2400 }, { "free", do_free, 2400 }, { "object", do_object, 2850 },
	{ "node", do_node, 400 }, { "sheaf", do_sheaf, 100 },
	{ "krealloc", do_krealloc, 400 }, { "bulk", do_bulk, 150 }, { "bulk_free", do_bulk_free, 150 },
	{ "pages", do_pages, 900 }, { "exact", do_exact, 150 }, { "create", do_create, 20 },
	{ "destroy", do_destroy, 10 }, { "shrink", do_shrink, 20 }, { "drain", do_drain, 10 },
	{ "large", do_large, 30 }, { "check", do_check, 10 },
};

struct model *model_new(void)
{
	struct model *m = calloc(1, sizeof(*m));
	struct operation op = { 0, 0, 0, 0 };

	CHECK(m, "no memory for the model");
	for (op.slot = 0; op.slot < CACHES / 2; op.slot++) {
		op.a = 1u << (op.slot + 3);
		op.b = op.slot;
		do_create(m, &op);
	}
	return m;
}

static uint64_t mix(uint64_t n)
{
	n = (n ^ n >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	n = (n ^ n >> 27) * UINT64_C(0x94d049bb133111eb);
	return n ^ n >> 31;
}

/* Mostly small; every power of two is met from both sides. */
static uint32_t random_size(uint64_t n)
{
	uint32_t size = 1u << n % 14;

	if (n >> 8 & 1)
		return size - 1 + (uint32_t)(n >> 16 & 2);
	if (!(n >> 9 & 63))
		return (uint32_t)(n >> 16) % (128 * 1024);
	return (uint32_t)(n >> 16) % size + 1;
}

struct operation model_operation(uint64_t seed, uint64_t i)
{
	uint64_t n = mix(seed * UINT64_C(0x9e3779b97f4a7c15) + i), more = mix(n + 1);
	unsigned int pick = (unsigned int)(n % 10000), type = 0;
	struct operation op;

	while (type < sizeof(table) / sizeof(table[0]) - 1 && pick >= table[type].weight)
		pick -= table[type++].weight;
	op.type = type;
	op.slot = (uint32_t)(n >> 32) % SLOTS;
	op.a = random_size(more);
	op.b = (uint32_t)(more >> 40);
	if (table[type].run == do_pages) /* small orders most of the time */
		op.a = (uint32_t)__builtin_ctzll(more | 1u << 10);
	if (table[type].run == do_large || table[type].run == do_exact)
		op.a = (uint32_t)more;
	if (table[type].run == do_object || table[type].run == do_bulk || table[type].run == do_bulk_free ||
	    table[type].run == do_node || table[type].run == do_sheaf)
		op.a = (uint32_t)more % CACHES;
	return op;
}

void model_run(struct model *m, const struct operation *op)
{
	table[op->type].run(m, op);
}

void model_check(struct model *m)
{
	uint32_t i;

	for (i = 0; i < SLOTS; i++)
		if (m->things[i].kind != NOTHING)
			check_contents(m, &m->things[i], m->things[i].bytes);
	check_counters(m);
}

void model_end(struct model *m)
{
	uint32_t i;

	model_check(m);
	for (i = 0; i < SLOTS; i++)
		free_slot(m, i);
	check_counters(m);
	for (i = 0; i < CACHES; i++)
		destroy(m, i);
	CHECK(!m->nr_intervals && !m->live_bytes, "%u things left", m->nr_intervals);
	free(m);
}

void model_validate(void)
{
	audit();
}

void model_print(const struct operation *op, char *buf, size_t bytes)
{
	snprintf(buf, bytes, "%s slot=%u a=%u b=%u", table[op->type].name, op->slot, op->a, op->b);
}

bool model_parse(const char *line, struct operation *op)
{
	char name[16];

	if (sscanf(line, "%15s slot=%u a=%u b=%u", name, &op->slot, &op->a, &op->b) != 4 || op->slot >= SLOTS)
		return false;
	for (op->type = 0; op->type < sizeof(table) / sizeof(table[0]); op->type++)
		if (!strcmp(table[op->type].name, name))
			return true;
	return false;
}
