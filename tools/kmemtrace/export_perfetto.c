/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * export_perfetto.c - counters over time as Chrome's JSON of trace events:
 * times are microseconds, "C" is a counter, "i" an instant, "M" says what a
 * number means.
 *
 * The time of the recording is cut into ticks; at each a counter that has changed
 * is written.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "kmemtrace/export.h"

#define TICKS 2000u

struct timeline_writer {
	struct analysis *an;
	FILE *file;
	uint64_t tick_ns, next_ns;
	uint64_t *live;      /* bytes per cache, as added up now */
	uint64_t *written;   /* as last written */
	uint64_t allocs;     /* up to the last tick */
	uint32_t nr_caches;
	bool begun;          /* an event stands before: a comma is due */
};

static void begin_event(struct timeline_writer *w, const char *kind, const char *name, uint32_t pid, uint64_t ns)
{
	if (!w->begun)
		fputs("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[", w->file);
	fprintf(w->file, "%s\n{\"ph\":\"%s\",\"name\":", w->begun ? "," : "", kind);
	output_json_string(w->file, name);
	fprintf(w->file, ",\"pid\":%u,\"tid\":%u,\"ts\":%" PRIu64 ".%03u", pid, pid, ns / 1000, (unsigned int)(ns % 1000));
	w->begun = true;
}

static void put_counter(struct timeline_writer *w, const char *name, uint32_t pid, uint64_t ns, const char *key,
			uint64_t value)
{
	begin_event(w, "C", name, pid, ns);
	fprintf(w->file, ",\"args\":{\"%s\":%" PRIu64 "}}", key, value);
}

static void put_tick(struct timeline_writer *w, uint64_t ns)
{
	const struct aggregate *a = &w->an->aggregate;

	for (uint32_t i = 0; i < w->nr_caches; i++)
		w->live[i] = 0;
	for (size_t i = 0; i < a->nr_groups; i++)
		if (a->group[i].cache < w->nr_caches)
			w->live[a->group[i].cache] += a->group[i].stats.live_bytes;
	for (uint32_t i = 0; i < w->nr_caches; i++) {
		const struct trace_cache *cache = trace_cache(w->an->trace, i);

		if (w->live[i] == w->written[i])
			continue;
		put_counter(w, cache->name, cache->pid, ns, "live bytes", w->live[i]);
		w->written[i] = w->live[i];
	}
	put_counter(w, "live", 0, ns, "bytes", a->total.live_bytes);
	put_counter(w, "allocations", 0, ns, "per tick", a->total.allocs - w->allocs);
	w->allocs = a->total.allocs;
}

/* Memory for the counters is taken when the number of caches is known: with the first event. */
static bool prepare(struct timeline_writer *w)
{
	w->nr_caches = trace_nr_caches(w->an->trace);
	w->live = calloc((size_t)w->nr_caches + 1, sizeof(*w->live));
	w->written = calloc((size_t)w->nr_caches + 1, sizeof(*w->written));
	w->tick_ns = w->an->info->duration_ns / TICKS + 1;
	return w->live && w->written;
}

static void each(void *context, const struct aggregate *a, const struct trace_event *e)
{
	struct timeline_writer *w = context;

	(void)a;
	if (!w->tick_ns && !prepare(w))
		w->tick_ns = UINT64_MAX;
	if (e->time_ns < w->next_ns || w->tick_ns == UINT64_MAX)
		return;
	put_tick(w, e->time_ns);
	w->next_ns = e->time_ns - e->time_ns % w->tick_ns + w->tick_ns;
}

static void put_name(struct timeline_writer *w, uint32_t pid, const char *name)
{
	begin_event(w, "M", "process_name", pid, 0);
	fputs(",\"args\":{\"name\":", w->file);
	output_json_string(w->file, name);
	fputs("}}", w->file);
}

static void put_names(struct timeline_writer *w)
{
	const struct trace_process *process;
	size_t nr = trace_processes(w->an->trace, &process);

	put_name(w, 0, "all processes");
	for (size_t i = 0; i < nr; i++) {
		put_name(w, process[i].pid, process[i].command);
		if (process[i].parent && process[i].begin_ns) {
			begin_event(w, "i", "process began", process[i].pid, process[i].begin_ns);
			fputs(",\"s\":\"p\"}", w->file);
		}
		if (process[i].end_ns) {
			begin_event(w, "i", "process ended", process[i].pid, process[i].end_ns);
			fputs(",\"s\":\"p\"}", w->file);
		}
	}
	begin_event(w, "i", "peak", 0, w->an->aggregate.peak_ns);
	fprintf(w->file, ",\"s\":\"g\",\"args\":{\"live bytes\":%" PRIu64 "}}", w->an->aggregate.total.peak_bytes);
}

int export_perfetto(const char *path, const struct analysis_options *options, FILE *file, char *err, size_t len)
{
	struct analysis_options watched = *options;
	struct analysis an;
	struct timeline_writer w = { .an = &an, .file = file };
	int ret;

	watched.each = each;
	watched.context = &w;
	ret = analysis_run(&an, path, &watched, err, len);
	if (!ret && w.tick_ns == UINT64_MAX) {
		snprintf(err, len, "out of memory");
		ret = -ENOMEM;
	}
	if (!ret) {
		if (w.live)
			put_tick(&w, an.info->duration_ns);
		put_names(&w);
		fputs("\n]}\n", file);
	}
	free(w.live);
	free(w.written);
	analysis_close(&an);
	return ret;
}
