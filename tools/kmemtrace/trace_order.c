/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace_order.c - all events in one order.
 *
 * With time stamps: a heap of the chunks that have events at the moment, each
 * sorted; chunks join when their first event's time comes, so the order of chunks
 * in the file does not matter.
 *
 * Without: the events of one CPU are in order, and of each is known between
 * which two moments it happened (its buffer's span). The next event is the one
 * with the earliest guessed time among those that may be next: an allocation
 * where nothing lives, a free where something does. One that may not be next
 * waits, unless its span says that it must have happened by now.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtrace/alternate.h"
#include "kmemtrace/pack.h"
#include "kmemtrace/trace_priv.h"

#define NEVER UINT64_MAX

/* A chunk in use. */
struct run {
	struct unpacked *events;
	uint64_t *latest;   /* untimed: by event, the end of its span */
	uint32_t nr, at;
	uint32_t pid;
	uint16_t cpu;
};

struct trace_order {
	struct run *runs;   /* timed: a heap by the time of the next event; else in the order in which they joined */
	size_t nr_runs, runs_room;
	size_t next_chunk;
	struct alternate known;
	bool nothing_lives; /* what is not known is free */
};

/* ---- a chunk's events ------------------------------------------------------------------------- */

static int compare_times(const void *a, const void *b)
{
	const struct unpacked *x = a, *y = b;

	return x->time < y->time ? -1 : x->time > y->time;
}

/* Nearly sorted: an interrupted append is a little older than the one before it. */
static void sort_events(struct unpacked *e, uint32_t nr)
{
	uint64_t moves = 0;

	for (uint32_t i = 1; i < nr; i++) {
		struct unpacked one = e[i];
		uint32_t j = i;

		if (e[i - 1].time <= one.time)
			continue;
		for (; j && e[j - 1].time > one.time; j--)
			e[j] = e[j - 1];
		e[j] = one;
		moves += i - j;
		if (moves > 16u * (uint64_t)nr + 1024) {
			qsort(e, nr, sizeof(*e), compare_times);
			return;
		}
	}
}


/* Times for the events of a chunk without: spread evenly over each span. */
static int guess_times(struct run *r, const struct chunk_events *head, const uint8_t *spans)
{
	uint32_t at = 0;

	r->latest = malloc(((size_t)r->nr + 1) * sizeof(*r->latest));
	if (!r->latest)
		return -ENOMEM;
	for (uint32_t s = 0; s < head->nr_spans; s++) {
		struct chunk_span span;

		memcpy(&span, spans + s * sizeof(span), sizeof(span));
		if (span.nr > r->nr - at || span.last < span.first)
			return -EBADMSG;
		for (uint64_t i = 0; i < span.nr; i++, at++) {
			r->events[at].time = span.first + (span.last - span.first) / span.nr * i;
			r->latest[at] = span.last;
		}
	}
	return at == r->nr ? 0 : -EBADMSG;
}

static int unpack_chunk(struct trace *t, const struct trace_chunk *c, struct run *r)
{
	struct chunk_ref ref;
	size_t packed = 0;
	uint8_t *body;
	int ret = chunk_at(&t->in, c->offset, &ref);

	if (!ret)
		ret = chunk_body(&t->in, &ref, PACK_SLACK, &body);
	if (ret)
		return ret;
	r->nr = c->head.nr;
	r->pid = c->head.pid;
	r->cpu = (uint16_t)c->head.cpu;
	for (int i = 0; i < PACK_NR_COLUMNS; i++)
		packed += c->head.column[i];
	r->events = malloc(((size_t)r->nr + 1) * sizeof(*r->events));
	ret = r->events ? unpack(body, c->head.column, r->nr, t->info.timed, c->head.time_base, r->events) : -ENOMEM;
	if (!ret && !t->info.timed)
		ret = guess_times(r, &c->head, body + packed);
	else if (!ret)
		sort_events(r->events, r->nr);
	free(body);
	return ret;
}

static void free_run(struct run *r)
{
	free(r->events);
	free(r->latest);
}

static uint64_t next_time(const struct run *r)
{
	return r->events[r->at].time;
}

/* Let the next chunk join; one that cannot be read is counted and left out. */
static void join(struct trace *t, struct trace_order *o)
{
	struct trace_chunk *c = &t->chunks[o->next_chunk++];
	struct run r = { 0 };

	if (!c->head.nr || c->damaged)
		return;
	if (unpack_chunk(t, c, &r) || !trace_room((void **)&o->runs, o->nr_runs, &o->runs_room, sizeof(r))) {
		c->damaged = true;
		trace_damaged(t, c->offset, c->head.nr);
		free_run(&r);
		return;
	}
	o->runs[o->nr_runs++] = r;
}

static uint64_t join_time(const struct trace *t, const struct trace_order *o)
{
	return o->next_chunk < t->nr_chunks ? t->chunks[o->next_chunk].head.time_first : NEVER;
}

static void give(const struct trace *t, struct run *r, struct trace_event *out)
{
	const struct unpacked *e = &r->events[r->at++];

	*out = (struct trace_event){
		.time_ns = trace_ns(t, e->time), .ptr = e->ptr, .size = e->size, .stack = e->stack, .cache = e->cache,
		.pid = e->pid, .cpu = r->cpu, .op = e->op, .flags = e->flags & (uint8_t)~KMEM_BATCH_STACK,
	};
}

/* ---- with time stamps ------------------------------------------------------------------------- */

static void swap_runs(struct run *a, struct run *b)
{
	struct run c = *a;

	*a = *b;
	*b = c;
}

static void sift_down(struct trace_order *o, size_t i)
{
	for (;;) {
		size_t least = i;

		for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < o->nr_runs; child++)
			if (next_time(&o->runs[child]) < next_time(&o->runs[least]))
				least = child;
		if (least == i)
			return;
		swap_runs(&o->runs[i], &o->runs[least]);
		i = least;
	}
}

static void sift_up(struct trace_order *o, size_t i)
{
	for (; i && next_time(&o->runs[i]) < next_time(&o->runs[(i - 1) / 2]); i = (i - 1) / 2)
		swap_runs(&o->runs[i], &o->runs[(i - 1) / 2]);
}

static bool next_timed(struct trace *t, struct trace_order *o, struct trace_event *out)
{
	while (o->next_chunk < t->nr_chunks && (!o->nr_runs || join_time(t, o) <= next_time(&o->runs[0]))) {
		size_t before = o->nr_runs;

		join(t, o);
		if (o->nr_runs > before)
			sift_up(o, before);
	}
	if (!o->nr_runs)
		return false;
	give(t, &o->runs[0], out);
	if (o->runs[0].at == o->runs[0].nr) {
		free_run(&o->runs[0]);
		o->runs[0] = o->runs[--o->nr_runs];
	}
	sift_down(o, 0);
	return true;
}

/* ---- without ---------------------------------------------------------------------------------- */

static bool is_alloc(const struct unpacked *e)
{
	return e->op & 1;
}

static bool may_be_next(const struct trace_order *o, const struct unpacked *e)
{
	enum alternate_state state;

	if (!e->ptr)
		return true;
	state = alternate_get(&o->known, e->pid, e->op >= KMEM_BATCH_PAGE_ALLOC, e->ptr);
	if (state == ALTERNATE_UNKNOWN)
		return !o->nothing_lives || is_alloc(e);
	return state == (is_alloc(e) ? ALTERNATE_FREE : ALTERNATE_LIVE);
}

/* Only the first run of a CPU of a process may give events: its chunks are in order. */
static bool is_first_of_cpu(const struct trace_order *o, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (o->runs[j].cpu == o->runs[i].cpu && o->runs[j].pid == o->runs[i].pid)
			return false;
	return true;
}

struct choice {
	size_t allowed, any;     /* run of the earliest event that may be next, of the earliest of all */
	uint64_t time, any_time;
	size_t due;              /* of the one whose span ends first */
	uint64_t due_time;
};

static struct choice choose(const struct trace_order *o)
{
	struct choice c = { .time = NEVER, .any_time = NEVER, .due_time = NEVER };

	for (size_t i = 0; i < o->nr_runs; i++) {
		const struct run *r = &o->runs[i];

		if (!is_first_of_cpu(o, i))
			continue;
		if (next_time(r) < c.any_time) {
			c.any = i;
			c.any_time = next_time(r);
		}
		if (r->latest[r->at] < c.due_time) {
			c.due = i;
			c.due_time = r->latest[r->at];
		}
		if (next_time(r) < c.time && may_be_next(o, &r->events[r->at])) {
			c.allowed = i;
			c.time = next_time(r);
		}
	}
	return c;
}

static void remove_run(struct trace_order *o, size_t i)
{
	free_run(&o->runs[i]);
	memmove(&o->runs[i], &o->runs[i + 1], (--o->nr_runs - i) * sizeof(*o->runs));
}

static bool next_untimed(struct trace *t, struct trace_order *o, struct trace_event *out)
{
	const struct unpacked *e;
	struct choice c = choose(o);
	size_t pick;

	/* What has begun by the time of the choice, and all when nothing may be next, has a say. */
	while (join_time(t, o) != NEVER && join_time(t, o) <= c.time && join_time(t, o) <= c.due_time) {
		join(t, o);
		c = choose(o);
	}
	if (!o->nr_runs)
		return false;
	pick = c.allowed;
	if (c.time == NEVER || c.due_time < c.time) {
		pick = c.time == NEVER && c.due_time == NEVER ? c.any : c.due;
		t->info.forced += !may_be_next(o, &o->runs[pick].events[o->runs[pick].at]);
	}
	e = &o->runs[pick].events[o->runs[pick].at];
	if (e->ptr)
		alternate_set(&o->known, e->pid, e->op >= KMEM_BATCH_PAGE_ALLOC, e->ptr,
			      is_alloc(e) ? ALTERNATE_LIVE : ALTERNATE_FREE);
	give(t, &o->runs[pick], out);
	if (o->runs[pick].at == o->runs[pick].nr)
		remove_run(o, pick);
	return true;
}

/* What lived at the beginning may be freed. */
static void know_snapshot(struct trace *t, struct trace_order *o)
{
	struct trace_snapshot s;

	if (!trace_read_snapshot(t, TRACE_BEGIN, &s))
		return;
	for (size_t i = 0; i < s.nr_objects; i++)
		alternate_set(&o->known, s.objects[i].pid, false, s.objects[i].ptr, ALTERNATE_LIVE);
	for (size_t i = 0; i < s.nr_blocks; i++)
		alternate_set(&o->known, s.blocks[i].pid, true, s.blocks[i].ptr, ALTERNATE_LIVE);
	o->nothing_lives = s.exact && !o->known.failed;
}

/* ---- both ------------------------------------------------------------------------------------- */

static struct trace_order *begin(struct trace *t)
{
	struct trace_order *o = calloc(1, sizeof(*o));

	if (o && !t->info.timed)
		know_snapshot(t, o);
	return o;
}

bool trace_next(struct trace *t, struct trace_event *out)
{
	if (!t->order)
		t->order = begin(t);
	if (!t->order)
		return false;
	return t->info.timed ? next_timed(t, t->order, out) : next_untimed(t, t->order, out);
}

void trace_rewind(struct trace *t)
{
	trace_order_free(t->order);
	t->order = NULL;
	t->info.forced = 0;
}

void trace_order_free(struct trace_order *o)
{
	if (!o)
		return;
	for (size_t i = 0; i < o->nr_runs; i++)
		free_run(&o->runs[i]);
	free(o->runs);
	alternate_free(&o->known);
	free(o);
}
