/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * krecorder.c - see krecorder.h. Time stamps are CLOCK_MONOTONIC, stacks the one
 * caller that the tracepoints tell, and its name goes into the file, since the kernel
 * of a report may be another one.
 */
#include "kmemtrace/krecorder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "common/bpfenv.h"
#include "common/collect.h"
#include "common/kcaches.h"
#include "common/kstream.h"
#include "common/symbols.h"
#include "kmemtrace/numbers.h"
#include "kmemtrace/progress.h"
#include "kmemtrace/recorder.h"
#include "kmemtrace/trace_write.h"

#define FLUSH_NS   UINT64_C(1000000000)
#define LOOK_NS    UINT64_C(100000000) /* between two looks at the caches */
#define SLEEP_US   500
#define PRIORITY   (-10)
#define HZ_OF_NS   1000000000u

struct krecorder {
	const struct record_options *options;
	struct kstream *stream;
	struct kcaches *kcaches;
	struct symbols *symbols;
	struct trace_writer *writer;
	struct numbers caches, stacks;
	const struct kmem_cache_info *rows;
	size_t nr_rows;
	uint64_t looked_ns;
	struct progress progress;
	char err[512];
};

static struct trace_clock now(void)
{
	struct timespec ts;
	uint64_t ns;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ns = (uint64_t)ts.tv_sec * HZ_OF_NS + (uint64_t)ts.tv_nsec;
	return (struct trace_clock){ ns, ns };
}

/* ---- names ------------------------------------------------------------------------------------ */

static const struct kmem_cache_info *find_row(struct krecorder *r, uint64_t cache)
{
	for (size_t i = 0; i < r->nr_rows; i++)
		if (r->rows[i].cache == cache)
			return &r->rows[i];
	return NULL;
}

/* A cache may be younger than the last look. */
static const struct kmem_cache_info *cache_row(struct krecorder *r, uint64_t cache)
{
	const struct kmem_cache_info *row = find_row(r, cache);
	uint64_t ns = now().ns;

	if (row || !r->kcaches || ns - r->looked_ns < LOOK_NS)
		return row;
	r->looked_ns = ns;
	if (kcaches_read(r->kcaches, &r->rows, &r->nr_rows, r->err, sizeof(r->err)))
		r->nr_rows = 0;
	return find_row(r, cache);
}

static uint32_t add_cache(struct krecorder *r, uint64_t key)
{
	const struct kmem_cache_info *row;
	struct trace_cache c = { .kind = TRACE_CACHE_SLAB };
	char name[32];

	if (key == KMEM_KEY_LARGE || key == KMEM_KEY_PAGES) {
		c.kind = key == KMEM_KEY_LARGE ? TRACE_CACHE_LARGE : TRACE_CACHE_PAGES;
		c.name = key == KMEM_KEY_LARGE ? "(large)" : "(pages)";
		return trace_add_cache(r->writer, &c);
	}
	row = cache_row(r, key);
	snprintf(name, sizeof(name), "0x%llx", (unsigned long long)key);
	c.name = name;
	if (row) {
		c.name = row->name;
		c.flags = row->slab_flags;
		c.object_size = row->object_size;
		c.size = row->size;
		c.align = row->align;
		c.objects = row->objects_per_slab;
		c.order = row->order;
	}
	return trace_add_cache(r->writer, &c);
}

static uint32_t number_of_cache(struct krecorder *r, uint64_t key)
{
	uint32_t *number = key == KMEM_KEY_UNKNOWN ? NULL : numbers_at(&r->caches, key);

	if (!number)
		return 0;
	if (!*number)
		*number = add_cache(r, key);
	return *number;
}

/* "function+0x12 [module]" */
static void add_symbol(struct krecorder *r, uint64_t site)
{
	char name[SYMBOLS_NAME_BYTES], *plus, *end = NULL;
	uint64_t offset;

	symbols_name(r->symbols, site, name, sizeof(name));
	plus = strstr(name, "+0x");
	if (!plus)
		return;
	offset = strtoull(plus + 1, &end, 16);
	/* What is left is "function [module]". */
	memmove(plus, end, strlen(end) + 1);
	trace_add_symbol(r->writer, site, name, offset);
}

static uint32_t number_of_stack(struct krecorder *r, uint64_t site)
{
	uint32_t *number = site ? numbers_at(&r->stacks, site) : NULL;

	if (!number || *number)
		return number ? *number : 0;
	if (r->symbols)
		add_symbol(r, site);
	return *number = trace_add_stack(r->writer, 0, &site, 1);
}

static struct pack_names name_event(void *krecorder, const struct pack_event *e)
{
	return (struct pack_names){ .stack = number_of_stack(krecorder, e->site), .cache = e->cache };
}

static uint8_t op_of(uint8_t type)
{
	static const uint8_t ops[KMEM_EV_NR] = {
		[KMEM_EV_CACHE_ALLOC] = KMEM_BATCH_CACHE_ALLOC, [KMEM_EV_CACHE_FREE] = KMEM_BATCH_CACHE_FREE,
		[KMEM_EV_KMALLOC] = KMEM_BATCH_KMALLOC, [KMEM_EV_KFREE] = KMEM_BATCH_KFREE,
		[KMEM_EV_PAGE_ALLOC] = KMEM_BATCH_PAGE_ALLOC, [KMEM_EV_PAGE_FREE] = KMEM_BATCH_PAGE_FREE,
	};

	return type < KMEM_EV_NR ? ops[type] : 0;
}

static void on_event(void *krecorder, const struct kmem_kernel_event *k)
{
	struct krecorder *r = krecorder;
	const struct pack_event e = {
		.time = k->time_ns, .ptr = k->address, .site = k->call_site, .size = k->bytes_req,
		.cache = number_of_cache(r, k->cache), .pid = k->tgid, .op = op_of(k->type),
	};

	trace_put_event(r->writer, k->cpu, &e, name_event, r);
}

/* ---- begin, loop, end ------------------------------------------------------------------------- */

/* Without names of caches and functions a recording is still one. */
static void open_names(struct krecorder *r)
{
	char why[256];

	if (kcaches_open(&r->kcaches, &(struct kcaches_options){ .no_lists = true }, why, sizeof(why)) ||
	    kcaches_read(r->kcaches, &r->rows, &r->nr_rows, why, sizeof(why)))
		fprintf(stderr, "kmemtrace: caches have no names: %s\n", why);
	r->looked_ns = now().ns;
	if (symbols_open(&r->symbols, 0, why, sizeof(why)))
		fprintf(stderr, "kmemtrace: functions have no names: %s\n", why);
}

static int begin(struct krecorder *r)
{
	const struct record_options *o = r->options;
	const struct kstream_options stream = { .events = COLLECT_ALL, .ring_bytes = o->ring_bytes };
	char machine[512];
	const struct trace_writer_options file = {
		.source = TRACE_KERNEL, .command = o->line, .machine = recorder_machine(machine, sizeof(machine)),
		.nr_cpus = bpfenv_nr_cpus(), .ticks_hz = HZ_OF_NS, .timed = true, .force = o->force,
	};
	int ret = kstream_open(&r->stream, &stream, r->err, sizeof(r->err));

	if (!ret)
		ret = trace_create(&r->writer, o->output, &file, r->err, sizeof(r->err));
	if (ret)
		return ret;
	open_names(r);
	trace_put_clock(r->writer, now(), 0);
	ret = kstream_attach(r->stream, r->err, sizeof(r->err));
	if (ret)
		trace_discard(r->writer);
	return ret;
}

static uint64_t lost_so_far(struct krecorder *r)
{
	struct kstream_totals totals = { 0 };

	if (kstream_read_totals(r->stream, &totals, r->err, sizeof(r->err)))
		return 0;
	return totals.lost + totals.missed;
}

static void loop(struct krecorder *r)
{
	uint64_t end = UINT64_MAX, flushed = now().ns;

	if (r->options->duration_ms)
		end = flushed + r->options->duration_ms * UINT64_C(1000000);
	setpriority(PRIO_PROCESS, 0, PRIORITY);
	while (!recorder_interrupted() && !trace_write_error(r->writer)) {
		struct trace_clock clock;

		kstream_poll(r->stream, on_event, r);
		clock = now();
		if (clock.ns >= end)
			break;
		if (clock.ns - flushed >= FLUSH_NS) {
			trace_flush(r->writer);
			trace_put_clock(r->writer, clock, lost_so_far(r));
			flushed = clock.ns;
		}
		if (progress_due(&r->progress, clock.ns))
			progress_show(&r->progress, clock.ns, trace_written_events(r->writer),
				      trace_written_bytes(r->writer), lost_so_far(r));
		recorder_sleep(SLEEP_US);
	}
}

static int finish(struct krecorder *r)
{
	struct trace_totals totals = { 0 };
	int ret;

	kstream_detach(r->stream, on_event, r);
	totals.lost = lost_so_far(r);
	trace_flush(r->writer);
	trace_put_clock(r->writer, now(), totals.lost);
	trace_finish(r->writer, &totals);
	progress_end(&r->progress, r->options->output, trace_written_events(r->writer), trace_written_bytes(r->writer),
		     &totals);
	ret = trace_write_error(r->writer);
	if (ret)
		fprintf(stderr, "kmemtrace: %s cannot be written: %s; what was written until then can be read\n",
			r->options->output, strerror(-ret));
	return ret ? 1 : 0;
}

int krecorder_run(const struct record_options *options)
{
	struct krecorder r = { .options = options };
	int code = 1;

	progress_init(&r.progress, options->quiet);
	recorder_signals();
	if (begin(&r)) {
		fprintf(stderr, "kmemtrace: %s\n", r.err);
	} else {
		loop(&r);
		code = finish(&r);
	}
	kstream_close(r.stream);
	kcaches_close(r.kcaches);
	symbols_close(r.symbols);
	numbers_free(&r.caches);
	numbers_free(&r.stacks);
	trace_end(r.writer);
	return code;
}
