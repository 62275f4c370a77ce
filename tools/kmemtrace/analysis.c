/* SPDX-License-Identifier: BSD-2-Clause */
/* analysis.c - see analysis.h. */
#include "kmemtrace/analysis.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AHEAD 32u /* events whose places in memory are fetched while those before are worked on */

/* ---- which groups count ---------------------------------------------------------------- */

static bool matches(struct analysis *an, const struct group *g)
{
	struct trace_frame frame[SITES_FRAMES];
	size_t nr;

	if (!regexec(&an->filter, trace_cache(an->trace, g->cache)->name, 0, NULL, 0))
		return true;
	nr = sites_frames(&an->sites, g->stack, frame, SITES_FRAMES);
	for (size_t i = 0; i < nr; i++)
		if (!regexec(&an->filter, frame[i].function, 0, NULL, 0))
			return true;
	return false;
}

static void describe(void *context, struct group *g)
{
	struct analysis *an = context;
	const struct trace_cache *cache = trace_cache(an->trace, g->cache);

	/* Of an unknown cache nothing is known to be wasted: as if each object fitted. */
	g->stride = cache->kind == TRACE_CACHE_SLAB ? cache->size : cache->kind == TRACE_CACHE_UNKNOWN ? 1 : 0;
	g->selected = !an->filters || matches(an, g);
}

/* ---- events ---------------------------------------------------------------------------- */

static struct aggregate_event event_of(const struct analysis *an, const struct trace_event *e)
{
	return (struct aggregate_event){
		.time_ns = e->time_ns,
		.ptr = e->ptr,
		.size = e->size,
		.stack = e->stack,
		.cache = e->cache,
		.pid = e->pid,
		.space = an->info->source == TRACE_KERNEL ? 0 : e->pid,
		.cpu = e->cpu,
	};
}

/* ---- processes ------------------------------------------------------------------------- */

struct analysis_change {
	uint64_t time_ns;
	uint32_t pid;
	bool ends;
};

static bool is_of_pages(const struct analysis *an, uint32_t cache)
{
	return trace_cache(an->trace, cache)->kind == TRACE_CACHE_PAGES;
}

static void before(struct analysis *an, uint64_t time_ns, uint64_t ptr, uint64_t size, uint32_t cache, uint32_t pid)
{
	const struct trace_event e = { .time_ns = time_ns, .ptr = ptr, .size = size, .stack = SITES_BEFORE,
				       .cache = cache, .pid = pid };
	struct aggregate_event event = event_of(an, &e);

	aggregate_before(&an->aggregate, &event);
}

/* What a process had alive when its recording began: objects, or blocks of pages. */
static void take_begin(struct analysis *an, uint32_t pid, uint64_t time_ns)
{
	const struct trace_snapshot *b = &an->begin;

	for (size_t i = 0; !an->options->pages && i < b->nr_objects; i++)
		if (b->objects[i].pid == pid && !is_of_pages(an, b->objects[i].cache))
			before(an, time_ns, b->objects[i].ptr, b->objects[i].size, b->objects[i].cache, pid);
	for (size_t i = 0; an->options->pages && i < b->nr_blocks; i++)
		if (b->blocks[i].pid == pid)
			before(an, time_ns, b->blocks[i].ptr, b->blocks[i].bytes, b->blocks[i].cache, pid);
}

static void take_changes(struct analysis *an, uint64_t time_ns)
{
	while (an->next_change < an->nr_changes && an->change[an->next_change].time_ns <= time_ns) {
		const struct analysis_change *c = &an->change[an->next_change++];

		if (c->ends)
			an->abandoned += aggregate_forget(&an->aggregate, c->pid, c->time_ns);
		else
			take_begin(an, c->pid, c->time_ns);
	}
}

static int compare_changes(const void *a, const void *b)
{
	const struct analysis_change *left = a, *right = b;

	return left->time_ns < right->time_ns ? -1 : left->time_ns > right->time_ns;
}

/*
 * Processes begin at any time. Children that end leave the heap; one that was
 * asked for keeps what it had, which is what it did not free. So do all that are
 * compared with what their memory held at their ends.
 */
static bool plan_changes(struct analysis *an)
{
	const struct trace_process *process;
	size_t nr = trace_processes(an->trace, &process);

	an->has_begin = trace_read_snapshot(an->trace, TRACE_BEGIN, &an->begin);
	an->change = calloc(2 * nr + 1, sizeof(*an->change));
	if (!an->change)
		return false;
	if (an->info->source == TRACE_KERNEL)
		return true;
	for (size_t i = 0; i < nr; i++) {
		const struct trace_process *p = &process[i];

		an->change[an->nr_changes++] = (struct analysis_change){ p->begin_ns, p->pid, false };
		if (p->parent && p->end_ns && !an->options->until_snapshot)
			an->change[an->nr_changes++] = (struct analysis_change){ p->end_ns + 1, p->pid, true };
	}
	qsort(an->change, an->nr_changes, sizeof(*an->change), compare_changes);
	return true;
}

/* ---- following them ---------------------------------------------------------------------- */

static bool is_child(const struct analysis *an, uint32_t pid)
{
	const struct trace_process *process;
	size_t nr = trace_processes(an->trace, &process);

	for (size_t i = 0; i < nr; i++)
		if (process[i].pid == pid)
			return process[i].parent;
	return false;
}

/* A free of what was not alive: why, if there is an innocent reason. */
static void explain_unknown(struct analysis *an, const struct trace_event *e)
{
	struct aggregate_errors *errors = &an->aggregate.errors;

	if (is_child(an, e->pid))
		an->inherited++;
	else if (!an->has_begin)
		an->early_frees++;
	else
		return;
	errors->unknown_frees--;
}

static void take_event(struct analysis *an, const struct trace_event *e)
{
	const struct analysis_options *o = an->options;
	struct aggregate *a = &an->aggregate;
	uint64_t unknown, events;
	struct aggregate_event event;

	if (trace_is_pages(e) != o->pages) {
		an->other++;
		return;
	}
	if (!e->ptr) {
		an->failed++;
		return;
	}
	take_changes(an, e->time_ns);
	unknown = a->errors.unknown_frees;
	events = a->events;
	event = event_of(an, e);
	if (trace_is_alloc(e))
		aggregate_alloc(a, &event);
	else
		aggregate_free(a, &event);
	if (a->errors.unknown_frees != unknown)
		explain_unknown(an, e);
	if (o->each && a->events != events)
		o->each(o->context, a, e);
}

static void take_events(struct analysis *an)
{
	struct trace_event ahead[AHEAD];
	uint64_t read = 0, done = 0;
	bool more = true;

	while (more || done < read) {
		struct trace_event *e = &ahead[read % AHEAD];

		if (more && read - done < AHEAD) {
			more = trace_next(an->trace, e);
			if (!more)
				continue;
			live_prefetch(&an->aggregate.live, an->info->source == TRACE_KERNEL ? 0 : e->pid, e->ptr);
			read++;
			continue;
		}
		take_event(an, &ahead[done++ % AHEAD]);
		if (an->aggregate.no_memory)
			break;
	}
}

/* ---- all of it ------------------------------------------------------------------------- */

static int fail(char *err, size_t len, int code, const char *text)
{
	snprintf(err, len, "%s", text);
	return code;
}

static int prepare(struct analysis *an, const struct analysis_options *o, char *err, size_t len)
{
	const struct trace_options options = { .debug_dir = o->debug_dir, .no_symbols = o->no_symbols };
	struct aggregate_options counting = {
		.from_ns = o->from_ns,
		.to_ns = o->to_ns,
		.by_size = o->by_size,
		.describe = describe,
		.context = an,
	};
	struct trace_snapshot end;
	int ret = trace_open(&an->trace, an->path, &options, err, len);

	if (ret)
		return ret;
	an->info = trace_info(an->trace);
	ret = sites_init(&an->sites, an->trace, o->skip, err, len);
	if (ret)
		return ret;
	if (o->filter) {
		if (regcomp(&an->filter, o->filter, REG_EXTENDED | REG_NOSUB)) {
			snprintf(err, len, "--filter: '%s' is no regular expression", o->filter);
			return -EINVAL;
		}
		an->filters = true;
	}
	if (o->until_snapshot && an->info->timed && trace_read_snapshot(an->trace, TRACE_END, &end) && end.time_ns)
		counting.to_ns = end.time_ns + 1;
	return aggregate_init(&an->aggregate, &counting) && plan_changes(an) ? 0 : fail(err, len, -ENOMEM, "out of memory");
}

int analysis_run(struct analysis *an, const char *path, const struct analysis_options *options, char *err, size_t len)
{
	int ret;

	memset(an, 0, sizeof(*an));
	an->path = path;
	an->options = options;
	ret = prepare(an, options, err, len);
	if (ret)
		return ret;
	take_changes(an, 0);
	take_events(an);
	take_changes(an, an->info->duration_ns);
	aggregate_end(&an->aggregate, an->info->duration_ns);
	if (an->aggregate.no_memory)
		return fail(err, len, -ENOMEM, "out of memory: read less of it with --from and --to");
	an->window_ns = an->aggregate.last_ns - an->aggregate.timeline.start_ns;
	return 0;
}

void analysis_close(struct analysis *an)
{
	if (an->filters)
		regfree(&an->filter);
	aggregate_close(&an->aggregate);
	sites_close(&an->sites);
	free(an->change);
	trace_close(an->trace);
	memset(an, 0, sizeof(*an));
}

uint64_t analysis_missing(const struct analysis *an)
{
	const struct trace_info *info = an->info;

	/* What lay in a buffer is not known; that some did is. */
	return info->lost + info->unreadable + info->no_buffer + info->damaged_events +
	       (info->tails_lost || info->damaged || info->truncated || !info->complete);
}
