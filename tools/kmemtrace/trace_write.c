/* SPDX-License-Identifier: BSD-2-Clause */
/* trace_write.c - what goes into the chunks, and when. */
#include "kmemtrace/trace_write.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kmemtrace/chunk.h"

#define LANE_EVENTS     (PACK_MAX_EVENTS / 2) /* a chunk's worth */
#define STACKS_BYTES    (1u << 20)
#define SNAPSHOT_ITEMS  (1u << 19)

_Static_assert(LANE_EVENTS + KMEM_BATCH_RECORDS <= PACK_MAX_EVENTS, "a batch more fits");
_Static_assert(PACK_MAX_BYTES < CHUNK_MAX_BODY && SNAPSHOT_ITEMS * sizeof(struct trace_block) < CHUNK_MAX_BODY, "fits");

/* Events of one CPU of one process on their way into a chunk. */
struct lane {
	uint32_t pid, cpu;
	struct packer packer;
	struct chunk_span *spans;
	size_t nr_spans, spans_room;
};

struct trace_writer {
	struct chunk_out out;
	struct trace_writer_options options;
	struct lane **lanes;
	size_t nr_lanes;
	struct lane *last_lane;
	json_t *caches, *modules, *symbols; /* arrays that wait to be written */
	uint8_t *stacks;                    /* chunk_stack ... that wait */
	size_t stacks_bytes;
	uint32_t nr_caches, nr_stacks;
	uint64_t events;
	bool hurry;
};

/* ---- small things ----------------------------------------------------------------------------- */

static int out_of_memory(struct trace_writer *w)
{
	if (!w->out.error)
		w->out.error = -ENOMEM;
	return w->out.error;
}

static int put_json(struct trace_writer *w, enum chunk_type type, json_t *json)
{
	char *text = json ? json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	struct iovec body = { text, text ? strlen(text) : 0 };
	int ret = text ? chunk_write(&w->out, type, NULL, 0, &body, 1, body.iov_len > 512) : out_of_memory(w);

	free(text);
	json_decref(json);
	return ret;
}

/* A name may be any bytes; JSON holds UTF-8: others become '?'. */
static json_t *json_text(const char *text)
{
	json_t *json = json_string(text);
	char *copy, *p;

	if (json)
		return json;
	copy = strdup(text);
	for (p = copy; p && *p; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	json = copy ? json_string(copy) : NULL;
	free(copy);
	return json;
}

/* 64 bits do not fit into what JSON calls a number. */
static json_t *json_hex(uint64_t value)
{
	return json_sprintf("%" PRIx64, value);
}

static void wait_json(struct trace_writer *w, json_t **array, json_t *item)
{
	if (!*array)
		*array = json_array();
	if (!item || json_array_append_new(*array, item))
		out_of_memory(w);
}

/* ---- begin ------------------------------------------------------------------------------------ */

static uint64_t unix_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec;
}

static int put_info(struct trace_writer *w)
{
	const struct trace_writer_options *o = &w->options;

	return put_json(w, CHUNK_INFO,
			json_pack("{s:s, s:o, s:o, s:i, s:I, s:I, s:b, s:b}",
				  "source", o->source == TRACE_KERNEL ? "kernel" : "library",
				  "command", json_text(o->command), "machine", json_text(o->machine),
				  "cpus", (int)o->nr_cpus, "start_unix_ns", (json_int_t)unix_ns(),
				  "ticks_hz", (json_int_t)o->ticks_hz, "timed", (int)o->timed, "stacks", (int)o->stacks));
}

int trace_create(struct trace_writer **writer, const char *path, const struct trace_writer_options *options, char *err,
		 size_t len)
{
	struct trace_writer *w = calloc(1, sizeof(*w));
	int ret;

	*writer = NULL;
	if (!w) {
		snprintf(err, len, "out of memory");
		return -ENOMEM;
	}
	w->options = *options;
	ret = chunk_create(&w->out, path, options->force, err, len);
	if (!ret) {
		ret = put_info(w);
		if (ret)
			snprintf(err, len, "%s cannot be written: %s", path, strerror(-ret));
	}
	if (ret) {
		trace_end(w);
		return ret;
	}
	*writer = w;
	return 0;
}

int trace_put_clock(struct trace_writer *w, struct trace_clock now, uint64_t lost)
{
	struct chunk_clock clock = { now.ticks, now.ns, w->events, lost };
	struct iovec body = { &clock, sizeof(clock) };

	return chunk_write(&w->out, CHUNK_CLOCK, NULL, 0, &body, 1, false);
}

/* ---- what events name ------------------------------------------------------------------------- */

static const char *kind_name(uint32_t kind)
{
	static const char *const names[] = { "unknown", "slab", "large", "pages" };

	return names[kind < sizeof(names) / sizeof(names[0]) ? kind : 0];
}

uint32_t trace_add_cache(struct trace_writer *w, const struct trace_cache *c)
{
	uint32_t number = ++w->nr_caches;

	wait_json(w, &w->caches,
		  json_pack("{s:I, s:I, s:I, s:s, s:o, s:I, s:I, s:I, s:I, s:I, s:o}",
			    "number", (json_int_t)number, "pid", (json_int_t)c->pid, "id", (json_int_t)c->id,
			    "kind", kind_name(c->kind), "name", json_text(c->name),
			    "object_size", (json_int_t)c->object_size, "size", (json_int_t)c->size,
			    "align", (json_int_t)c->align, "objects", (json_int_t)c->objects,
			    "order", (json_int_t)c->order, "flags", json_hex(c->flags)));
	return number;
}

static json_t *json_build_id(const struct trace_module *m)
{
	char text[2 * sizeof(m->build_id) + 1] = "";
	uint32_t i;

	for (i = 0; i < m->build_id_len && i < sizeof(m->build_id); i++)
		snprintf(text + 2 * i, 3, "%02x", m->build_id[i]);
	return json_string(text);
}

void trace_add_module(struct trace_writer *w, const struct trace_module *m)
{
	wait_json(w, &w->modules,
		  json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "pid", (json_int_t)m->pid, "path", json_text(m->path),
			    "vaddr", json_hex(m->vaddr),
			    "start", json_hex(m->start), "end", json_hex(m->end), "offset", json_hex(m->offset),
			    "build_id", json_build_id(m)));
}

void trace_add_symbol(struct trace_writer *w, uint64_t address, const char *function, uint64_t offset)
{
	wait_json(w, &w->symbols, json_pack("{s:o, s:o, s:o}", "address", json_hex(address), "function",
					    json_text(function), "offset", json_hex(offset)));
}

static int flush_stacks(struct trace_writer *w)
{
	struct iovec body = { w->stacks, w->stacks_bytes };
	int ret = w->stacks_bytes ? chunk_write(&w->out, CHUNK_STACKS, NULL, 0, &body, 1, true) : 0;

	w->stacks_bytes = 0;
	return ret;
}

uint32_t trace_add_stack(struct trace_writer *w, uint32_t pid, const uint64_t *address, uint32_t nr)
{
	struct chunk_stack stack = { .number = ++w->nr_stacks, .pid = pid, .nr = nr < 256 ? nr : 256 };
	size_t bytes = (size_t)stack.nr * sizeof(*address);

	if (!w->stacks)
		w->stacks = malloc(STACKS_BYTES);
	if (w->stacks_bytes + sizeof(stack) + bytes > STACKS_BYTES)
		flush_stacks(w);
	if (!w->stacks) {
		out_of_memory(w);
		return 0;
	}
	memcpy(w->stacks + w->stacks_bytes, &stack, sizeof(stack));
	memcpy(w->stacks + w->stacks_bytes + sizeof(stack), address, bytes);
	w->stacks_bytes += sizeof(stack) + bytes;
	return stack.number;
}

static int flush_list(struct trace_writer *w, enum chunk_type type, json_t **list)
{
	json_t *json = *list;

	*list = NULL;
	return json ? put_json(w, type, json) : 0;
}

/* Everything that events may name. */
static int flush_names(struct trace_writer *w)
{
	flush_list(w, CHUNK_MODULES, &w->modules);
	flush_list(w, CHUNK_CACHES, &w->caches);
	flush_list(w, CHUNK_SYMBOLS, &w->symbols);
	flush_stacks(w);
	return w->out.error;
}

/* ---- events ----------------------------------------------------------------------------------- */

static struct lane *add_lane(struct trace_writer *w, uint32_t pid, uint32_t cpu)
{
	struct lane **more = realloc(w->lanes, (w->nr_lanes + 1) * sizeof(struct lane *));
	struct lane *lane = calloc(1, sizeof(*lane));

	if (more)
		w->lanes = more;
	if (!more || !lane) {
		out_of_memory(w);
		free(lane);
		return NULL;
	}
	lane->pid = pid;
	lane->cpu = cpu;
	pack_begin(&lane->packer, w->options.timed);
	w->lanes[w->nr_lanes++] = lane;
	return lane;
}

static struct lane *find_lane(struct trace_writer *w, uint32_t pid, uint32_t cpu)
{
	struct lane *lane = w->last_lane;

	if (lane && lane->pid == pid && lane->cpu == cpu)
		return lane;
	for (size_t i = 0; i < w->nr_lanes; i++)
		if (w->lanes[i]->pid == pid && w->lanes[i]->cpu == cpu)
			return w->last_lane = w->lanes[i];
	return w->last_lane = add_lane(w, pid, cpu);
}

static void add_span(struct trace_writer *w, struct lane *lane, struct chunk_span span)
{
	if (lane->nr_spans == lane->spans_room) {
		size_t room = lane->spans_room ? 2 * lane->spans_room : 64;
		struct chunk_span *more = realloc(lane->spans, room * sizeof(*more));

		if (!more) {
			out_of_memory(w);
			return;
		}
		lane->spans = more;
		lane->spans_room = room;
	}
	lane->spans[lane->nr_spans++] = span;
	if (span.first < lane->packer.time_first)
		lane->packer.time_first = span.first;
	if (span.last > lane->packer.time_last)
		lane->packer.time_last = span.last;
}

static int flush_lane(struct trace_writer *w, struct lane *lane)
{
	struct packer *p = &lane->packer;
	struct chunk_events head = {
		.time_base = p->time_base, .time_first = p->time_first, .time_last = p->time_last,
		.nr = p->nr, .pid = lane->pid, .cpu = lane->cpu, .nr_spans = (uint32_t)lane->nr_spans,
	};
	struct iovec body[PACK_NR_COLUMNS + 1];

	if (!p->nr)
		return 0;
	for (int i = 0; i < PACK_NR_COLUMNS; i++) {
		head.column[i] = (uint32_t)p->column[i].len;
		body[i] = (struct iovec){ p->column[i].data, p->column[i].len };
	}
	body[PACK_NR_COLUMNS] = (struct iovec){ lane->spans, lane->nr_spans * sizeof(*lane->spans) };
	flush_names(w);
	chunk_write(&w->out, CHUNK_EVENTS, &head, sizeof(head), body, PACK_NR_COLUMNS + 1, !w->hurry);
	if (!w->out.error)
		w->events += p->nr;
	lane->nr_spans = 0;
	pack_begin(p, w->options.timed);
	return w->out.error;
}

static void free_lane(struct lane *lane)
{
	pack_free(&lane->packer);
	free(lane->spans);
	free(lane);
}

static void end_lanes(struct trace_writer *w, uint32_t pid)
{
	for (size_t i = w->nr_lanes; i--;)
		if (w->lanes[i]->pid == pid) {
			flush_lane(w, w->lanes[i]);
			free_lane(w->lanes[i]);
			w->lanes[i] = w->lanes[--w->nr_lanes];
		}
	w->last_lane = NULL;
}

int trace_put_process(struct trace_writer *w, const struct trace_process *p)
{
	if (p->end_ns)
		end_lanes(w, p->pid);
	return put_json(w, CHUNK_PROCESS,
			json_pack("{s:I, s:I, s:I, s:b, s:o, s:I, s:I}", "pid", (json_int_t)p->pid, "parent",
				  (json_int_t)p->parent, "os_pid", (json_int_t)p->os_pid, "cut_off", (int)p->cut_off, "command", json_text(p->command), "begin_ns",
				  (json_int_t)p->begin_ns, "end_ns", (json_int_t)p->end_ns));
}

int trace_put_batch(struct trace_writer *w, uint32_t pid, const struct kmem_batch *b, uint32_t nr, pack_namer *name,
		    void *context)
{
	struct lane *lane = find_lane(w, pid, b->cpu);

	if (!lane || w->out.error || pack_reserve(&lane->packer, nr))
		return out_of_memory(w);
	if (!w->options.timed)
		add_span(w, lane, (struct chunk_span){ b->tsc_first, b->tsc_last, nr });
	pack_records(&lane->packer, pid, b->record, nr, name, context);
	return lane->packer.nr >= LANE_EVENTS ? flush_lane(w, lane) : 0;
}

int trace_put_event(struct trace_writer *w, uint32_t cpu, const struct pack_event *e, pack_namer *name, void *context)
{
	struct lane *lane = find_lane(w, 0, cpu);

	if (!lane || w->out.error || pack_reserve(&lane->packer, 1))
		return out_of_memory(w);
	pack_event(&lane->packer, e, name, context);
	return lane->packer.nr >= LANE_EVENTS ? flush_lane(w, lane) : 0;
}

int trace_flush(struct trace_writer *w)
{
	flush_names(w);
	for (size_t i = 0; i < w->nr_lanes; i++)
		flush_lane(w, w->lanes[i]);
	return w->out.error;
}

void trace_hurry(struct trace_writer *w, bool hurry)
{
	w->hurry = hurry;
}

/* ---- snapshots -------------------------------------------------------------------------------- */

int trace_put_snapshot(struct trace_writer *w, enum trace_moment moment, uint32_t pid, uint64_t ticks, bool exact,
		       const struct trace_object *objects, size_t nr_objects, const struct trace_block *blocks,
		       size_t nr_blocks)
{
	flush_names(w);
	do {
		size_t o = nr_objects < SNAPSHOT_ITEMS ? nr_objects : SNAPSHOT_ITEMS;
		size_t b = nr_blocks < SNAPSHOT_ITEMS ? nr_blocks : SNAPSHOT_ITEMS;
		struct chunk_snapshot head = {
			.ticks = ticks, .moment = moment, .pid = pid, .nr_objects = (uint32_t)o,
			.nr_blocks = (uint32_t)b, .exact = exact,
		};
		struct iovec body[] = {
			{ (void *)(uintptr_t)objects, o * sizeof(*objects) },
			{ (void *)(uintptr_t)blocks, b * sizeof(*blocks) },
		};

		chunk_write(&w->out, CHUNK_SNAPSHOT, &head, sizeof(head), body, 2, true);
		objects += o;
		blocks += b;
		nr_objects -= o;
		nr_blocks -= b;
	} while ((nr_objects || nr_blocks) && !w->out.error);
	return w->out.error;
}

/* ---- the end ---------------------------------------------------------------------------------- */

uint64_t trace_written_events(const struct trace_writer *w)
{
	return w->events;
}

uint64_t trace_written_bytes(const struct trace_writer *w)
{
	return w->out.bytes;
}

int trace_write_error(const struct trace_writer *w)
{
	return w->out.error;
}

int trace_finish(struct trace_writer *w, const struct trace_totals *totals)
{
	trace_flush(w);
	return put_json(w, CHUNK_END,
			json_pack("{s:I, s:I, s:I, s:I, s:I}", "events", (json_int_t)w->events, "lost",
				  (json_int_t)totals->lost, "unreadable", (json_int_t)totals->unreadable, "no_buffer",
				  (json_int_t)totals->no_buffer, "tails_lost", (json_int_t)totals->tails_lost));
}

void trace_discard(struct trace_writer *w)
{
	chunk_discard(&w->out);
}

int trace_end(struct trace_writer *w)
{
	int ret;

	if (!w)
		return 0;
	ret = chunk_close(&w->out);
	for (size_t i = 0; i < w->nr_lanes; i++)
		free_lane(w->lanes[i]);
	free(w->lanes);
	free(w->stacks);
	json_decref(w->caches);
	json_decref(w->modules);
	json_decref(w->symbols);
	free(w);
	return ret;
}
