/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rates.c - differences of the event counters, summed per cache.
 */
#include "slabtop/rates.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/collect.h"
#include "slabtop/tally.h"

struct rates {
	struct collect *collect;
	struct tally now, before; /* of this read and the one before */
	uint64_t ns;              /* when that was; 0: never */
	uint64_t missed;
};

int rates_open(struct rates **rates, char *err, size_t len)
{
	struct rates *r = calloc(1, sizeof(*r));
	int error;

	*rates = NULL;
	if (!r) {
		snprintf(err, len, "out of memory");
		return -ENOMEM;
	}
	error = collect_open(&r->collect, NULL, err, len);
	if (!error)
		error = collect_attach_kernel(r->collect, err, len);
	if (error) {
		rates_close(r);
		return error;
	}
	*rates = r;
	return 0;
}

static int read_tally(struct rates *r, char *err, size_t len)
{
	const struct collect_count *counts;
	struct collect_totals totals;
	size_t nr;
	int error = collect_read_counts(r->collect, &counts, &nr, err, len);

	if (!error)
		error = collect_read_totals(r->collect, KMEM_SOURCE_KERNEL, &totals, err, len);
	if (error)
		return error;
	error = tally_make(&r->now, counts, nr);
	if (error)
		snprintf(err, len, "out of memory");
	r->missed = collect_lost(&totals) + r->now.unknown;
	return error;
}

static uint64_t per_second(uint64_t now, uint64_t before, uint64_t ns)
{
	return now > before ? (uint64_t)((double)(now - before) * 1e9 / (double)ns + 0.5) : 0;
}

static void set_rates(struct rates *r, struct row *row, uint64_t ns)
{
	const struct tally_entry *now = tally_find(&r->now, row->id), *before = tally_find(&r->before, row->id);

	row_set(row, ROW_ALLOC_RATE, now ? per_second(now->allocs, before ? before->allocs : 0, ns) : 0);
	row_set(row, ROW_FREE_RATE, now ? per_second(now->frees, before ? before->frees : 0, ns) : 0);
}

int rates_read(struct rates *r, struct rows *rows, const struct row_source *kernel, char *err, size_t len)
{
	struct tally old = r->before;
	int error;

	r->before = r->now;
	r->now = old;
	error = read_tally(r, err, len);
	if (error)
		return error;
	for (size_t i = 0; r->ns && rows->ns > r->ns && i < rows->nr; i++)
		if (rows->row[i].source == kernel && rows->row[i].id)
			set_rates(r, &rows->row[i], rows->ns - r->ns);
	r->ns = rows->ns;
	return 0;
}

uint64_t rates_missed(const struct rates *r)
{
	return r->missed;
}

void rates_close(struct rates *r)
{
	if (!r)
		return;
	collect_close(r->collect);
	tally_free(&r->now);
	tally_free(&r->before);
	free(r);
}
