/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * header.c - sums over the table as text, in the words and widths of procps.
 */
#include "slabtop/header.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LABEL " %-35s: "

static void add(struct header *h, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct header *h, const char *format, ...)
{
	va_list args;

	if (h->nr == HEADER_MAX_LINES)
		return;
	va_start(args, format);
	vsnprintf(h->line[h->nr++], HEADER_LINE_BYTES, format, args);
	va_end(args);
}

/* An empty table is 0 % used; procps prints "-nan" there. */
static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0.0;
}

static const char *size_text(char buf[32], uint64_t bytes, bool human)
{
	if (human)
		output_human(buf, bytes);
	else
		snprintf(buf, 32, "%.2fK", (double)bytes / 1024.0);
	return buf;
}

static void add_counts(struct header *h, const char *label, uint64_t active, uint64_t total)
{
	add(h, LABEL "%" PRIu64 " / %" PRIu64 " (%.1f%%)", label, active, total, percent(active, total));
}

static void add_sizes(struct header *h, const char *label, uint64_t part, uint64_t whole, bool human)
{
	char a[32], b[32];

	add(h, LABEL "%s / %s (%.1f%%)", label, size_text(a, part, human), size_text(b, whole, human),
	    percent(part, whole));
}

static void one_source(struct header *h, const struct rows_totals *t, const struct heap *heap, bool human)
{
	char a[32], b[32], c[32];

	add_counts(h, "Active / Total Objects (% used)", t->active_objects, t->objects);
	/* SLUB calls every slab active. Where the partial ones are known they say more. */
	if (t->knows_partial)
		add_counts(h, "Partial / Total Slabs (% partial)", t->partial_slabs, t->slabs);
	else
		add_counts(h, "Active / Total Slabs (% used)", t->active_slabs, t->slabs);
	add_counts(h, "Active / Total Caches (% used)", t->active_caches, t->caches);
	add_sizes(h, "Active / Total Size (% used)", t->active_bytes, t->bytes, human);
	add(h, LABEL "%s / %s / %s", "Minimum / Average / Maximum Object", size_text(a, t->min_size, human),
	    size_text(b, t->avg_size, human), size_text(c, t->max_size, human));
	if (heap) {
		uint64_t present = heap_present_pages(heap) * KMEM_PAGE_BYTES;
		uint64_t free_bytes = heap_free_pages(heap) * KMEM_PAGE_BYTES;

		add_sizes(h, "Used / Committed Pages (% used)", present > free_bytes ? present - free_bytes : 0, present,
			  human);
	}
}

static void source_line(struct header *h, const struct row_source *source, const struct rows_totals *t)
{
	char a[OUTPUT_HUMAN_BYTES], b[OUTPUT_HUMAN_BYTES];
	char cached[48] = "";

	if (t->cached)
		snprintf(cached, sizeof(cached), ", %" PRIu64 " cached", t->cached);
	add(h, " %-20s: %" PRIu64 " / %" PRIu64 " objects (%.1f%%)%s, %s / %s", source->label, t->active_objects,
	    t->objects, percent(t->active_objects, t->objects), cached, output_human(a, t->active_bytes),
	    output_human(b, t->bytes));
}

void header_make(struct header *header, const struct session *session, bool human)
{
	size_t nr = session_nr_sources(session);
	struct rows_totals t;

	header->nr = 0;
	if (nr == 1) {
		const struct row_source *source = session_source(session, 0);

		rows_sum(&session->rows, source, &t);
		one_source(header, &t, session_heap_of(session, source), human);
		return;
	}
	for (size_t i = 0; i < nr && i < HEADER_MAX_LINES; i++) {
		rows_sum(&session->rows, session_source(session, i), &t);
		source_line(header, session_source(session, i), &t);
	}
}
