/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pools.c - reading the tables of pools of a libkmem process.
 *
 * Each table is one contiguous read; a genpool's chunks are a list, and their
 * bitmaps are read for the fragmentation. Nothing that comes from the target is
 * used as a bound or an address before it has been looked at.
 */
#include "common/pools.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/heap.h"

#define MAX_ENTRIES 1000000u          /* of a table */
#define MORE_CHUNKS 16u               /* than its entry said a genpool may have by now */
#define MAX_BITS    (UINT64_C(1) << 31) /* of all chunks of a genpool: 256 MiB of bitmaps */
#define WORDS       1024u             /* of a bitmap at a time */

static const char *const kind_names[POOL_NR_KINDS] = {
	[POOL_MEMPOOL] = "mempool",
	[POOL_GENPOOL] = "genpool",
	[POOL_REGION] = "mp_pool",
	[POOL_PERCPU] = "percpu",
};

static const char *const field_keys[POOL_NR_FIELDS] = {
	[POOL_UNIT] = "unit_bytes",
	[POOL_SIZE] = "size",
	[POOL_CURRENT] = "current",
	[POOL_LOW] = "low_water",
	[POOL_PEAK] = "peak",
	[POOL_ALLOCS] = "allocs",
	[POOL_FREES] = "frees",
	[POOL_WAITING] = "waiting",
	[POOL_WAITS] = "waits",
	[POOL_WAIT_NS] = "wait_ns",
	[POOL_LONGEST_NS] = "longest_wait_ns",
	[POOL_FAILURES] = "failures",
	[POOL_FRAGMENTATION] = "fragmentation_per_mille",
};

const char *pool_kind_name(enum pool_kind kind)
{
	return kind_names[kind];
}

const char *pool_field_key(enum pool_field field)
{
	return field_keys[field];
}

void pools_clear(struct pools *pools)
{
	pools->nr = 0;
}

void pools_free(struct pools *pools)
{
	free(pools->pool);
	*pools = (struct pools){ 0 };
}

/* ---- one pool -------------------------------------------------------------------------------- */

static struct pool *append(struct pools *pools, const struct row_source *source, enum pool_kind kind, const char *name,
			   uint64_t address)
{
	struct pool *p;

	if (pools->nr == pools->room) {
		size_t room = pools->room ? 2 * pools->room : 64;
		void *more = realloc(pools->pool, room * sizeof(*pools->pool));

		if (!more)
			return NULL;
		pools->pool = more;
		pools->room = room;
	}
	p = &pools->pool[pools->nr];
	*p = (struct pool){
		.source = source,
		.kind = kind,
		.below = "",
		.index = (uint32_t)pools->nr++,
		.address = address,
	};
	memcpy(p->name, name, strnlen(name, sizeof(p->name) - 1));
	return p;
}

static void set(struct pool *p, enum pool_field field, uint64_t value)
{
	p->value[field] = value;
	p->known |= 1u << field;
}

/* Elements in reserve cannot be fewer than none, whatever stands there. */
static uint64_t count(int32_t n)
{
	return n > 0 ? (uint64_t)n : 0;
}

static int add_mempool(struct pools *pools, const struct row_source *source, struct heap *heap, const void *entry)
{
	static const char *const below[] = { "custom", "slab", "kmalloc", "kvmalloc", "pages" };
	const struct kmem_mempool *m = entry;
	struct pool *p;

	(void)heap;
	if (m->state != KMEM_POOL_LIVE)
		return 0;
	p = append(pools, source, POOL_MEMPOOL, m->name, m->pool);
	if (!p)
		return -ENOMEM;
	p->below = m->kind < sizeof(below) / sizeof(*below) ? below[m->kind] : "?";
	if (m->element_bytes)
		set(p, POOL_UNIT, m->element_bytes);
	set(p, POOL_SIZE, count(m->min_nr));
	set(p, POOL_CURRENT, count(m->curr_nr));
	set(p, POOL_LOW, count(m->low_water));
	set(p, POOL_ALLOCS, m->reserve_hits);
	set(p, POOL_FREES, m->refills);
	set(p, POOL_WAITING, m->nr_waiting);
	set(p, POOL_WAITS, m->waits);
	set(p, POOL_WAIT_NS, m->wait_ns);
	set(p, POOL_LONGEST_NS, m->longest_wait_ns);
	set(p, POOL_FAILURES, m->failures);
	return 0;
}

static int add_region(struct pools *pools, const struct row_source *source, struct heap *heap, const void *entry)
{
	const struct kmem_mp_pool *m = entry;
	struct pool *p;

	(void)heap;
	if (m->state != KMEM_POOL_LIVE)
		return 0;
	p = append(pools, source, POOL_REGION, m->name, m->pool);
	if (!p)
		return -ENOMEM;
	p->below = m->fixed ? "fixed" : "growing";
	set(p, POOL_UNIT, m->node_bytes);
	set(p, POOL_SIZE, m->held);
	set(p, POOL_CURRENT, kmem_mp_pool_current(m));
	set(p, POOL_PEAK, kmem_mp_pool_peak(m));
	set(p, POOL_ALLOCS, m->allocs);
	set(p, POOL_FREES, m->frees);
	set(p, POOL_FAILURES, m->failures);
	return 0;
}

/* ---- genpools --------------------------------------------------------------------------------- */

/* What is known of a genpool after walking some of its chunks. */
struct walk {
	uint64_t size, avail, allocs, frees;
	uint64_t bits, free_bits, longest; /* granules */
	uint64_t run;                      /* that goes on at the end of what was read */
};

static void see_word(struct walk *w, uint64_t word, unsigned int bits)
{
	if (word == UINT64_MAX) {
		w->run = 0;
		return;
	}
	if (!word) {
		w->run += bits;
		w->free_bits += bits;
		w->longest = w->run > w->longest ? w->run : w->longest;
		return;
	}
	for (unsigned int i = 0; i < bits; i++) {
		w->run = word >> i & 1 ? 0 : w->run + 1;
		w->free_bits += w->run != 0;
		w->longest = w->run > w->longest ? w->run : w->longest;
	}
}

static int see_bits(struct walk *w, struct target *t, uint64_t addr, uint64_t nr_bits)
{
	uint64_t word[WORDS];

	w->run = 0;
	w->bits += nr_bits;
	if (w->bits > MAX_BITS)
		return 0;
	for (uint64_t at = 0; at < nr_bits; at += WORDS * 64u) {
		uint64_t bits = nr_bits - at < WORDS * 64u ? nr_bits - at : WORDS * 64u;
		int err = target_read(t, addr + at / 8, word, (size_t)(bits + 63) / 64 * sizeof(*word));

		if (err)
			return err;
		for (uint64_t i = 0; i * 64 < bits; i++)
			see_word(w, word[i], bits - i * 64 < 64 ? (unsigned int)(bits - i * 64) : 64);
	}
	return 0;
}

/* A chunk that was freed meanwhile holds anything. */
static bool is_chunk(const struct kmem_genpool_chunk *c, unsigned int order)
{
	return c->start_addr && c->end_addr >= c->start_addr && c->nr_bits == (c->end_addr - c->start_addr + 1) >> order;
}

static int walk_chunks(struct walk *w, struct target *t, const struct kmem_genpool *g)
{
	struct kmem_genpool_chunk chunk;
	uint64_t addr = g->chunks;

	*w = (struct walk){ 0 };
	for (uint64_t i = 0; addr && i < (uint64_t)g->nr_chunks + MORE_CHUNKS; i++, addr = chunk.next) {
		int err = target_read(t, addr, &chunk, sizeof(chunk));

		if (!err && !is_chunk(&chunk, g->min_alloc_order & 63))
			err = -EFAULT;
		if (!err)
			err = see_bits(w, t, addr + sizeof(chunk), chunk.nr_bits);
		if (err)
			return err;
		w->size += chunk.end_addr - chunk.start_addr + 1;
		w->avail += (uint64_t)chunk.avail;
		w->allocs += chunk.allocs;
		w->frees += chunk.frees;
	}
	return 0;
}

/* The pool may be destroyed while its chunks are read: then there is none. */
static int add_genpool(struct pools *pools, const struct row_source *source, struct heap *heap, const void *entry)
{
	const struct kmem_genpool *g = entry;
	struct walk w;
	struct pool *p;
	int err;

	if (g->state == KMEM_POOL_FREE)
		return 0;
	err = walk_chunks(&w, heap->target, g);
	if (err)
		return err == -EFAULT ? 0 : err;
	p = append(pools, source, POOL_GENPOOL, g->name, g->pool);
	if (!p)
		return -ENOMEM;
	p->below = g->state == KMEM_POOL_DEAD ? "destroyed" : "";
	set(p, POOL_UNIT, UINT64_C(1) << (g->min_alloc_order & 63));
	set(p, POOL_SIZE, w.size);
	set(p, POOL_CURRENT, w.size > w.avail ? w.size - w.avail : 0);
	set(p, POOL_ALLOCS, w.allocs);
	set(p, POOL_FREES, w.frees);
	set(p, POOL_FAILURES, g->failures);
	if (w.bits <= MAX_BITS)
		set(p, POOL_FRAGMENTATION, w.free_bits ? (w.free_bits - w.longest) * 1000 / w.free_bits : 0);
	return 0;
}

/* ---- tables ------------------------------------------------------------------------------------ */

static int damaged(struct heap *heap)
{
	return target_fail(heap->target, -EPROTO,
			   "PID %d (%s): the tables of pools are damaged, or of another release of libkmem",
			   heap->target->pid, heap->target->comm);
}

struct table {
	uint64_t address;
	uint32_t nr, entry_bytes;
	size_t expected;
	int (*add)(struct pools *pools, const struct row_source *source, struct heap *heap, const void *entry);
};

static int add_table(struct pools *pools, const struct row_source *source, struct heap *heap, const struct table *table)
{
	uint8_t *entries;
	int err;

	if (!table->nr)
		return 0;
	if (table->nr > MAX_ENTRIES || table->entry_bytes != table->expected)
		return damaged(heap);
	entries = malloc(table->nr * table->expected);
	if (!entries)
		return -ENOMEM;
	err = target_read(heap->target, table->address, entries, table->nr * table->expected);
	if (err == -EFAULT)
		err = damaged(heap);
	for (uint32_t i = 0; !err && i < table->nr; i++)
		err = table->add(pools, source, heap, entries + i * table->expected);
	free(entries);
	return err;
}

static int add_percpu(struct pools *pools, const struct row_source *source, const struct kmem_pools *root)
{
	struct pool *p;

	if (!root->percpu)
		return 0;
	p = append(pools, source, POOL_PERCPU, "alloc_percpu", root->percpu);
	if (!p)
		return -ENOMEM;
	set(p, POOL_SIZE, root->percpu_end - root->percpu);
	set(p, POOL_CURRENT, root->percpu_used);
	set(p, POOL_ALLOCS, root->percpu_allocs);
	set(p, POOL_FREES, root->percpu_frees);
	return 0;
}

int pools_add_heap(struct pools *pools, const struct row_source *source, struct heap *heap)
{
	struct kmem_pools root;
	int err;

	if (!heap->root.pools)
		return 0;
	err = target_read(heap->target, heap->root.pools, &root, sizeof(root));
	if (err)
		return err == -EFAULT ? damaged(heap) : err;
	if (root.size != sizeof(root))
		return damaged(heap);
	const struct table tables[] = {
		{ root.mempools, root.nr_mempools, root.mempool_bytes, sizeof(struct kmem_mempool), add_mempool },
		{ root.genpools, root.nr_genpools, root.genpool_bytes, sizeof(struct kmem_genpool), add_genpool },
		{ root.mp_pools, root.nr_mp_pools, root.mp_pool_bytes, sizeof(struct kmem_mp_pool), add_region },
	};
	for (size_t i = 0; !err && i < sizeof(tables) / sizeof(*tables); i++)
		err = add_table(pools, source, heap, &tables[i]);
	if (!err)
		err = add_percpu(pools, source, &root);
	return err == -ENOMEM ? target_fail(heap->target, err, "out of memory") : err;
}

/* ---- sorting ------------------------------------------------------------------------------------ */

static struct {
	enum pool_field field; /* POOL_NR_FIELDS: none */
	bool by_name;
	int sign;
} order;

static int compare_values(const struct pool *a, const struct pool *b)
{
	bool knows_a = pool_known(a, order.field), knows_b = pool_known(b, order.field);

	if (!knows_a || !knows_b)
		return (int)knows_b - (int)knows_a;
	if (a->value[order.field] == b->value[order.field])
		return 0;
	return (a->value[order.field] < b->value[order.field] ? 1 : -1) * order.sign;
}

static int compare(const void *left, const void *right)
{
	const struct pool *a = left, *b = right;
	int result = 0;

	if (order.by_name)
		result = strcmp(a->name, b->name) * order.sign;
	else if (order.field != POOL_NR_FIELDS)
		result = compare_values(a, b);
	return result ? result : (int)a->index - (int)b->index;
}

void pools_sort(struct pools *pools, char key, bool reverse)
{
	static const char keys[POOL_NR_FIELDS] = {
		[POOL_SIZE] = 'c', [POOL_CURRENT] = 'a', [POOL_ALLOCS] = 'i', [POOL_FREES] = 'f',
		[POOL_LONGEST_NS] = 'l', [POOL_FRAGMENTATION] = 'u',
	};

	key = (char)tolower((unsigned char)key);
	order.field = POOL_NR_FIELDS;
	order.by_name = key == 'n';
	order.sign = reverse ? -1 : 1;
	for (unsigned int field = 0; field < POOL_NR_FIELDS; field++)
		if (keys[field] == key)
			order.field = (enum pool_field)field;
	if (pools->nr)
		qsort(pools->pool, pools->nr, sizeof(*pools->pool), compare);
}
