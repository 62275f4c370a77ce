/* SPDX-License-Identifier: BSD-2-Clause */
/* findings.c - see findings.h. The thresholds are where a reader would say "so what?" below. */
#include "kmemtrace/findings.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kmemtrace/units.h"

#define SMALL_BYTES   (UINT64_C(64) << 10) /* less is nobody's problem */
#define MANY          UINT64_C(1000)       /* events that make a share mean something */

const char *finding_name(enum finding_kind kind)
{
	static const char *const names[] = { "MISSING", "STACKS", "GROWS", "HOLDS", "PEAK", "CHURN", "REMOTE", "WASTE" };

	return names[kind];
}

__attribute__((format(printf, 3, 4)))
static void add(struct findings *f, enum finding_kind kind, const char *format, ...)
{
	struct finding *finding = &f->finding[f->nr];
	va_list args;

	if (f->nr == FINDINGS_MAX)
		return;
	finding->kind = kind;
	va_start(args, format);
	vsnprintf(finding->text, sizeof(finding->text), format, args);
	va_end(args);
	f->nr++;
}

static bool is_known(const struct rank_row *row)
{
	return strcmp(row->label, "(not known)") && strcmp(row->label, "(before the recording)");
}

/* The first row of a kind that has a site of its own. */
static const struct rank_row *top(struct rank *rank, enum rank_sort sort)
{
	rank_sort(rank, sort);
	for (size_t i = 0; i < rank->nr; i++)
		if (is_known(&rank->row[i]))
			return rank_value(&rank->row[i].stats, sort) ? &rank->row[i] : NULL;
	return NULL;
}

static void missing(struct findings *f, const struct analysis *an)
{
	const struct trace_info *info = an->info;
	const struct aggregate_errors *errors = &an->aggregate.errors;
	char count[OUTPUT_HUMAN_BYTES], second[OUTPUT_HUMAN_BYTES];
	uint64_t lost = info->lost + info->unreadable + info->no_buffer;

	if (info->damaged || info->truncated)
		add(f, FINDING_MISSING, "the file is damaged at byte %" PRIu64 ": %s events and more are not counted",
		    info->damage_offset, output_count(count, info->damaged_events));
	if (lost)
		add(f, FINDING_MISSING, "%s events were lost while recording: what lives is known to about as many objects",
		    output_count(count, lost));
	if (info->tails_lost)
		add(f, FINDING_MISSING, "%" PRIu64 " buffers were lost when a process was killed: up to %u events each",
		    info->tails_lost, KMEM_BATCH_RECORDS);
	if ((errors->double_allocs || errors->unknown_frees) && !analysis_missing(an))
		add(f, FINDING_MISSING, "nothing was lost, yet %s allocations of live addresses and %s frees of dead ones",
		    output_count(count, errors->double_allocs), output_count(second, errors->unknown_frees));
}

/* Where stacks end at the allocator's own wrappers, sites say little. */
static void stacks(struct findings *f, const struct analysis *an, struct rank *sites)
{
	const struct rank_row *row = top(sites, RANK_BYTES);
	uint64_t bytes = 0;

	for (size_t i = 0; i < sites->nr; i++)
		if (sites->row[i].wrapper)
			bytes += sites->row[i].stats.bytes;
	if (!row || bytes < an->aggregate.total.bytes / 4)
		return;
	add(f, FINDING_STACKS, "%u%% of the bytes have no caller beyond wrappers like %s: %s",
	    units_share(bytes, an->aggregate.total.bytes), row->label,
	    an->info->stacks ? "build with -fno-omit-frame-pointer" : "record with --stacks");
}

static void grows(struct findings *f, const struct analysis *an, struct rank *sites)
{
	const struct rank_row *row = top(sites, RANK_GROWTH);
	char gained[OUTPUT_HUMAN_BYTES], rate[OUTPUT_HUMAN_BYTES], objects[OUTPUT_HUMAN_BYTES];
	uint64_t growth;

	if (!row)
		return;
	growth = rank_growth(&row->stats);
	/* Still at its height, and most of what it allocated is there. */
	if (growth < SMALL_BYTES || growth < an->aggregate.total.peak_bytes / 20 ||
	    row->stats.live_bytes < row->stats.high_bytes / 10 * 9 || row->stats.freed_bytes > row->stats.bytes / 2)
		return;
	output_human(gained, growth);
	output_human(rate, units_rate(growth, an->window_ns));
	output_count(objects, row->stats.live_objects);
	add(f, FINDING_GROWS, "+%s (%s/s) to %s objects, %u%% of its bytes freed again: %s", gained, rate, objects,
	    units_share(row->stats.freed_bytes, row->stats.bytes), row->label);
}

static void holds(struct findings *f, const struct analysis *an, struct rank *sites)
{
	const struct rank_row *row = top(sites, RANK_LIVE);
	char live[OUTPUT_HUMAN_BYTES], objects[OUTPUT_HUMAN_BYTES];

	if (!row || row->stats.live_bytes < SMALL_BYTES || row->stats.live_bytes < an->aggregate.total.live_bytes / 4)
		return;
	add(f, FINDING_HOLDS, "%u%% of all that lives, %s in %s objects: %s",
	    units_share(row->stats.live_bytes, an->aggregate.total.live_bytes), output_human(live, row->stats.live_bytes),
	    output_count(objects, row->stats.live_objects), row->label);
}

static void peaks(struct findings *f, const struct analysis *an, struct rank *sites)
{
	const struct stats *total = &an->aggregate.total;
	const struct rank_row *row = top(sites, RANK_PEAK);
	char peak[OUTPUT_HUMAN_BYTES], end[OUTPUT_HUMAN_BYTES], when[UNITS_BYTES];

	if (!row || total->peak_bytes < SMALL_BYTES || total->peak_bytes < total->live_bytes + total->live_bytes / 2)
		return;
	add(f, FINDING_PEAK, "%s at %s against %s at the end; %u%% of it: %s", output_human(peak, total->peak_bytes),
	    units_duration(when, an->aggregate.peak_ns), output_human(end, total->live_bytes),
	    units_share(row->stats.peak_bytes, total->peak_bytes), row->label);
}

static void churns(struct findings *f, const struct analysis *an, struct rank *sites)
{
	const struct rank_row *row = top(sites, RANK_TEMPORARY);
	char rate[OUTPUT_HUMAN_BYTES];

	if (!row || row->stats.temporary < MANY || row->stats.temporary < row->stats.allocs / 2 ||
	    row->stats.temporary < an->aggregate.total.allocs / 20)
		return;
	add(f, FINDING_CHURN, "%s objects/s, %u%% of them freed before that CPU allocates again: %s",
	    output_count(rate, units_rate(row->stats.allocs, an->window_ns)),
	    units_share(row->stats.temporary, row->stats.allocs), row->label);
}

static void remotes(struct findings *f, const struct analysis *an, struct rank *sites)
{
	const struct rank_row *row = top(sites, RANK_REMOTE);
	char count[OUTPUT_HUMAN_BYTES];

	if (!row || row->stats.remote < MANY || row->stats.remote < row->stats.frees / 4 ||
	    row->stats.remote < an->aggregate.total.frees / 20)
		return;
	add(f, FINDING_REMOTE, "%s objects, %u%% of its frees, freed on another CPU: %s",
	    output_count(count, row->stats.remote), units_share(row->stats.remote, row->stats.frees), row->label);
}

static void wastes(struct findings *f, const struct analysis *an, struct rank *caches)
{
	const struct stats *total = &an->aggregate.total;
	const struct rank_row *row = top(caches, RANK_WASTE);
	char waste[OUTPUT_HUMAN_BYTES], count[OUTPUT_HUMAN_BYTES];
	const struct stats *s;

	if (!row)
		return;
	s = &row->stats;
	if (s->live_waste < SMALL_BYTES || s->live_waste < (total->live_bytes + total->live_waste) / 20)
		return;
	add(f, FINDING_WASTE, "%u%% of %s objects is unused, %s: %" PRIu64 " of %" PRIu64 " bytes asked for: %s",
	    units_share(s->live_waste, s->live_bytes + s->live_waste), output_count(count, s->live_objects),
	    output_human(waste, s->live_waste), s->live_bytes / s->live_objects,
	    (s->live_bytes + s->live_waste) / s->live_objects, row->label);
}

void findings_make(struct findings *f, const struct analysis *an, struct rank *sites, struct rank *caches)
{
	memset(f, 0, sizeof(*f));
	missing(f, an);
	stacks(f, an, sites);
	grows(f, an, sites);
	holds(f, an, sites);
	peaks(f, an, sites);
	churns(f, an, sites);
	remotes(f, an, sites);
	wastes(f, an, caches);
}
