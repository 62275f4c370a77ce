/* SPDX-License-Identifier: BSD-2-Clause */
/* report_verify.c - see report_verify.h. */
#include "kmemtrace/report_verify.h"

#include <inttypes.h>

#define SHOWN 20u /* differences of each kind */

struct verdict {
	uint64_t compared;  /* in both */
	uint64_t missing;   /* in the snapshot only */
	uint64_t extra;     /* in the events only */
	uint64_t others;    /* alive in processes that had ended before */
};

static bool is_of_pages(const struct analysis *an, uint32_t cache)
{
	return trace_cache(an->trace, cache)->kind == TRACE_CACHE_PAGES;
}

static void check_snapshot(struct analysis *an, const struct trace_snapshot *end, struct verdict *v, FILE *file)
{
	for (size_t i = 0; i < end->nr_objects; i++) {
		const struct trace_object *o = &end->objects[i];
		const struct trace_cache *cache = trace_cache(an->trace, o->cache);
		struct live_object *live;

		if (cache->kind == TRACE_CACHE_PAGES)
			continue;
		live = live_find(&an->aggregate.live, o->pid, LIVE_OBJECT, o->ptr);
		if (live) {
			live->flags |= LIVE_SEEN;
			v->compared++;
			continue;
		}
		if (v->missing++ < SHOWN)
			fprintf(file, "in memory, but not in the events: 0x%" PRIx64 ", %" PRIu64 " bytes, %s, PID %u\n",
				o->ptr, o->size, cache->name, o->pid);
	}
}

static bool has_snapshot(const struct trace_snapshot *end, uint32_t pid)
{
	size_t low = 0, high = end->nr_blocks;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (end->blocks[middle].pid < pid)
			low = middle + 1;
		else
			high = middle;
	}
	return low < end->nr_blocks && end->blocks[low].pid == pid;
}

static void check_events(struct analysis *an, const struct trace_snapshot *end, struct verdict *v, FILE *file)
{
	const struct live_object *o;
	uint64_t at = 0;

	while ((o = live_next(&an->aggregate.live, &at))) {
		const struct group *g = &an->aggregate.group[o->group];

		if ((o->flags & LIVE_SEEN) || is_of_pages(an, g->cache))
			continue;
		if (!has_snapshot(end, o->pid)) {
			v->others++;
			continue;
		}
		if (v->extra++ < SHOWN)
			fprintf(file, "in the events, but not in memory: 0x%" PRIx64 ", %" PRIu64 " bytes, %s, PID %u, by %s\n",
				o->ptr, (uint64_t)o->size, trace_cache(an->trace, g->cache)->name, o->pid,
				an->sites.site[sites_of(&an->sites, g->stack)].label);
	}
}

int report_verify(struct analysis *an, FILE *file)
{
	const struct aggregate_errors *errors = &an->aggregate.errors;
	struct trace_snapshot end;
	struct verdict v = { 0 };
	bool equal;

	if (!trace_read_snapshot(an->trace, TRACE_END, &end)) {
		fprintf(file, "%s has no list of what lived at its end: nothing to compare with\n", an->path);
		return 1;
	}
	check_snapshot(an, &end, &v, file);
	check_events(an, &end, &v, file);
	equal = !v.missing && !v.extra && !errors->double_allocs && !errors->unknown_frees;
	fprintf(file, "%s: %" PRIu64 " events lead to %" PRIu64 " live objects; in memory are %" PRIu64 " of them",
		equal ? "EQUAL" : "NOT EQUAL", an->aggregate.total.allocs + an->aggregate.total.frees,
		v.compared + v.extra, v.compared);
	if (!equal)
		fprintf(file, " and %" PRIu64 " more; %" PRIu64 " allocations of live addresses, %" PRIu64 " frees of dead ones",
			v.missing, errors->double_allocs, errors->unknown_frees);
	if (v.others)
		fprintf(file, "; %" PRIu64 " of processes that had ended were not compared", v.others);
	putc('\n', file);
	if (!equal && analysis_missing(an))
		fputs("Events are missing from this recording, which may be all there is to it.\n", file);
	if (!equal && !end.exact)
		fputs("The processes ran on while their memory was read, which may be all there is to it.\n", file);
	return equal ? 0 : 1;
}
