/* SPDX-License-Identifier: BSD-2-Clause */
/* diff.c - see diff.h: matching. */
#include "kmemtrace/diff.h"

#include <stdlib.h>
#include <string.h>

#include "kmemtrace/units.h"

/* ---- matching -------------------------------------------------------------------------- */

static const struct trace_module *module_named(struct analysis *an, const char *name)
{
	for (size_t i = 0; i < an->sites.nr; i++)
		if (an->sites.site[i].module && !strcmp(an->sites.site[i].module->name, name))
			return an->sites.site[i].module;
	return NULL;
}

/* Whether the other recording has another build of this module. */
static bool is_rebuilt(struct analysis *other, const struct trace_module *module)
{
	const struct trace_module *theirs = module ? module_named(other, module->name) : NULL;

	if (!theirs || !theirs->build_id_len || !module->build_id_len)
		return false;
	return theirs->build_id_len != module->build_id_len ||
	       memcmp(theirs->build_id, module->build_id, module->build_id_len) != 0;
}

/* What a row is matched by. */
static const char *key_of(struct diff *d, int side, const struct rank_row *row)
{
	struct analysis *an = d->an[side];

	if (!is_rebuilt(d->an[!side], row->module))
		return row->label;
	d->rebuilt = true;
	return an->sites.site[sites_of(&an->sites, row->stack)].function;
}

/* Several call sites may have one function: they are added up in the first. */
static bool add_row(struct diff *d, int side, const char *key, struct rank_row *from)
{
	uint32_t number = intern(&d->labels, key);
	struct diff_row *row;

	if (number == INTERN_FAILED)
		return false;
	row = &d->row[number];
	if (number == d->nr)
		*row = (struct diff_row){ .label = d->labels.text[d->nr++] };
	if (row->side[side])
		return stats_merge(&row->side[side]->stats, &from->stats);
	row->side[side] = from;
	return true;
}

static bool add_side(struct diff *d, int side, enum rank_by by)
{
	struct rank *rank = &d->rank[side];
	bool ok = true;

	for (size_t i = 0; ok && i < rank->nr; i++)
		ok = add_row(d, side, by == RANK_SITE ? key_of(d, side, &rank->row[i]) : rank->row[i].label, &rank->row[i]);
	return ok;
}

/* ---- changes --------------------------------------------------------------------------- */

static bool is_count(enum rank_sort sort)
{
	return sort == RANK_ALLOCS || sort == RANK_FREES || sort == RANK_BYTES || sort == RANK_TEMPORARY ||
	       sort == RANK_REMOTE || sort == RANK_GROWTH;
}

static uint64_t value_of(const struct diff *d, const struct diff_row *row, int side, enum rank_sort sort)
{
	uint64_t value = row->side[side] ? rank_value(&row->side[side]->stats, sort) : 0;

	/* Recordings have different lengths. */
	return is_count(sort) ? units_rate(value, d->an[side]->window_ns) : value;
}

/*
 * A number of events that happen at random varies by about its square root. Three
 * times that of both together, and a twentieth of them, is more than chance.
 */
static bool is_significant(uint64_t a, uint64_t b)
{
	uint64_t change = a > b ? a - b : b - a;

	return change > 8 && (double)change * (double)change > 9.0 * ((double)a + (double)b) && change > (a > b ? a : b) / 20;
}

/* Few objects may be most of the memory: a hundredth of the larger peak counts, too. */
static bool is_much(const struct diff *d, uint64_t a, uint64_t b)
{
	uint64_t peak = d->an[0]->aggregate.total.peak_bytes;

	if (d->an[1]->aggregate.total.peak_bytes > peak)
		peak = d->an[1]->aggregate.total.peak_bytes;
	return (a > b ? a - b : b - a) > peak / 100 && (a > b ? a - b : b - a) > (a > b ? a : b) / 20;
}

static bool row_is_significant(const struct diff *d, const struct diff_row *row)
{
	static const enum rank_sort what[] = { RANK_OBJECTS, RANK_ALLOCS };
	uint64_t value[2];

	for (int side = 0; side < 2; side++)
		value[side] = row->side[side] ? row->side[side]->stats.live_bytes : 0;
	if (is_much(d, value[0], value[1]))
		return true;
	for (size_t i = 0; i < 2; i++) {
		for (int side = 0; side < 2; side++)
			value[side] = row->side[side] ? rank_value(&row->side[side]->stats, what[i]) : 0;
		/* Events per time: as many as B would have had in A's time. */
		if (what[i] == RANK_ALLOCS && d->an[1]->window_ns)
			value[1] = (uint64_t)((double)value[1] * (double)d->an[0]->window_ns / (double)d->an[1]->window_ns);
		if (is_significant(value[0], value[1]))
			return true;
	}
	return false;
}

static int compare(const void *a, const void *b)
{
	const struct diff_row *left = a, *right = b;
	uint64_t l = (uint64_t)llabs(left->change), r = (uint64_t)llabs(right->change);

	if (l != r)
		return l < r ? 1 : -1;
	return strcmp(left->label, right->label);
}

bool diff_make(struct diff *d, struct analysis *a, struct analysis *b, enum rank_by by, enum rank_sort sort)
{
	memset(d, 0, sizeof(*d));
	d->an[0] = a;
	d->an[1] = b;
	if (!rank_build(&d->rank[0], a, by) || !rank_build(&d->rank[1], b, by))
		return false;
	d->row = calloc(d->rank[0].nr + d->rank[1].nr + 1, sizeof(*d->row));
	if (!d->row || !add_side(d, 0, by) || !add_side(d, 1, by))
		return false;
	for (size_t i = 0; i < d->nr; i++) {
		struct diff_row *row = &d->row[i];

		row->change = (int64_t)(value_of(d, row, 1, sort) - value_of(d, row, 0, sort));
		row->significant = row_is_significant(d, row);
		d->nr_new += !row->side[0];
		d->nr_gone += !row->side[1];
	}
	qsort(d->row, d->nr, sizeof(*d->row), compare);
	return true;
}

void diff_free(struct diff *d)
{
	rank_free(&d->rank[0]);
	rank_free(&d->rank[1]);
	intern_free(&d->labels);
	free(d->row);
	memset(d, 0, sizeof(*d));
}
