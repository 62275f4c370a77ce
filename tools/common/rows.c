/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rows.c - filling, comparing, summing and sorting rows.
 */
#include "common/rows.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/heap.h"
#include "kmem_cache_info.h"

static const char *const keys[ROW_NR_FIELDS] = {
	[ROW_OBJECTS] = "objects",
	[ROW_ACTIVE] = "active",
	[ROW_SLABS] = "slabs",
	[ROW_ACTIVE_SLABS] = "active_slabs",
	[ROW_OBJECT_SIZE] = "object_size_bytes",
	[ROW_SIZE] = "size_bytes",
	[ROW_OBJECTS_PER_SLAB] = "objects_per_slab",
	[ROW_PAGES_PER_SLAB] = "pages_per_slab",
	[ROW_BYTES] = "cache_bytes",
	[ROW_CACHED] = "cached",
	[ROW_PARTIAL] = "partial_slabs",
	[ROW_ALLOCS] = "allocs",
	[ROW_FREES] = "frees",
	[ROW_REFILLS] = "refills",
	[ROW_FLUSHES] = "flushes",
	[ROW_BARN_GETS] = "barn_gets",
	[ROW_FAILURES] = "failures",
	[ROW_ALLOC_RATE] = "allocs_per_second",
	[ROW_FREE_RATE] = "frees_per_second",
};

const char *row_field_key(enum row_field field)
{
	return keys[field];
}

bool row_use_percent(const struct row *row, uint64_t *percent)
{
	uint64_t objects = row->value[ROW_OBJECTS];

	if (!row_known(row, ROW_OBJECTS) || !row_known(row, ROW_ACTIVE))
		return false;
	*percent = objects ? 100 * row->value[ROW_ACTIVE] / objects : 0;
	return true;
}

void rows_clear(struct rows *rows)
{
	rows->nr = 0;
}

void rows_free(struct rows *rows)
{
	free(rows->row);
	*rows = (struct rows){ 0 };
}

struct row *rows_add(struct rows *rows, const struct row_source *source)
{
	struct row *row;

	if (rows->nr == rows->room) {
		size_t room = rows->room ? 2 * rows->room : 256;
		void *more = realloc(rows->row, room * sizeof(*rows->row));

		if (!more)
			return NULL;
		rows->row = more;
		rows->room = room;
	}
	row = &rows->row[rows->nr];
	memset(row, 0, sizeof(*row));
	row->source = source;
	row->index = (uint32_t)rows->nr++;
	return row;
}

static void set_geometry(struct row *row, uint64_t size, uint64_t objects_per_slab, uint64_t pages)
{
	row_set(row, ROW_SIZE, size);
	row_set(row, ROW_OBJECTS_PER_SLAB, objects_per_slab);
	row_set(row, ROW_PAGES_PER_SLAB, pages);
}

/* ---- /proc/slabinfo ------------------------------------------------------------------------ */

/* "name active objs size perslab pages : tunables x x x : slabdata active_slabs slabs x". */
static bool parse_slabinfo_line(const char *text, struct row *row)
{
	unsigned long long active, objects, size, per_slab, pages, active_slabs, slabs;
	char line[512];

	/* A copy that ends with the line: sscanf() would read on in the next. */
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(text, "\n"), text);
	if (sscanf(line, "%127s %llu %llu %llu %llu %llu : tunables %*d %*d %*d : slabdata %llu %llu", row->name,
		   &active, &objects, &size, &per_slab, &pages, &active_slabs, &slabs) != 8)
		return false;
	set_geometry(row, size, per_slab, pages);
	row_set(row, ROW_OBJECTS, objects);
	row_set(row, ROW_ACTIVE, active);
	row_set(row, ROW_SLABS, slabs);
	row_set(row, ROW_ACTIVE_SLABS, active_slabs);
	row_set(row, ROW_BYTES, slabs * pages * (uint64_t)sysconf(_SC_PAGESIZE));
	return true;
}

int rows_add_slabinfo(struct rows *rows, const struct row_source *source, const char *text)
{
	if (strncmp(text, "slabinfo - version: 2.", 22))
		return -EINVAL;
	while ((text = strchr(text, '\n')) && *++text) {
		struct row *row;

		if (*text == '#')
			continue;
		row = rows_add(rows, source);
		if (!row)
			return -ENOMEM;
		if (!parse_slabinfo_line(text, row))
			return -EINVAL;
	}
	return 0;
}

/* ---- the kernel's caches by BPF ---------------------------------------------------------------- */

static void set_kernel_cached(struct row *row, const struct kmem_cache_info *k)
{
	uint64_t cached = 0;

	if (k->have & KMEM_INFO_CPU_SLAB)
		cached += k->cpu_free;
	if (k->have & KMEM_INFO_CPU_PARTIAL)
		cached += k->cpu_partial_free;
	if (k->have & KMEM_INFO_SHEAVES)
		cached += k->sheaf_main + k->sheaf_spare + k->barn_objects;
	if (k->have & KMEM_INFO_IN_USE)
		row_set(row, ROW_CACHED, cached);
}

static void set_kernel_row(struct row *row, const struct kmem_cache_info *k)
{
	snprintf(row->name, sizeof(row->name), "%.*s", KMEM_INFO_NAME_BYTES, k->name);
	row->id = k->cache;
	row->torn = k->have & KMEM_INFO_CUT;
	if (k->have & KMEM_INFO_GEOMETRY)
		set_geometry(row, k->size, k->objects_per_slab, UINT64_C(1) << (k->order & 31));
	if (k->have & KMEM_INFO_LAYOUT)
		row_set(row, ROW_OBJECT_SIZE, k->object_size);
	if (k->have & KMEM_INFO_SLABS) {
		row_set(row, ROW_OBJECTS, k->objects_total);
		row_set(row, ROW_SLABS, k->slabs);
	}
	if (row_known(row, ROW_SLABS) && row_known(row, ROW_PAGES_PER_SLAB))
		row_set(row, ROW_BYTES, (k->slabs << (k->order & 31)) * (uint64_t)sysconf(_SC_PAGESIZE));
	if (k->have & KMEM_INFO_IN_USE)
		row_set(row, ROW_ACTIVE, k->in_use);
	else if (k->have & KMEM_INFO_SLABINFO_ACTIVE)
		row_set(row, ROW_ACTIVE, k->slabinfo_active);
	if (k->have & KMEM_INFO_PARTIAL)
		row_set(row, ROW_PARTIAL, k->node_partial +
			(k->have & KMEM_INFO_CPU_PARTIAL ? k->cpu_partial_slabs : 0));
	set_kernel_cached(row, k);
}

int rows_add_kcaches(struct rows *rows, const struct row_source *source, const struct kmem_cache_info *info, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		struct row *row = rows_add(rows, source);

		if (!row)
			return -ENOMEM;
		set_kernel_row(row, &info[i]);
	}
	return 0;
}

/* ---- a process ---------------------------------------------------------------------------------- */

static void set_heap_row(struct row *row, const struct heap_cache *c)
{
	const struct kmem_cache *cache = &c->cache;

	snprintf(row->name, sizeof(row->name), "%.*s", KMEM_NAME_BYTES, cache->name);
	row->id = cache->id + cache->created_ns;
	row->torn = c->torn;
	row->dead = cache->state == KMEM_CACHE_DEAD && !kmem_cache_is_merged(cache);
	set_geometry(row, cache->size, cache->objects, UINT64_C(1) << (cache->order & 31));
	row_set(row, ROW_OBJECT_SIZE, cache->object_size);
	row_set(row, ROW_OBJECTS, c->objects);
	row_set(row, ROW_ACTIVE, c->active);
	row_set(row, ROW_SLABS, c->slabs);
	row_set(row, ROW_BYTES, (c->slabs << (cache->order & 31)) * KMEM_PAGE_BYTES);
	row_set(row, ROW_CACHED, heap_cached(c));
	row_set(row, ROW_PARTIAL, c->partial_slabs);
	row_set(row, ROW_ALLOCS, c->allocs);
	row_set(row, ROW_FREES, c->frees);
	row_set(row, ROW_REFILLS, c->stat.refill);
	row_set(row, ROW_FLUSHES, c->stat.flush);
	row_set(row, ROW_BARN_GETS, c->stat.barn_get);
	row_set(row, ROW_FAILURES, c->stat.alloc_fail);
}

int rows_add_heap(struct rows *rows, const struct row_source *source, const struct heap *heap)
{
	for (size_t i = 0; i < heap->nr_caches; i++) {
		struct row *row = rows_add(rows, source);

		if (!row)
			return -ENOMEM;
		set_heap_row(row, &heap->caches[i]);
	}
	return 0;
}

/* ---- rates ------------------------------------------------------------------------------------- */

static bool same_cache(const struct row *a, const struct row *b)
{
	return a->source == b->source && a->id == b->id && !strcmp(a->name, b->name);
}

static void set_rate(struct row *now, const struct row *before, enum row_field counter, enum row_field rate, uint64_t ns)
{
	uint64_t delta = now->value[counter] - before->value[counter];

	if (!row_known(now, counter) || !row_known(before, counter) || (int64_t)delta < 0)
		return;
	row_set(now, rate, (uint64_t)((double)delta * 1e9 / (double)ns + 0.5));
}

static int compare_identity(const void *a, const void *b)
{
	const struct row *x = *(const struct row *const *)a, *y = *(const struct row *const *)b;

	if (x->source != y->source)
		return (uintptr_t)x->source < (uintptr_t)y->source ? -1 : 1;
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Without memory for the index there are no rates in this round, and nothing else is lost. */
void rows_rates(struct rows *now, const struct rows *before)
{
	const struct row **sorted = malloc((before->nr + 1) * sizeof(*sorted));
	uint64_t ns = now->ns - before->ns;

	if (!sorted || now->ns <= before->ns) {
		free(sorted);
		return;
	}
	for (size_t i = 0; i < before->nr; i++)
		sorted[i] = &before->row[i];
	qsort(sorted, before->nr, sizeof(*sorted), compare_identity);
	for (size_t i = 0; i < now->nr; i++) {
		const struct row *key = &now->row[i];
		const struct row *const *found = bsearch(&key, sorted, before->nr, sizeof(*sorted), compare_identity);

		if (!found || !same_cache(key, *found))
			continue;
		set_rate(&now->row[i], *found, ROW_ALLOCS, ROW_ALLOC_RATE, ns);
		set_rate(&now->row[i], *found, ROW_FREES, ROW_FREE_RATE, ns);
	}
	free(sorted);
}

/* ---- sums -------------------------------------------------------------------------------------- */

static void sum_row(const struct row *row, struct rows_totals *t)
{
	uint64_t size = row->value[ROW_SIZE];

	t->caches++;
	t->active_caches += row->value[ROW_OBJECTS] != 0;
	t->objects += row->value[ROW_OBJECTS];
	t->active_objects += row->value[ROW_ACTIVE];
	t->slabs += row->value[ROW_SLABS];
	t->active_slabs += row->value[ROW_ACTIVE_SLABS];
	t->bytes += row->value[ROW_OBJECTS] * size;
	t->active_bytes += row->value[ROW_ACTIVE] * size;
	t->cached += row->value[ROW_CACHED];
	t->partial_slabs += row->value[ROW_PARTIAL];
	t->knows_partial &= row_known(row, ROW_PARTIAL);
	t->torn += row->torn;
	t->any_unknown_active |= !row_known(row, ROW_ACTIVE);
	if (size < t->min_size)
		t->min_size = size;
	if (size > t->max_size)
		t->max_size = size;
}

void rows_sum(const struct rows *rows, const struct row_source *source, struct rows_totals *totals)
{
	*totals = (struct rows_totals){ .min_size = UINT64_MAX, .knows_partial = true };
	for (size_t i = 0; i < rows->nr; i++)
		if (!source || rows->row[i].source == source)
			sum_row(&rows->row[i], totals);
	if (!totals->caches) {
		totals->min_size = 0;
		totals->knows_partial = false;
	}
	if (totals->objects)
		totals->avg_size = totals->bytes / totals->objects;
}

/* ---- order ------------------------------------------------------------------------------------- */

static const struct sort_key {
	char letter;
	enum row_field field;
} sort_keys[] = {
	{ 'a', ROW_ACTIVE },	  { 'b', ROW_OBJECTS_PER_SLAB }, { 'c', ROW_BYTES },   { 'l', ROW_SLABS },
	{ 'v', ROW_ACTIVE_SLABS }, { 'o', ROW_OBJECTS },	 { 'p', ROW_PAGES_PER_SLAB }, { 's', ROW_SIZE },
	{ 'e', ROW_CACHED },	  { 'g', ROW_PARTIAL },		 { 'i', ROW_ALLOC_RATE }, { 'f', ROW_FREE_RATE },
	{ 0, 0 },
};

/* What compare() goes by; qsort() has no argument for it, and one thread sorts. */
static struct {
	char letter;
	enum row_field field;
	int sign;
} order;

static int compare_values(const struct row *a, const struct row *b)
{
	uint64_t x = a->value[order.field], y = b->value[order.field];
	bool known_x = row_known(a, order.field), known_y = row_known(b, order.field);

	if (order.letter == 'v' && !known_x && !known_y) {
		/* Only slabinfo has them; there is little to choose between them and all slabs. */
		known_x = row_known(a, ROW_SLABS);
		known_y = row_known(b, ROW_SLABS);
		x = a->value[ROW_SLABS];
		y = b->value[ROW_SLABS];
	}
	if (order.letter == 'u') {
		known_x = row_use_percent(a, &x);
		known_y = row_use_percent(b, &y);
	}
	if (known_x != known_y)
		return known_x ? -order.sign : order.sign;
	if (!known_x || x == y)
		return 0;
	return x > y ? -1 : 1;
}

static int compare(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int result = order.letter == 'n' ? strcoll(x->name, y->name) : compare_values(x, y);

	if (result)
		return order.sign * result;
	return x->index < y->index ? -1 : x->index > y->index;
}

bool rows_key_is_valid(char key)
{
	key = (char)tolower((unsigned char)key);
	if (key == 'n' || key == 'u')
		return true;
	for (const struct sort_key *k = sort_keys; k->letter; k++)
		if (k->letter == key)
			return true;
	return false;
}

void rows_sort(struct rows *rows, char key, bool reverse)
{
	order.letter = (char)tolower((unsigned char)key);
	order.sign = reverse ? -1 : 1;
	order.field = ROW_OBJECTS;
	for (const struct sort_key *k = sort_keys; k->letter; k++)
		if (k->letter == order.letter)
			order.field = k->field;
	qsort(rows->row, rows->nr, sizeof(*rows->row), compare);
}
