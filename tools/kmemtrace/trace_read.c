/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace_read.c - opens a trace: one pass over all chunks, in which everything but
 * events and snapshots is read and those are noted.
 *
 * Damage never ends the reading: what is between two good chunks is skipped and counted.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtrace/trace_priv.h"

#define NS_PER_S   UINT64_C(1000000000)
#define MAX_GAP    (1u << 20) /* numbers that a lost chunk may leave out */

/* ---- lists ------------------------------------------------------------------------------------ */

bool trace_room(void **list, size_t nr, size_t *room, size_t bytes)
{
	size_t more = *room ? 2 * *room : 16;
	void *p;

	if (nr < *room)
		return true;
	p = realloc(*list, more * bytes);
	if (!p)
		return false;
	*list = p;
	*room = more;
	return true;
}

/* A list with numbered items, from 0: fill up with copies of item 0 until `number` is there. */
static bool number_room(void **list, uint32_t *nr, uint32_t *room, size_t bytes, uint32_t number)
{
	size_t wide = *room;

	if (number >= *nr && number - *nr > MAX_GAP)
		return false;
	while (*nr <= number) {
		if (!trace_room(list, *nr, &wide, bytes))
			return false;
		*room = (uint32_t)wide;
		memcpy((char *)*list + *nr * bytes, *list, *nr ? bytes : 0);
		++*nr;
	}
	return true;
}

/* ---- JSON ------------------------------------------------------------------------------------- */

static uint64_t number_of(const json_t *json, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(json, key));

	return value > 0 ? (uint64_t)value : 0;
}

static uint32_t number32_of(const json_t *json, const char *key)
{
	uint64_t value = number_of(json, key);

	return value <= UINT32_MAX ? (uint32_t)value : 0;
}

static const char *text_of(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text ? text : "";
}

static uint64_t hex_of(const json_t *json, const char *key)
{
	return strtoull(text_of(json, key), NULL, 16);
}

/* The document of a chunk's body, which lives as long as the trace. */
static json_t *parse(struct trace *t, const uint8_t *body, size_t bytes)
{
	json_t *json = json_loadb((const char *)body, bytes, 0, NULL);

	if (json && json_array_append_new(t->documents, json))
		return NULL;
	return json;
}

/* ---- what events name ------------------------------------------------------------------------- */

static void read_info(struct trace *t, const json_t *json)
{
	struct trace_info *info = &t->info;

	info->source = strcmp(text_of(json, "source"), "kernel") ? TRACE_LIBRARY : TRACE_KERNEL;
	info->command = text_of(json, "command");
	info->machine = text_of(json, "machine");
	info->start_unix_ns = number_of(json, "start_unix_ns");
	info->nr_cpus = number32_of(json, "cpus");
	info->timed = json_is_true(json_object_get(json, "timed"));
	info->stacks = json_is_true(json_object_get(json, "stacks"));
	t->clock_hz = number_of(json, "ticks_hz");
}

static void read_end(struct trace *t, const json_t *json)
{
	struct trace_info *info = &t->info;

	info->complete = true;
	info->events = number_of(json, "events");
	info->lost = number_of(json, "lost");
	info->unreadable = number_of(json, "unreadable");
	info->no_buffer = number_of(json, "no_buffer");
	info->tails_lost = number_of(json, "tails_lost");
}

static void read_process(struct trace *t, const json_t *json)
{
	const struct trace_process p = {
		.pid = number32_of(json, "pid"), .parent = number32_of(json, "parent"),
		.command = text_of(json, "command"), .begin_ns = number_of(json, "begin_ns"),
		.end_ns = number_of(json, "end_ns"), .os_pid = number32_of(json, "os_pid"),
		.cut_off = json_is_true(json_object_get(json, "cut_off")),
	};

	for (size_t i = 0; i < t->nr_processes; i++)
		if (t->processes[i].pid == p.pid) {
			t->processes[i] = p;
			return;
		}
	if (trace_room((void **)&t->processes, t->nr_processes, &t->processes_room, sizeof(p)))
		t->processes[t->nr_processes++] = p;
}

static uint32_t read_build_id(const char *text, uint8_t *id, uint32_t room)
{
	unsigned int byte;
	uint32_t n = 0;

	while (n < room && sscanf(text + 2 * n, "%2x", &byte) == 1)
		id[n++] = (uint8_t)byte;
	return n;
}

static void read_module(struct trace *t, const json_t *json)
{
	struct trace_module m = {
		.path = text_of(json, "path"), .start = hex_of(json, "start"), .end = hex_of(json, "end"),
		.offset = hex_of(json, "offset"), .vaddr = hex_of(json, "vaddr"), .pid = number32_of(json, "pid"),
	};
	const char *slash = strrchr(m.path, '/');

	m.name = slash ? slash + 1 : m.path;
	m.build_id_len = read_build_id(text_of(json, "build_id"), m.build_id, sizeof(m.build_id));
	if (trace_room((void **)&t->modules, t->nr_modules, &t->modules_room, sizeof(m)))
		t->modules[t->nr_modules++] = m;
}

static uint32_t kind_of(const char *name)
{
	return !strcmp(name, "slab") ? TRACE_CACHE_SLAB : !strcmp(name, "large") ? TRACE_CACHE_LARGE :
	       !strcmp(name, "pages") ? TRACE_CACHE_PAGES : TRACE_CACHE_UNKNOWN;
}

static void read_cache(struct trace *t, const json_t *json)
{
	uint32_t number = number32_of(json, "number");

	if (!number || !number_room((void **)&t->caches, &t->nr_caches, &t->caches_room, sizeof(*t->caches), number))
		return;
	t->caches[number] = (struct trace_cache){
		.name = text_of(json, "name"), .flags = hex_of(json, "flags"), .kind = kind_of(text_of(json, "kind")),
		.pid = number32_of(json, "pid"), .id = number32_of(json, "id"),
		.object_size = number32_of(json, "object_size"), .size = number32_of(json, "size"),
		.align = number32_of(json, "align"), .objects = number32_of(json, "objects"),
		.order = number32_of(json, "order"),
	};
}

static void read_symbol(struct trace *t, const json_t *json)
{
	const struct trace_symbol s = { hex_of(json, "address"), hex_of(json, "offset"), text_of(json, "function") };

	if (trace_room((void **)&t->symbols, t->nr_symbols, &t->symbols_room, sizeof(s)))
		t->symbols[t->nr_symbols++] = s;
}

/* The stacks stay in the body. True: it is as it should be. */
static bool read_stacks(struct trace *t, uint8_t *body, size_t bytes)
{
	struct chunk_stack s;

	while (bytes >= sizeof(s)) {
		memcpy(&s, body, sizeof(s));
		body += sizeof(s);
		bytes -= sizeof(s);
		if (s.nr > bytes / sizeof(uint64_t) || !s.number ||
		    !number_room((void **)&t->stacks, &t->nr_stacks, &t->stacks_room, sizeof(*t->stacks), s.number))
			return false;
		t->stacks[s.number] = (struct trace_stack){ (const uint64_t *)(const void *)body, (uint32_t)s.nr, s.pid };
		body += s.nr * sizeof(uint64_t);
		bytes -= s.nr * sizeof(uint64_t);
	}
	return !bytes;
}

/* ---- chunks ----------------------------------------------------------------------------------- */

void trace_damaged(struct trace *t, uint64_t offset, uint64_t events)
{
	if (!t->info.damaged || offset < t->info.damage_offset)
		t->info.damage_offset = offset;
	t->info.damaged++;
	t->info.damaged_events += events;
}

static void read_list(struct trace *t, json_t *list, void (*read)(struct trace *, const json_t *))
{
	for (size_t i = 0; i < json_array_size(list); i++)
		read(t, json_array_get(list, i));
}

static bool read_json(struct trace *t, enum chunk_type type, const uint8_t *body, size_t bytes)
{
	json_t *json = parse(t, body, bytes);

	if (!json)
		return false;
	switch (type) {
	case CHUNK_INFO:
		read_info(t, json);
		break;
	case CHUNK_PROCESS:
		read_process(t, json);
		break;
	case CHUNK_MODULES:
		read_list(t, json, read_module);
		break;
	case CHUNK_CACHES:
		read_list(t, json, read_cache);
		break;
	case CHUNK_SYMBOLS:
		read_list(t, json, read_symbol);
		break;
	default:
		read_end(t, json);
		break;
	}
	return true;
}

static bool read_clock(struct trace *t, const uint8_t *body, size_t bytes)
{
	struct chunk_clock clock;

	if (bytes != sizeof(clock))
		return false;
	memcpy(&clock, body, sizeof(clock));
	if (!t->nr_clocks++)
		t->clock_first = clock;
	t->clock_last = clock;
	if (!t->info.complete)
		t->info.lost = clock.lost;
	return true;
}

/* 0 or -errno; -EBADMSG: its contents are not what they should be. */
static int read_body(struct trace *t, const struct chunk_ref *ref)
{
	size_t bytes = ref->header.raw_bytes;
	uint8_t *body;
	bool good;
	int ret = chunk_body(&t->in, ref, 0, &body);

	if (ret)
		return ret;
	if (ref->header.type == CHUNK_STACKS) {
		if (!trace_room((void **)&t->bodies, t->nr_bodies, &t->bodies_room, sizeof(*t->bodies))) {
			free(body);
			return -ENOMEM;
		}
		t->bodies[t->nr_bodies++] = body;
		return read_stacks(t, body, bytes) ? 0 : -EBADMSG;
	}
	good = ref->header.type == CHUNK_CLOCK ? read_clock(t, body, bytes) :
	       read_json(t, ref->header.type, body, bytes);
	free(body);
	return good ? 0 : -EBADMSG;
}

static bool is_events(const struct chunk_ref *ref, struct chunk_events *head)
{
	uint64_t bytes = 0;

	memcpy(head, ref->head, sizeof(*head));
	for (int i = 0; i < 4; i++)
		bytes += head->column[i];
	bytes += (uint64_t)head->nr_spans * sizeof(struct chunk_span);
	return ref->header.head_bytes == sizeof(*head) && bytes == ref->header.raw_bytes && head->nr <= 1u << 17 &&
	       head->time_first <= head->time_last;
}

static int note_events(struct trace *t, const struct chunk_ref *ref)
{
	struct trace_chunk chunk = { .offset = ref->offset };

	if (!is_events(ref, &chunk.head))
		return -EBADMSG;
	if (!trace_room((void **)&t->chunks, t->nr_chunks, &t->chunks_room, sizeof(chunk)))
		return -ENOMEM;
	t->chunks[t->nr_chunks++] = chunk;
	if (!t->info.complete)
		t->info.events += chunk.head.nr;
	return 0;
}

static int note_snapshot(struct trace *t, const struct chunk_ref *ref)
{
	struct chunk_snapshot head;

	memcpy(&head, ref->head, sizeof(head));
	if (ref->header.head_bytes != sizeof(head) || head.moment > TRACE_END ||
	    (uint64_t)head.nr_objects * sizeof(struct trace_object) + (uint64_t)head.nr_blocks * sizeof(struct trace_block) !=
		    ref->header.raw_bytes)
		return -EBADMSG;
	if (!trace_room((void **)&t->snapshot_chunks, t->nr_snapshot_chunks, &t->snapshot_chunks_room,
			sizeof(*t->snapshot_chunks)))
		return -ENOMEM;
	t->snapshot_chunks[t->nr_snapshot_chunks].offset = ref->offset;
	t->snapshot_chunks[t->nr_snapshot_chunks++].moment = head.moment;
	return 0;
}

static int read_chunk(struct trace *t, const struct chunk_ref *ref)
{
	switch (ref->header.type) {
	case CHUNK_EVENTS:
		return note_events(t, ref);
	case CHUNK_SNAPSHOT:
		return note_snapshot(t, ref);
	case CHUNK_INFO:
	case CHUNK_PROCESS:
	case CHUNK_MODULES:
	case CHUNK_CACHES:
	case CHUNK_STACKS:
	case CHUNK_CLOCK:
	case CHUNK_SYMBOLS:
	case CHUNK_END:
		return read_body(t, ref);
	default:
		return 0; /* of a later version */
	}
}

/* One pass. 0 or -ENOMEM, -EIO. */
static int read_chunks(struct trace *t)
{
	uint64_t offset = sizeof(struct trace_file_header);
	struct chunk_ref ref;
	uint32_t number = 0;
	int ret;

	while ((ret = chunk_at(&t->in, offset, &ref)) != -ENODATA) {
		if (ret == -EIO)
			return ret;
		if (!ret && chunk_next(&ref) <= t->in.bytes) {
			/* What was skipped in front of it was noted as one; here is how many it were. */
			if (ref.header.number > number + 1)
				t->info.damaged += ref.header.number - number - 1;
			number = ref.header.number + 1;
			ret = read_chunk(t, &ref);
			if (ret && ret != -EBADMSG)
				return ret;
			if (ret)
				trace_damaged(t, offset, ref.header.type == CHUNK_EVENTS ?
						      ((struct chunk_events *)(void *)ref.head)->nr : 0);
			offset = chunk_next(&ref);
			continue;
		}
		trace_damaged(t, offset, 0);
		offset = chunk_search(&t->in, offset + 1);
		t->info.truncated = offset >= t->in.bytes;
	}
	return 0;
}

/* ---- open and close --------------------------------------------------------------------------- */

static int compare_chunks(const void *a, const void *b)
{
	const struct trace_chunk *x = a, *y = b;

	if (x->head.time_first != y->head.time_first)
		return x->head.time_first < y->head.time_first ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static int compare_symbols(const void *a, const void *b)
{
	const struct trace_symbol *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

uint64_t trace_ns(const struct trace *t, uint64_t ticks)
{
	uint64_t since = ticks - t->clock_first.ticks;

	if (ticks < t->clock_first.ticks || !t->info.tsc_hz)
		return 0;
	return (uint64_t)((unsigned __int128)since * NS_PER_S / t->info.tsc_hz);
}

/* The frequency by the first and last clock; of a short recording, what the recorder thought. */
static void set_times(struct trace *t)
{
	uint64_t ticks = t->clock_last.ticks - t->clock_first.ticks, ns = t->clock_last.ns - t->clock_first.ns;
	uint64_t last = t->clock_last.ticks;

	t->info.tsc_hz = t->clock_hz;
	if (t->nr_clocks > 1 && t->clock_last.ns > t->clock_first.ns && ns > NS_PER_S / 100)
		t->info.tsc_hz = (uint64_t)((unsigned __int128)ticks * NS_PER_S / ns);
	for (size_t i = 0; i < t->nr_chunks; i++)
		if (t->chunks[i].head.time_last > last)
			last = t->chunks[i].head.time_last;
	t->info.duration_ns = trace_ns(t, last);
	/* Moments of processes are as the clock says them; here they count from its beginning. */
	for (size_t i = 0; i < t->nr_processes; i++) {
		struct trace_process *p = &t->processes[i];

		p->begin_ns = p->begin_ns > t->clock_first.ns ? p->begin_ns - t->clock_first.ns : 0;
		p->end_ns = p->end_ns > t->clock_first.ns ? p->end_ns - t->clock_first.ns : 0;
	}
}

static bool prepare(struct trace *t)
{
	t->documents = json_array();
	t->info = (struct trace_info){ .version = TRACE_VERSION, .command = "", .machine = "", .timed = true };
	if (!t->documents || !number_room((void **)&t->caches, &t->nr_caches, &t->caches_room, sizeof(*t->caches), 0) ||
	    !number_room((void **)&t->stacks, &t->nr_stacks, &t->stacks_room, sizeof(*t->stacks), 0) ||
	    !trace_room((void **)&t->processes, 0, &t->processes_room, sizeof(*t->processes)))
		return false;
	t->caches[0] = (struct trace_cache){ .name = "?" };
	t->stacks[0] = (struct trace_stack){ 0 };
	return true;
}

int trace_open(struct trace **trace, const char *path, const struct trace_options *options, char *err, size_t len)
{
	struct trace *t = calloc(1, sizeof(*t));
	int ret = -ENOMEM;

	*trace = NULL;
	snprintf(err, len, "%s: out of memory", path);
	if (t) {
		ret = chunk_open(&t->in, path, err, len);
		if (!ret && !prepare(t))
			ret = -ENOMEM;
		if (!ret) {
			ret = read_chunks(t);
			if (ret)
				snprintf(err, len, "%s cannot be read: %s", path, strerror(-ret));
		}
		if (ret) {
			trace_close(t);
			return ret;
		}
		if (options)
			t->options = *options;
		if (t->nr_chunks)
			qsort(t->chunks, t->nr_chunks, sizeof(*t->chunks), compare_chunks);
		if (t->nr_symbols)
			qsort(t->symbols, t->nr_symbols, sizeof(*t->symbols), compare_symbols);
		set_times(t);
		*trace = t;
	}
	return ret;
}

void trace_close(struct trace *t)
{
	if (!t)
		return;
	trace_order_free(t->order);
	trace_names_free(t->names);
	for (size_t i = 0; i < 2; i++) {
		free((void *)(uintptr_t)t->snapshot[i].objects);
		free((void *)(uintptr_t)t->snapshot[i].blocks);
	}
	for (size_t i = 0; i < t->nr_bodies; i++)
		free(t->bodies[i]);
	free(t->bodies);
	free(t->chunks);
	free(t->caches);
	free(t->stacks);
	free(t->processes);
	free(t->modules);
	free(t->symbols);
	free(t->snapshot_chunks);
	json_decref(t->documents);
	chunk_in_close(&t->in);
	free(t);
}

/* ---- questions -------------------------------------------------------------------------------- */

const struct trace_info *trace_info(const struct trace *t)
{
	return &t->info;
}

uint32_t trace_nr_caches(const struct trace *t)
{
	return t->nr_caches;
}

const struct trace_cache *trace_cache(const struct trace *t, uint32_t cache)
{
	return &t->caches[cache < t->nr_caches ? cache : 0];
}

uint32_t trace_nr_stacks(const struct trace *t)
{
	return t->nr_stacks;
}

const struct trace_stack *trace_stack(const struct trace *t, uint32_t stack)
{
	return &t->stacks[stack < t->nr_stacks ? stack : 0];
}

size_t trace_processes(const struct trace *t, const struct trace_process **processes)
{
	*processes = t->processes;
	return t->nr_processes;
}

const struct trace_module *trace_module_of(const struct trace *t, uint32_t pid, uint64_t address)
{
	for (size_t i = 0; i < t->nr_modules; i++) {
		const struct trace_module *m = &t->modules[i];

		if (m->pid == pid && address >= m->start && address < m->end)
			return m;
	}
	return NULL;
}
