/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_records.c - a report as JSON lines or CSV; kmemtrace(1) lists the fields.
 *
 * JSON has one record of each of these: trace, finding (any number), total, rows,
 * lifetime and size (their histograms). CSV has the rows only, as its lines must
 * all have the same fields.
 */
#include "kmemtrace/report.h"

#include "kmemtrace/units.h"

#define SCHEMA 1

static void record_trace(struct output *out, const struct analysis *an)
{
	const struct trace_info *info = an->info;
	const struct trace_process *process;
	size_t nr = trace_processes(an->trace, &process);

	output_begin(out);
	output_string(out, "type", "trace");
	output_number(out, "schema", SCHEMA);
	output_string(out, "file", an->path);
	output_string(out, "source", info->source == TRACE_KERNEL ? "kernel" : "library");
	output_string(out, "machine", info->machine);
	output_string(out, "command", nr ? process[0].command : "");
	output_number(out, "processes", nr);
	output_number(out, "start_unix_ns", info->start_unix_ns);
	output_number(out, "duration_ns", info->duration_ns);
	output_number(out, "window_start_ns", an->aggregate.timeline.start_ns);
	output_number(out, "window_ns", an->window_ns);
	output_bool(out, "timed", info->timed);
	output_bool(out, "stacks", info->stacks);
	output_bool(out, "finished", info->complete);
	output_bool(out, "complete", !analysis_missing(an));
	output_number(out, "events", info->events);
	output_number(out, "lost", info->lost + info->unreadable + info->no_buffer);
	output_number(out, "damaged", info->damaged);
	output_number(out, "failed_allocations", an->failed);
	output_number(out, "double_allocs", an->aggregate.errors.double_allocs);
	output_number(out, "unknown_frees", an->aggregate.errors.unknown_frees);
	output_end(out);
}

static void record_findings(struct output *out, const struct findings *f)
{
	for (size_t i = 0; i < f->nr; i++) {
		output_begin(out);
		output_string(out, "type", "finding");
		output_string(out, "finding", finding_name(f->finding[i].kind));
		output_string(out, "text", f->finding[i].text);
		output_end(out);
	}
}

static void record_total(struct output *out, const struct analysis *an)
{
	output_begin(out);
	output_string(out, "type", "total");
	output_number(out, "peak_ns", an->aggregate.peak_ns);
	rank_record_stats(out, &an->aggregate.total, an->window_ns);
	output_end(out);
}

static void record_octaves(struct output *out, const char *type, const struct histogram *h)
{
	uint64_t octave[HISTOGRAM_OCTAVES];

	histogram_octaves(h, octave);
	for (unsigned int i = 0; i < HISTOGRAM_OCTAVES; i++) {
		if (!octave[i])
			continue;
		output_begin(out);
		output_string(out, "type", type);
		output_number(out, "from", i ? UINT64_C(1) << i : 0);
		output_number(out, "count", octave[i]);
		output_end(out);
	}
}

static void record_rows(struct output *out, const struct analysis *an, enum rank_by by, const struct rank *rank, size_t limit)
{
	for (size_t i = 0; i < rank->nr && (!limit || i < limit); i++) {
		output_begin(out);
		output_string(out, "type", "row");
		rank_record(out, an, by, &rank->row[i]);
		output_end(out);
	}
}

bool report_records(struct analysis *an, const struct report_options *o, struct output *out)
{
	enum rank_by by = o->by < 0 ? RANK_SITE : (enum rank_by)o->by;
	struct rank rank, sites, caches;
	struct findings findings;
	bool ok = rank_build(&rank, an, by);

	ok = rank_build(&sites, an, RANK_SITE) && ok;
	ok = rank_build(&caches, an, RANK_CACHE) && ok;
	if (ok) {
		rank_sort(&rank, o->sort < 0 ? RANK_LIVE : (enum rank_sort)o->sort);
		if (out->format == OUTPUT_JSON) {
			findings_make(&findings, an, &sites, &caches);
			record_trace(out, an);
			record_findings(out, &findings);
			record_total(out, an);
			record_octaves(out, "lifetime", &an->aggregate.total.lifetime);
			record_octaves(out, "size", &an->aggregate.sizes);
		}
		record_rows(out, an, by, &rank, o->limit);
	}
	rank_free(&rank);
	rank_free(&sites);
	rank_free(&caches);
	return ok;
}

/* A row of the timeline from bins [from, to). */
static void record_time(struct output *out, const struct timeline *t, size_t from, size_t to)
{
	struct timeline_bin sum = { 0 };

	for (size_t i = from; i < to; i++) {
		sum.allocs += t->bin[i].allocs;
		sum.frees += t->bin[i].frees;
		sum.bytes += t->bin[i].bytes;
		if (t->bin[i].high_bytes > sum.high_bytes)
			sum.high_bytes = t->bin[i].high_bytes;
	}
	output_begin(out);
	if (out->format == OUTPUT_JSON)
		output_string(out, "type", "time");
	output_number(out, "time_ns", t->start_ns + from * t->width_ns);
	output_number(out, "allocs", sum.allocs);
	output_number(out, "frees", sum.frees);
	output_number(out, "bytes", sum.bytes);
	output_number(out, "live_objects", t->bin[to - 1].live_objects);
	output_number(out, "live_bytes", t->bin[to - 1].live_bytes);
	output_number(out, "high_bytes", sum.high_bytes);
	output_end(out);
}

void report_timeline(const struct analysis *an, size_t rows, struct output *out)
{
	const struct timeline *t = &an->aggregate.timeline;
	size_t nr = rows < t->nr ? rows : t->nr;

	for (size_t i = 0; i < nr; i++)
		record_time(out, t, i * t->nr / nr, (i + 1) * t->nr / nr);
}
