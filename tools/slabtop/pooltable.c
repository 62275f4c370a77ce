/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pooltable.c - pools as lines: a column that a kind of pool has no number for
 * says "-".
 */
#include "slabtop/pooltable.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/output.h"

#define NAME_MIN_WIDTH 18
#define CELL_BYTES     80

static const struct column {
	const char *title;
	int width;
	unsigned char importance; /* 1 is left out last */
} columns[POOLTABLE_NR] = {
	[POOLTABLE_KIND] = { "KIND", 15, 1 },
	[POOLTABLE_UNIT] = { "UNIT", 6, 8 },
	[POOLTABLE_SIZE] = { "SIZE", 6, 2 },
	[POOLTABLE_NOW] = { "NOW", 6, 3 },
	[POOLTABLE_MARK] = { "LOW/PEAK", 8, 4 },
	[POOLTABLE_ALLOCS] = { "ALLOCS", 6, 11 },
	[POOLTABLE_FREES] = { "FREES", 6, 12 },
	[POOLTABLE_WAITING] = { "WAITING", 7, 10 },
	[POOLTABLE_WAITS] = { "WAITS", 6, 6 },
	[POOLTABLE_LONGEST] = { "LONGEST", 7, 7 },
	[POOLTABLE_FAILURES] = { "FAILS", 6, 5 },
	[POOLTABLE_FRAGMENTATION] = { "FRAG", 6, 9 },
	[POOLTABLE_SOURCE] = { "SOURCE", 20, 13 },
	[POOLTABLE_NAME] = { "NAME", 0, 0 },
};

/* ---- cells ----------------------------------------------------------------------------------- */

/* "512ns", "12us", "7.3ms", "5.1s" */
static void cell_time(uint64_t ns, char *buf)
{
	if (ns < 1000)
		snprintf(buf, CELL_BYTES, "%" PRIu64 "ns", ns);
	else if (ns < 1000000)
		snprintf(buf, CELL_BYTES, "%" PRIu64 "us", ns / 1000);
	else if (ns < 1000000000)
		snprintf(buf, CELL_BYTES, "%" PRIu64 ".%" PRIu64 "ms", ns / 1000000, ns / 100000 % 10);
	else
		snprintf(buf, CELL_BYTES, "%" PRIu64 ".%" PRIu64 "s", ns / 1000000000, ns / 100000000 % 10);
}

/* A size: elements of mempools, bytes of the others. */
static void cell_size(const struct pool *pool, enum pool_field field, char *buf)
{
	if (pool->kind == POOL_MEMPOOL)
		output_count(buf, pool->value[field]);
	else
		output_human(buf, pool->value[field]);
}

/* Names come from other programs: no terminal sequence may pass. */
static void cell_text(const char *text, char *buf)
{
	size_t i;

	for (i = 0; text[i] && i < CELL_BYTES - 1; i++)
		buf[i] = (unsigned char)text[i] < ' ' || text[i] == 127 ? '?' : text[i];
	buf[i] = '\0';
}

static void cell_number(const struct pool *pool, enum pool_field field, char *buf)
{
	uint64_t value = pool->value[field];

	switch (field) {
	case POOL_UNIT:
		output_human(buf, value);
		break;
	case POOL_SIZE:
	case POOL_CURRENT:
	case POOL_LOW:
	case POOL_PEAK:
		cell_size(pool, field, buf);
		break;
	case POOL_LONGEST_NS:
		cell_time(value, buf);
		break;
	case POOL_FRAGMENTATION:
		snprintf(buf, CELL_BYTES, "%" PRIu64 ".%" PRIu64 "%%", value / 10, value % 10);
		break;
	default:
		output_count(buf, value);
	}
}

static const enum pool_field fields[POOLTABLE_NR] = {
	[POOLTABLE_UNIT] = POOL_UNIT,
	[POOLTABLE_SIZE] = POOL_SIZE,
	[POOLTABLE_NOW] = POOL_CURRENT,
	[POOLTABLE_MARK] = POOL_LOW,
	[POOLTABLE_ALLOCS] = POOL_ALLOCS,
	[POOLTABLE_FREES] = POOL_FREES,
	[POOLTABLE_WAITING] = POOL_WAITING,
	[POOLTABLE_WAITS] = POOL_WAITS,
	[POOLTABLE_LONGEST] = POOL_LONGEST_NS,
	[POOLTABLE_FAILURES] = POOL_FAILURES,
	[POOLTABLE_FRAGMENTATION] = POOL_FRAGMENTATION,
};

static void cell(const struct pool *pool, unsigned int id, char buf[CELL_BYTES])
{
	enum pool_field field = fields[id];

	if (id == POOLTABLE_MARK && pool_known(pool, POOL_PEAK))
		field = POOL_PEAK;
	if (id == POOLTABLE_KIND)
		snprintf(buf, CELL_BYTES, "%s%s%s", pool_kind_name(pool->kind), *pool->below ? "/" : "", pool->below);
	else if (id == POOLTABLE_SOURCE)
		cell_text(pool->source->label, buf);
	else if (id == POOLTABLE_NAME)
		cell_text(pool->name, buf);
	else if (pool_known(pool, field))
		cell_number(pool, field, buf);
	else
		strcpy(buf, "-");
}

/* ---- lines ------------------------------------------------------------------------------------ */

static int width_of(const struct pooltable *table)
{
	int used = 0;

	for (unsigned int id = 0; id < POOLTABLE_NAME; id++)
		used += table->in[id] ? columns[id].width + 1 : 0;
	return used;
}

void pooltable_choose(struct pooltable *table, int width, bool several_sources)
{
	for (unsigned int id = 0; id < POOLTABLE_NR; id++)
		table->in[id] = id != POOLTABLE_SOURCE || several_sources;
	while (width - width_of(table) < NAME_MIN_WIDTH) {
		unsigned int worst = POOLTABLE_NAME;

		for (unsigned int id = 0; id < POOLTABLE_NAME; id++)
			if (table->in[id] && columns[id].importance > columns[worst].importance)
				worst = id;
		if (worst == POOLTABLE_NAME)
			break;
		table->in[worst] = false;
	}
}

/* The row of a pool, or the heading without one. */
static const char *line(const struct pooltable *table, const struct pool *pool, char *buf)
{
	size_t at = 0;

	for (unsigned int id = 0; id < POOLTABLE_NR; id++) {
		bool left = id == POOLTABLE_KIND || id >= POOLTABLE_SOURCE;
		char text[CELL_BYTES];
		int n;

		if (!table->in[id] || at >= COLUMNS_LINE_BYTES)
			continue;
		if (pool)
			cell(pool, id, text);
		else
			strcpy(text, columns[id].title);
		n = snprintf(buf + at, COLUMNS_LINE_BYTES - at, left ? "%s%-*s" : "%s%*s", at ? " " : "",
			     columns[id].width, text);
		at += (size_t)(n > 0 ? n : 0);
	}
	return buf;
}

const char *pooltable_heading(const struct pooltable *table, char buf[COLUMNS_LINE_BYTES])
{
	return line(table, NULL, buf);
}

const char *pooltable_row(const struct pooltable *table, const struct pool *pool, char buf[COLUMNS_LINE_BYTES])
{
	return line(table, pool, buf);
}

bool pooltable_match(const struct pool *pool, const char *filter)
{
	return columns_match(pool->name, filter) || columns_match(pool_kind_name(pool->kind), filter) ||
	       columns_match(pool->below, filter);
}

/* ---- sums ------------------------------------------------------------------------------------- */

struct sums {
	uint64_t nr[POOL_NR_KINDS], size[POOL_NR_KINDS], current[POOL_NR_KINDS];
	uint64_t waiting, waits, longest_ns, failures;
};

static void add_up(struct sums *s, const struct pools *pools)
{
	*s = (struct sums){ .waiting = 0 };
	for (size_t i = 0; i < pools->nr; i++) {
		const struct pool *p = &pools->pool[i];

		s->nr[p->kind]++;
		s->size[p->kind] += p->value[POOL_SIZE];
		s->current[p->kind] += p->value[POOL_CURRENT];
		s->waiting += p->value[POOL_WAITING];
		s->waits += p->value[POOL_WAITS];
		s->failures += p->value[POOL_FAILURES];
		if (p->value[POOL_LONGEST_NS] > s->longest_ns)
			s->longest_ns = p->value[POOL_LONGEST_NS];
	}
}

static void add_bytes(struct header *h, const char *label, const struct sums *s, enum pool_kind kind)
{
	char used[OUTPUT_HUMAN_BYTES], size[OUTPUT_HUMAN_BYTES];

	snprintf(h->line[h->nr++], HEADER_LINE_BYTES, " %-35s: %" PRIu64 ", %s / %s", label, s->nr[kind],
		 output_human(used, s->current[kind]), output_human(size, s->size[kind]));
}

void pooltable_header(struct header *h, const struct pools *pools)
{
	char longest[CELL_BYTES];
	struct sums s;

	add_up(&s, pools);
	cell_time(s.longest_ns, longest);
	h->nr = 0;
	snprintf(h->line[h->nr++], HEADER_LINE_BYTES, " %-35s: %" PRIu64 ", %" PRIu64 " / %" PRIu64,
		 "Mempools, in reserve / wanted there", s.nr[POOL_MEMPOOL], s.current[POOL_MEMPOOL], s.size[POOL_MEMPOOL]);
	add_bytes(h, "Genpools, taken / all", &s, POOL_GENPOOL);
	add_bytes(h, "Region pools, in use / held", &s, POOL_REGION);
	snprintf(h->line[h->nr++], HEADER_LINE_BYTES, " %-35s: %" PRIu64 " / %" PRIu64 " / %s",
		 "Threads waiting / Waits / Longest", s.waiting, s.waits, longest);
	snprintf(h->line[h->nr++], HEADER_LINE_BYTES, " %-35s: %" PRIu64, "Allocations that failed", s.failures);
}
