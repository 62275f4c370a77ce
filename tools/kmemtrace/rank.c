/* SPDX-License-Identifier: BSD-2-Clause */
/* rank.c - see rank.h. Rows are found by their labels, which are the same for all processes of a program. */
#include "kmemtrace/rank.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtrace/units.h"

#define FIRST_ROOM  128u
#define STACK_BYTES 16384
#define EXACT_SIZE  8192u

static const char *const by_names[RANK_NR_BY] = { "site", "function", "stack", "cache", "size", "pid" };
static const char *const sort_names[RANK_NR_SORTS] = {
	"live", "objects", "growth", "peak", "allocs", "frees", "bytes", "waste", "temporary", "remote", "age", "lifetime",
};

static int find_name(const char *const *names, int nr, const char *name)
{
	for (int i = 0; i < nr; i++)
		if (!strcmp(names[i], name))
			return i;
	return -1;
}

int rank_by_name(const char *name)
{
	return find_name(by_names, RANK_NR_BY, name);
}

int rank_sort_name(const char *name)
{
	return find_name(sort_names, RANK_NR_SORTS, name);
}

const char *rank_title(enum rank_by by)
{
	static const char *const titles[RANK_NR_BY] = { "SITE", "FUNCTION", "STACK", "CACHE", "SIZE", "PROCESS" };

	return titles[by];
}

/* ---- labels ---------------------------------------------------------------------------- */

/* Outermost function first, as flame graphs have it. */
static void stack_label(struct analysis *an, uint32_t stack, char *buf, size_t len)
{
	struct trace_frame frame[SITES_FRAMES];
	size_t nr = sites_frames(&an->sites, stack, frame, SITES_FRAMES), at = 0;
	char name[512];

	snprintf(buf, len, "%s", an->sites.site[sites_of(&an->sites, stack)].label);
	while (nr-- > 0 && at + 1 < len) {
		int n;

		sites_short(&frame[nr], name, sizeof(name));
		/* A semicolon separates functions. */
		for (char *p = name; (p = strchr(p, ';')); )
			*p = ':';
		n = snprintf(buf + at, len - at, "%s%s", at ? ";" : "", name);
		at += n > 0 ? (size_t)n : 0;
	}
}

static void size_label(uint64_t size, char *buf, size_t len)
{
	char low[OUTPUT_HUMAN_BYTES], high[OUTPUT_HUMAN_BYTES];

	if (size <= EXACT_SIZE)
		snprintf(buf, len, "%" PRIu64, size);
	else
		snprintf(buf, len, "%s-%s", output_human(low, size / 2), output_human(high, size));
}

static void pid_label(const struct analysis *an, uint32_t pid, char *buf, size_t len)
{
	const struct trace_process *process;
	size_t nr = trace_processes(an->trace, &process);

	for (size_t i = 0; i < nr; i++)
		if (process[i].pid == pid) {
			snprintf(buf, len, "%u %s", pid, process[i].command);
			return;
		}
	snprintf(buf, len, "%u", pid);
}

static const char *label_of(struct analysis *an, enum rank_by by, const struct group *g, char *buf, size_t len)
{
	switch (by) {
	case RANK_SITE:
		return an->sites.site[sites_of(&an->sites, g->stack)].label;
	case RANK_FUNCTION:
		return an->sites.site[sites_of(&an->sites, g->stack)].function;
	case RANK_CACHE:
		return trace_cache(an->trace, g->cache)->name;
	case RANK_STACK:
		stack_label(an, g->stack, buf, len);
		break;
	case RANK_SIZE:
		size_label(g->size, buf, len);
		break;
	case RANK_PID:
	case RANK_NR_BY:
		pid_label(an, g->pid, buf, len);
		break;
	}
	return buf;
}

/* ---- rows ------------------------------------------------------------------------------ */

static struct rank_row *row_of(struct rank *rank, const char *label)
{
	uint32_t number = intern(&rank->labels, label);

	if (number == INTERN_FAILED)
		return NULL;
	if (number < rank->nr)
		return &rank->row[number];
	if (rank->nr == rank->room) {
		size_t room = rank->room ? rank->room * 2 : FIRST_ROOM;
		struct rank_row *row = realloc(rank->row, room * sizeof(*row));

		if (!row)
			return NULL;
		rank->row = row;
		rank->room = room;
	}
	rank->row[rank->nr] = (struct rank_row){ .label = rank->labels.text[number] };
	return &rank->row[rank->nr++];
}

static bool has_counts(const struct stats *s)
{
	return s->allocs || s->frees || s->live_objects || s->start_objects || s->peak_objects;
}

static bool add_group(struct rank *rank, struct analysis *an, enum rank_by by, const struct group *g)
{
	char buf[STACK_BYTES];
	struct rank_row *row;
	uint64_t weight = g->stats.bytes + g->stats.live_bytes;

	if (!g->selected || !has_counts(&g->stats))
		return true;
	row = row_of(rank, label_of(an, by, g, buf, sizeof(buf)));
	if (!row)
		return false;
	row->caches |= (row->stack || row->cache || row->weight) && row->cache != g->cache;
	if (weight >= row->weight) {
		row->weight = weight;
		row->stack = g->stack;
		row->cache = g->cache;
		row->module = an->sites.site[sites_of(&an->sites, g->stack)].module;
		row->wrapper = an->sites.site[sites_of(&an->sites, g->stack)].wrapper;
	}
	return stats_merge(&row->stats, &g->stats);
}

bool rank_build(struct rank *rank, struct analysis *an, enum rank_by by)
{
	memset(rank, 0, sizeof(*rank));
	for (size_t i = 0; i < an->aggregate.nr_groups; i++)
		if (!add_group(rank, an, by, &an->aggregate.group[i]))
			return false;
	return true;
}

void rank_free(struct rank *rank)
{
	for (size_t i = 0; i < rank->nr; i++)
		stats_free(&rank->row[i].stats);
	free(rank->row);
	intern_free(&rank->labels);
	memset(rank, 0, sizeof(*rank));
}

/* ---- order ----------------------------------------------------------------------------- */

uint64_t rank_growth(const struct stats *s)
{
	return s->live_bytes > s->start_bytes ? s->live_bytes - s->start_bytes : 0;
}

uint64_t rank_value(const struct stats *s, enum rank_sort sort)
{
	switch (sort) {
	case RANK_LIVE:
		return s->live_bytes;
	case RANK_OBJECTS:
		return s->live_objects;
	case RANK_GROWTH:
		return rank_growth(s);
	case RANK_PEAK:
		return s->peak_bytes;
	case RANK_ALLOCS:
		return s->allocs;
	case RANK_FREES:
		return s->frees;
	case RANK_BYTES:
		return s->bytes;
	case RANK_WASTE:
		return s->live_waste;
	case RANK_TEMPORARY:
		return s->temporary;
	case RANK_REMOTE:
		return s->remote;
	case RANK_AGE:
		return histogram_quantile(&s->age, 500);
	case RANK_LIFETIME:
	case RANK_NR_SORTS:
		break;
	}
	return histogram_quantile(&s->lifetime, 500);
}

bool rank_is_bytes(enum rank_sort sort)
{
	return sort == RANK_LIVE || sort == RANK_GROWTH || sort == RANK_PEAK || sort == RANK_BYTES || sort == RANK_WASTE;
}

static int compare(const void *a, const void *b, void *sort)
{
	const struct rank_row *left = a, *right = b;
	uint64_t l = rank_value(&left->stats, *(enum rank_sort *)sort), r = rank_value(&right->stats, *(enum rank_sort *)sort);

	if (l == r) {
		l = left->stats.allocs;
		r = right->stats.allocs;
	}
	if (l != r)
		return l < r ? 1 : -1;
	return strcmp(left->label, right->label);
}

void rank_sort(struct rank *rank, enum rank_sort sort)
{
	if (rank->nr)
		qsort_r(rank->row, rank->nr, sizeof(*rank->row), compare, &sort);
}

/* ---- records --------------------------------------------------------------------------- */

static void record_duration(struct output *o, const char *key, const struct histogram *h, unsigned int permille)
{
	if (h->nr)
		output_number(o, key, histogram_quantile(h, permille));
	else
		output_unknown(o, key);
}

void rank_record_stats(struct output *o, const struct stats *s, uint64_t window_ns)
{
	output_number(o, "allocs", s->allocs);
	output_number(o, "frees", s->frees);
	output_number(o, "bytes", s->bytes);
	output_number(o, "freed_bytes", s->freed_bytes);
	output_number(o, "allocs_per_second", units_rate(s->allocs, window_ns));
	output_number(o, "live_objects", s->live_objects);
	output_number(o, "live_bytes", s->live_bytes);
	output_number(o, "start_objects", s->start_objects);
	output_number(o, "start_bytes", s->start_bytes);
	output_number(o, "peak_objects", s->peak_objects);
	output_number(o, "peak_bytes", s->peak_bytes);
	output_number(o, "waste_bytes", s->waste);
	output_number(o, "live_waste_bytes", s->live_waste);
	output_number(o, "temporary", s->temporary);
	output_number(o, "remote_frees", s->remote);
	record_duration(o, "lifetime_p50_ns", &s->lifetime, 500);
	record_duration(o, "lifetime_p99_ns", &s->lifetime, 990);
	record_duration(o, "lifetime_max_ns", &s->lifetime, 1000);
	record_duration(o, "age_p50_ns", &s->age, 500);
	record_duration(o, "age_max_ns", &s->age, 1000);
}

void rank_record(struct output *o, const struct analysis *an, enum rank_by by, const struct rank_row *row)
{
	output_string(o, by_names[by], row->label);
	if (by != RANK_CACHE) {
		output_string(o, "main_cache", trace_cache(an->trace, row->cache)->name);
		output_bool(o, "one_cache", !row->caches);
	}
	rank_record_stats(o, &row->stats, an->window_ns);
}
