/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace_order.c - all events in one order, by their time stamps: a heap of the chunks
 * that have events at the moment, each sorted. Chunks join when their first event's time
 * comes, so their order in the file does not matter.
 */
#include "kmemtrace/trace_order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A chunk in use. */
struct run {
	struct unpacked *events;
	uint32_t nr, at;
	uint32_t cpu;
};

struct trace_order {
	struct run *runs;   /* a heap by the time of the next event */
	size_t nr_runs, runs_room;
	size_t next_chunk;
	struct untimed *untimed;
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

static bool spans_fit(const struct chunk_events *head, const struct chunk_span *spans)
{
	uint64_t nr = 0;

	for (uint32_t i = 0; i < head->nr_spans; i++) {
		if (spans[i].nr > head->nr || spans[i].last < spans[i].first)
			return false;
		nr += spans[i].nr;
	}
	return nr == head->nr;
}

static int unpack_chunk(struct trace *t, const struct trace_chunk *c, struct unpacked **events,
			struct chunk_span **spans)
{
	const struct chunk_events *head = &c->head;
	size_t packed = 0, bytes = head->nr_spans * sizeof(**spans);
	struct chunk_ref ref;
	uint8_t *body;
	int ret = chunk_at(&t->in, c->offset, &ref);

	if (!ret)
		ret = chunk_body(&t->in, &ref, PACK_SLACK, &body);
	if (ret)
		return ret;
	for (int i = 0; i < PACK_NR_COLUMNS; i++)
		packed += head->column[i];
	*events = malloc((head->nr + (size_t)1) * sizeof(**events));
	*spans = malloc(bytes + 1);
	ret = *events && *spans ? unpack(body, head->column, head->nr, t->info.timed, head->time_base, *events) : -ENOMEM;
	if (!ret) {
		memcpy(*spans, body + packed, bytes);
		if (!t->info.timed && !spans_fit(head, *spans))
			ret = -EBADMSG;
	}
	free(body);
	return ret;
}

struct unpacked *order_unpack(struct trace *t, struct trace_chunk *c, struct chunk_span **spans)
{
	struct unpacked *events = NULL;

	*spans = NULL;
	if (!c->head.nr || c->damaged)
		return NULL;
	if (!unpack_chunk(t, c, &events, spans))
		return events;
	c->damaged = true;
	trace_damaged(t, c->offset, c->head.nr);
	free(events);
	free(*spans);
	*spans = NULL;
	return NULL;
}

struct trace_event order_event(const struct trace *t, const struct unpacked *e, uint32_t cpu)
{
	return (struct trace_event){
		.time_ns = trace_ns(t, e->time), .ptr = e->ptr, .size = e->size, .stack = e->stack, .cache = e->cache,
		.pid = e->pid, .cpu = (uint16_t)cpu, .op = e->op, .flags = e->flags & (uint8_t)~KMEM_BATCH_STACK,
	};
}

/* ---- the heap --------------------------------------------------------------------------------- */

static uint64_t next_time(const struct run *r)
{
	return r->events[r->at].time;
}

static void swap_runs(struct run *a, struct run *b)
{
	struct run c = *a;

	*a = *b;
	*b = c;
}

static void sift_down(struct trace_order *o)
{
	size_t i = 0;

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

static void join(struct trace *t, struct trace_order *o)
{
	struct trace_chunk *c = &t->chunks[o->next_chunk++];
	struct chunk_span *spans;
	struct run r = { .events = order_unpack(t, c, &spans), .nr = c->head.nr, .cpu = c->head.cpu };

	free(spans);
	if (!r.events)
		return;
	if (!trace_room((void **)&o->runs, o->nr_runs, &o->runs_room, sizeof(r))) {
		trace_damaged(t, c->offset, c->head.nr);
		free(r.events);
		return;
	}
	sort_events(r.events, r.nr);
	o->runs[o->nr_runs++] = r;
	sift_up(o, o->nr_runs - 1);
}

static bool next_timed(struct trace *t, struct trace_order *o, struct trace_event *out)
{
	struct run *r;

	while (o->next_chunk < t->nr_chunks &&
	       (!o->nr_runs || t->chunks[o->next_chunk].head.time_first <= next_time(&o->runs[0])))
		join(t, o);
	if (!o->nr_runs)
		return false;
	r = &o->runs[0];
	*out = order_event(t, &r->events[r->at++], r->cpu);
	if (r->at == r->nr) {
		free(r->events);
		*r = o->runs[--o->nr_runs];
	}
	sift_down(o);
	return true;
}

/* ---- both ways -------------------------------------------------------------------------------- */

static struct trace_order *begin(struct trace *t)
{
	struct trace_order *o = calloc(1, sizeof(*o));

	if (o && !t->info.timed) {
		o->untimed = untimed_new(t);
		if (!o->untimed) {
			free(o);
			return NULL;
		}
	}
	return o;
}

bool trace_next(struct trace *t, struct trace_event *out)
{
	if (!t->order)
		t->order = begin(t);
	if (!t->order)
		return false;
	return t->order->untimed ? untimed_next(t, t->order->untimed, out) : next_timed(t, t->order, out);
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
		free(o->runs[i].events);
	free(o->runs);
	untimed_free(o->untimed);
	free(o);
}
