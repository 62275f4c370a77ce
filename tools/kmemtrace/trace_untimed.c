/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace_untimed.c - the order of events without time stamps.
 *
 * The events of a CPU are in order, and of each is known between which two moments
 * it happened: those of its buffer, a span. The next event is the one with the
 * earliest guessed time among those that may be next: an allocation where nothing
 * lives, a free where something does. One that may not be next waits, unless it must
 * have happened before all that may: then events are missing, and it is given as it is.
 */
#include <stdlib.h>
#include <string.h>

#include "kmemtrace/alternate.h"
#include "kmemtrace/trace_order.h"

#define NEVER UINT64_MAX

/* Unpacked events of a chunk, used by its spans. */
struct block {
	struct unpacked *events;
	uint64_t users;
};

struct span {
	struct chunk_span is;
	struct block *block;
	const struct unpacked *events;
};

/* A CPU of a process: its spans, by the time they began. */
struct lane {
	uint32_t pid, cpu;
	uint64_t at;        /* of the first span */
	struct span *spans;
	size_t head, nr, room;
};

struct untimed {
	struct lane *lanes;
	size_t nr_lanes, lanes_room;
	size_t next_chunk;
	struct alternate known;
	bool nothing_lives; /* what is not known is free */
};

/* ---- lanes ------------------------------------------------------------------------------------ */

static bool is_empty(const struct lane *l)
{
	return l->head == l->nr;
}

static const struct span *first(const struct lane *l)
{
	return &l->spans[l->head];
}

static const struct unpacked *next_of(const struct lane *l)
{
	return &first(l)->events[l->at];
}

/* Spread evenly over the span. */
static uint64_t guess(const struct lane *l)
{
	const struct chunk_span *s = &first(l)->is;

	return s->first + (s->last - s->first) / s->nr * l->at;
}

static struct lane *lane_of(struct untimed *u, uint32_t pid, uint32_t cpu)
{
	for (size_t i = 0; i < u->nr_lanes; i++)
		if (u->lanes[i].pid == pid && u->lanes[i].cpu == cpu)
			return &u->lanes[i];
	if (!trace_room((void **)&u->lanes, u->nr_lanes, &u->lanes_room, sizeof(*u->lanes)))
		return NULL;
	u->lanes[u->nr_lanes] = (struct lane){ .pid = pid, .cpu = cpu };
	return &u->lanes[u->nr_lanes++];
}

/* Buffers may come late: behind those that began before this one, but not in front of one in use. */
static bool insert(struct lane *l, struct span span)
{
	size_t i;

	if (l->head == l->nr)
		l->head = l->nr = 0;
	if (!trace_room((void **)&l->spans, l->nr, &l->room, sizeof(*l->spans)))
		return false;
	for (i = l->nr++; i > l->head + (l->at > 0) && l->spans[i - 1].is.first > span.is.first; i--)
		l->spans[i] = l->spans[i - 1];
	l->spans[i] = span;
	return true;
}

static void release(struct block *b)
{
	if (--b->users)
		return;
	free(b->events);
	free(b);
}

/* ---- chunks ----------------------------------------------------------------------------------- */

static void join(struct trace *t, struct untimed *u)
{
	struct trace_chunk *c = &t->chunks[u->next_chunk++];
	struct chunk_span *spans;
	struct unpacked *events = order_unpack(t, c, &spans);
	struct lane *l = events ? lane_of(u, c->head.pid, c->head.cpu) : NULL;
	struct block *b = l ? malloc(sizeof(*b)) : NULL;
	const struct unpacked *at = events;

	if (!b) {
		free(events);
		free(spans);
		return;
	}
	*b = (struct block){ events, 1 };
	for (uint32_t i = 0; i < c->head.nr_spans; at += spans[i++].nr)
		if (spans[i].nr && insert(l, (struct span){ spans[i], b, at }))
			b->users++;
	release(b);
	free(spans);
}

static uint64_t join_time(const struct trace *t, const struct untimed *u)
{
	return u->next_chunk < t->nr_chunks ? t->chunks[u->next_chunk].head.time_first : NEVER;
}

/* ---- the choice ------------------------------------------------------------------------------- */

static bool is_alloc(const struct unpacked *e)
{
	return e->op & 1;
}

static bool may_be_next(const struct untimed *u, const struct unpacked *e)
{
	enum alternate_state state;

	if (!e->ptr)
		return true;
	state = alternate_get(&u->known, e->pid, e->op >= KMEM_BATCH_PAGE_ALLOC, e->ptr);
	if (state == ALTERNATE_UNKNOWN)
		return !u->nothing_lives || is_alloc(e);
	return state == (is_alloc(e) ? ALTERNATE_FREE : ALTERNATE_LIVE);
}

struct choice {
	struct lane *allowed; /* with the earliest guess of those that may be next */
	struct lane *due;     /* whose span ends first */
	uint64_t time, due_time;
};

static struct choice choose(const struct untimed *u)
{
	struct choice c = { .time = NEVER, .due_time = NEVER };

	for (size_t i = 0; i < u->nr_lanes; i++) {
		struct lane *l = &u->lanes[i];

		if (is_empty(l))
			continue;
		if (!c.due || first(l)->is.last < c.due_time) {
			c.due = l;
			c.due_time = first(l)->is.last;
		}
		if ((!c.allowed || guess(l) < c.time) && may_be_next(u, next_of(l))) {
			c.allowed = l;
			c.time = guess(l);
		}
	}
	return c;
}

bool untimed_next(struct trace *t, struct untimed *u, struct trace_event *out)
{
	const struct unpacked *e;
	struct choice c = choose(u);
	struct lane *l;

	/* Everybody who may have come before has a say. */
	while (u->next_chunk < t->nr_chunks && (!c.due || join_time(t, u) <= (c.allowed ? c.time : c.due_time))) {
		join(t, u);
		c = choose(u);
	}
	if (!c.due)
		return false;
	l = c.allowed && c.due_time >= first(c.allowed)->is.first ? c.allowed : c.due;
	e = next_of(l);
	t->info.forced += !may_be_next(u, e);
	if (e->ptr)
		alternate_set(&u->known, e->pid, e->op >= KMEM_BATCH_PAGE_ALLOC, e->ptr,
			      is_alloc(e) ? ALTERNATE_LIVE : ALTERNATE_FREE);
	*out = order_event(t, e, l->cpu);
	out->time_ns = trace_ns(t, guess(l));
	if (++l->at == first(l)->is.nr) {
		release(first(l)->block);
		l->head++;
		l->at = 0;
	}
	return true;
}

/* ---- begin and end ---------------------------------------------------------------------------- */

/* What lived at the beginning may be freed. */
static void know_snapshot(struct trace *t, struct untimed *u)
{
	struct trace_snapshot s;

	if (!trace_read_snapshot(t, TRACE_BEGIN, &s))
		return;
	for (size_t i = 0; i < s.nr_objects; i++)
		alternate_set(&u->known, s.objects[i].pid, false, s.objects[i].ptr, ALTERNATE_LIVE);
	for (size_t i = 0; i < s.nr_blocks; i++)
		alternate_set(&u->known, s.blocks[i].pid, true, s.blocks[i].ptr, ALTERNATE_LIVE);
	u->nothing_lives = s.exact && !u->known.failed;
}

struct untimed *untimed_new(struct trace *t)
{
	struct untimed *u = calloc(1, sizeof(*u));

	if (u)
		know_snapshot(t, u);
	return u;
}

void untimed_free(struct untimed *u)
{
	if (!u)
		return;
	for (size_t i = 0; i < u->nr_lanes; i++) {
		for (; !is_empty(&u->lanes[i]); u->lanes[i].head++)
			release(first(&u->lanes[i])->block);
		free(u->lanes[i].spans);
	}
	free(u->lanes);
	alternate_free(&u->known);
	free(u);
}
