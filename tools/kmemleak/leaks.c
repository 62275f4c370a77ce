/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * leaks.c - white objects, their graph, and one leader per circle.
 *
 * Tarjan's algorithm finds the strongly connected components (an object by
 * itself, or the members of a circle) and finishes a component only after
 * everything that it points to. So in the opposite order a component comes
 * after all that point to it: if by then no earlier leader has reached it,
 * nothing lost points to it, and it is a direct leak. Explicit stacks: lists of
 * millions of objects are a normal leak.
 */
#include "kmemleak/leaks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX
#define FIRST_GROUPS 64

/* An object being visited, and the word of it that comes next. */
struct frame {
	uint32_t node;
	uint64_t word;
};

struct graph {
	struct leaks *leaks;
	const struct model *m;
	const uint8_t *memory;
	uint32_t *order;     /* visit number of a node, 0 not visited */
	uint32_t *low;       /* lowest visit number reachable; NONE once its component is finished */
	struct frame *frames;
	uint32_t *open;      /* visited, component not finished */
	uint32_t *finished;  /* nodes by component; components in the order they finished */
	uint32_t *component; /* start of each component in finished[] */
	size_t nr_open, nr_finished, nr_components;
	uint32_t visits;
};

/* ---- collecting ------------------------------------------------------------------------- */

static uint64_t count_white(const struct model *m)
{
	uint64_t nr = 0;

	for (uint64_t word = 0; word < m->nr_numbers / 64; word++)
		nr += (uint64_t)__builtin_popcountll(m->white[word]);
	return nr;
}

static void collect_block(struct leaks *leaks, const struct model *m, uint32_t block)
{
	const struct model_block *b = &m->blocks[block];
	uint64_t start = m->base + ((uint64_t)b->first_page << KMEM_PAGE_SHIFT);

	for (uint32_t first = 0; first < b->nr_objects; first += 64) {
		uint64_t word = m->white[(b->first_object + first) >> 6];

		for (; word; word &= word - 1) {
			uint32_t index = first + (uint32_t)__builtin_ctzll(word);
			struct leak *leak = &leaks->list[leaks->nr];

			leak->number = b->first_object + index;
			leak->address = start + (uint64_t)index * b->stride + b->offset;
			leak->bytes = b->bytes;
			leak->block = block;
			leak->index = index;
			leak->leader = NONE;
			leaks->nr++;
		}
	}
}

/* ---- the graph -------------------------------------------------------------------------- */

/* Node of a white object, by its number: the list is in the order of numbers. */
static uint32_t node_of(const struct leaks *leaks, uint64_t number)
{
	size_t low = 0, high = leaks->nr;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (leaks->list[mid].number < number)
			low = mid + 1;
		else
			high = mid;
	}
	return (uint32_t)low;
}

static uint64_t nr_words(const struct graph *g, uint32_t node)
{
	return g->leaks->list[node].bytes / sizeof(uint64_t);
}

/* The next white object that `node` points to, from word *word on; NONE at its end. */
static uint32_t next_edge(const struct graph *g, uint32_t node, uint64_t *word)
{
	const uint64_t *words = (const uint64_t *)(const void *)(g->memory + (g->leaks->list[node].address - g->m->base));
	uint64_t end = nr_words(g, node);
	struct model_object o;

	while (*word < end)
		if (model_find(g->m, words[(*word)++], &o) && model_is_white(g->m, o.number))
			return node_of(g->leaks, o.number);
	return NONE;
}

static void visit(struct graph *g, size_t *depth, uint32_t node)
{
	g->order[node] = g->low[node] = ++g->visits;
	g->open[g->nr_open++] = node;
	g->frames[(*depth)++] = (struct frame){ .node = node };
}

/* All that `node` reaches has been seen. If nothing leads above it, it closes a component. */
static void leave(struct graph *g, uint32_t node)
{
	uint32_t member;

	if (g->low[node] != g->order[node])
		return;
	g->component[g->nr_components++] = (uint32_t)g->nr_finished;
	do {
		member = g->open[--g->nr_open];
		g->low[member] = NONE;
		g->finished[g->nr_finished++] = member;
	} while (member != node);
}

static void lower(struct graph *g, uint32_t node, uint32_t to)
{
	if (to < g->low[node])
		g->low[node] = to;
}

static void find_components(struct graph *g, uint32_t start)
{
	size_t depth = 0;

	visit(g, &depth, start);
	while (depth) {
		struct frame *top = &g->frames[depth - 1];
		uint32_t node = top->node, next = next_edge(g, node, &top->word);

		if (next == NONE) {
			uint32_t low = g->low[node];

			leave(g, node);
			if (--depth && g->low[node] != NONE)
				lower(g, g->frames[depth - 1].node, low);
		} else if (!g->order[next]) {
			visit(g, &depth, next);
		} else if (g->low[next] != NONE) {
			lower(g, node, g->order[next]);
		}
	}
}

/* Give the leader everything it reaches that has no leader yet. */
static void claim(struct graph *g, uint32_t leader)
{
	struct leak *list = g->leaks->list;
	size_t depth = 0;

	list[leader].leader = leader;
	g->frames[depth++] = (struct frame){ .node = leader };
	while (depth) {
		struct frame *top = &g->frames[depth - 1];
		uint32_t next = next_edge(g, top->node, &top->word);

		if (next == NONE) {
			depth--;
			continue;
		}
		if (list[next].leader != NONE)
			continue;
		list[next].leader = leader;
		list[leader].held_objects++;
		list[leader].held_bytes += list[next].bytes;
		g->frames[depth++] = (struct frame){ .node = next };
	}
}

static void choose_leaders(struct graph *g)
{
	size_t end = g->nr_finished;

	for (size_t i = g->nr_components; i > 0; i--) {
		size_t start = g->component[i - 1];
		uint32_t leader = g->finished[start];

		for (size_t k = start; k < end; k++)
			if (g->finished[k] < leader)
				leader = g->finished[k];
		end = start;
		if (g->leaks->list[leader].leader == NONE)
			claim(g, leader);
	}
}

static void free_graph(struct graph *g)
{
	free(g->order);
	free(g->low);
	free(g->frames);
	free(g->open);
	free(g->finished);
	free(g->component);
}

static int alloc_graph(struct graph *g, size_t nr)
{
	g->order = calloc(nr, sizeof(*g->order));
	g->low = calloc(nr, sizeof(*g->low));
	g->frames = calloc(nr, sizeof(*g->frames));
	g->open = calloc(nr, sizeof(*g->open));
	g->finished = calloc(nr, sizeof(*g->finished));
	g->component = calloc(nr, sizeof(*g->component));
	return g->order && g->low && g->frames && g->open && g->finished && g->component ? 0 : -ENOMEM;
}

int leaks_find(struct leaks *leaks, const struct model *m, const uint8_t *memory)
{
	struct graph g = { .leaks = leaks, .m = m, .memory = memory };
	uint64_t nr = count_white(m);

	memset(leaks, 0, sizeof(*leaks));
	if (!nr)
		return 0;
	leaks->list = nr < NONE ? calloc(nr, sizeof(*leaks->list)) : NULL;
	if (!leaks->list || alloc_graph(&g, nr)) {
		free_graph(&g);
		return -ENOMEM;
	}
	for (uint32_t block = 1; block < m->nr_blocks; block++)
		if (m->blocks[block].cache_id != KMEM_ID_PAGES)
			collect_block(leaks, m, block);
	for (uint32_t node = 0; node < leaks->nr; node++)
		if (!g.order[node])
			find_components(&g, node);
	choose_leaders(&g);
	free_graph(&g);
	return 0;
}

/* ---- groups ----------------------------------------------------------------------------- */

static int by_bytes(const void *a, const void *b)
{
	const struct leak_group *x = a, *y = b;
	uint64_t bytes_x = x->direct_bytes + x->indirect_bytes, bytes_y = y->direct_bytes + y->indirect_bytes;

	if (bytes_x != bytes_y)
		return bytes_x < bytes_y ? 1 : -1;
	if (x->cache_id != y->cache_id)
		return x->cache_id - y->cache_id;
	return x->call_site < y->call_site ? -1 : x->call_site > y->call_site;
}

static void count(struct leaks *leaks, struct leak_group *group, const struct leak *leak)
{
	leaks->bytes += leak->bytes;
	if (leak_is_direct(leaks, leak)) {
		leaks->nr_direct++;
		group->direct++;
		group->direct_bytes += leak->bytes;
		group->held_bytes += leak->held_bytes;
	} else {
		group->indirect++;
		group->indirect_bytes += leak->bytes;
	}
}

/* The groups while they are counted: a hash table; a slot without leaks is free. */
struct group_table {
	struct leak_group *slots;
	size_t capacity, nr; /* capacity: a power of two */
};

static bool is_used(const struct leak_group *group)
{
	return group->direct || group->indirect;
}

/* The slot of a group, used or free. */
static struct leak_group *slot_of(const struct group_table *table, uint16_t cache_id, uint64_t call_site)
{
	size_t i = (size_t)(((call_site ^ (uint64_t)cache_id << 48) * UINT64_C(0x9e3779b97f4a7c15)) >> 20);

	for (;; i++) {
		struct leak_group *slot = &table->slots[i & (table->capacity - 1)];

		if (!is_used(slot) || (slot->cache_id == cache_id && slot->call_site == call_site))
			return slot;
	}
}

static int grow_table(struct group_table *table)
{
	size_t capacity = table->capacity ? 2 * table->capacity : FIRST_GROUPS;
	struct group_table bigger = { .slots = calloc(capacity, sizeof(*bigger.slots)), .capacity = capacity };

	if (!bigger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < table->capacity; i++)
		if (is_used(&table->slots[i]))
			*slot_of(&bigger, table->slots[i].cache_id, table->slots[i].call_site) = table->slots[i];
	bigger.nr = table->nr;
	free(table->slots);
	*table = bigger;
	return 0;
}

static int add_to_group(struct leaks *leaks, struct group_table *table, uint16_t cache_id, const struct leak *leak)
{
	struct leak_group *slot;

	if (2 * table->nr >= table->capacity && grow_table(table))
		return -ENOMEM;
	slot = slot_of(table, cache_id, leak->call_site);
	table->nr += !is_used(slot);
	slot->cache_id = cache_id;
	slot->call_site = leak->call_site;
	count(leaks, slot, leak);
	return 0;
}

/* Make the table a list, most bytes first. */
static void take_groups(struct leaks *leaks, struct group_table *table)
{
	for (size_t i = 0; i < table->capacity; i++)
		if (is_used(&table->slots[i]))
			table->slots[leaks->nr_groups++] = table->slots[i];
	leaks->groups = table->slots;
	if (leaks->nr_groups)
		qsort(leaks->groups, leaks->nr_groups, sizeof(*leaks->groups), by_bytes);
}

int leaks_group(struct leaks *leaks, const struct model *m)
{
	struct group_table table = { 0 };
	int err = 0;

	free(leaks->groups);
	leaks->groups = NULL;
	leaks->nr_groups = 0;
	leaks->bytes = leaks->nr_direct = 0;
	for (size_t i = 0; i < leaks->nr && !err; i++)
		if (!leaks->list[i].hidden)
			err = add_to_group(leaks, &table, m->blocks[leaks->list[i].block].cache_id, &leaks->list[i]);
	take_groups(leaks, &table);
	return err;
}

void leaks_free(struct leaks *leaks)
{
	free(leaks->list);
	free(leaks->groups);
	memset(leaks, 0, sizeof(*leaks));
}
