/* SPDX-License-Identifier: BSD-2-Clause */
/* pack.c - see pack.h. */
#include "kmemtrace/pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PACK_NEW     0x8000u /* of a code: the shape follows in its column */
#define NUMBER_BYTES 9
#define PTR_ROTATE   3       /* most addresses are multiples of 8 */
#define SHAPE_BYTES  (2 + 5 * NUMBER_BYTES)

_Static_assert(PACK_SHAPES <= PACK_NEW && !(PACK_SHAPES & (PACK_SHAPES - 1)), "places fit beside the mark");

/* What one event adds to each column, at most. Numbers are written 9 bytes at a time. */
static const size_t event_bytes[PACK_NR_COLUMNS] = { sizeof(uint16_t), SHAPE_BYTES, NUMBER_BYTES, NUMBER_BYTES };

static uint64_t to_unsigned(uint64_t difference)
{
	return difference << 1 ^ (uint64_t)((int64_t)difference >> 63);
}

static uint64_t to_signed(uint64_t number)
{
	return number >> 1 ^ (0 - (number & 1));
}

static uint64_t rotate_right(uint64_t value, unsigned int n)
{
	return value >> n | value << (64 - n);
}

size_t pack_number(uint8_t *to, uint64_t number)
{
	unsigned int bytes = (70u - (unsigned int)__builtin_clzll(number | 1)) / 7;

	if (__builtin_expect(bytes > 8, 0)) {
		to[0] = 0;
		memcpy(to + 1, &number, sizeof(number));
		return NUMBER_BYTES;
	}
	number = number << bytes | UINT64_C(1) << (bytes - 1);
	memcpy(to, &number, sizeof(number));
	return bytes;
}

/* Reads 9 bytes, whatever belongs to the number. */
static inline uint64_t number_at(const uint8_t **at)
{
	const uint8_t *p = *at;
	uint64_t word, number;
	unsigned int bytes;

	memcpy(&word, p, sizeof(word));
	if (__builtin_expect(!(word & 0xff), 0)) {
		memcpy(&number, p + 1, sizeof(number));
		*at = p + NUMBER_BYTES;
		return number;
	}
	bytes = (unsigned int)__builtin_ctzll(word) + 1;
	*at = p + bytes;
	return bytes == 8 ? word >> 8 : (word & ((UINT64_C(1) << 8 * bytes) - 1)) >> bytes;
}

/* ---- packing ---------------------------------------------------------------------------------- */

void pack_begin(struct packer *p, bool timed)
{
	for (int i = 0; i < PACK_NR_COLUMNS; i++)
		p->column[i].len = 0;
	p->nr = 0;
	p->timed = timed;
	p->time_first = UINT64_MAX;
	p->time_last = p->time = p->time_base = 0;
	memset(p->ptr, 0, sizeof(p->ptr));
	memset(p->place, 0, sizeof(p->place));
}

int pack_reserve(struct packer *p, size_t nr)
{
	for (int i = 0; i < PACK_NR_COLUMNS; i++) {
		struct pack_bytes *c = &p->column[i];
		size_t need = c->len + nr * event_bytes[i];
		uint8_t *more;

		if (need <= c->room)
			continue;
		more = realloc(c->data, need + need / 2);
		if (!more)
			return -ENOMEM;
		c->data = more;
		c->room = need + need / 2;
	}
	return 0;
}

static uint32_t place_of(uint64_t site, uint64_t rest, uint64_t who)
{
	uint64_t h = site * UINT64_C(0x9e3779b97f4a7c15) + rest * UINT64_C(0xd6e8feb86659fd93) +
		     who * UINT64_C(0xa0761d6478bd642f);

	return (uint32_t)(h >> 40) & (PACK_SHAPES - 1);
}

static void put_shape(struct pack_bytes *c, const struct pack_event *e, struct pack_names names)
{
	uint8_t *at = c->data + c->len;

	*at++ = e->op;
	*at++ = e->flags;
	at += pack_number(at, e->size);
	at += pack_number(at, names.cache);
	at += pack_number(at, names.stack);
	at += pack_number(at, e->pid);
	c->len = (size_t)(at - c->data);
}

static __attribute__((noinline)) void new_shape(struct packer *p, struct pack_place *place, struct pack_place shape,
						const struct pack_event *e, pack_namer *name, void *context)
{
	struct pack_names names = name(context, e);

	shape.last = names.cache % PACK_CACHES;
	*place = shape;
	put_shape(&p->column[PACK_SHAPE], e, names);
}

/* Where the columns that every event has go on. Not in the packer, so that writing bytes leaves them in registers. */
struct cursors {
	uint8_t *code, *ptr, *time;
	uint64_t last_time, first, last;
};

static inline __attribute__((always_inline)) void pack_one(struct packer *p, struct cursors *c,
							   const struct pack_event *e, pack_namer *name, void *context)
{
	struct pack_place shape = {
		.site = e->site, .rest = e->size | (uint64_t)e->cache << 32,
		.who = e->pid | (uint64_t)e->op << 32 | (uint64_t)e->flags << 40 | UINT64_C(1) << 63,
	};
	uint32_t at = place_of(shape.site, shape.rest, shape.who);
	struct pack_place *place = &p->place[at];
	uint64_t ptr = rotate_right(e->ptr, PTR_ROTATE);
	uint16_t code = (uint16_t)at;

	if (__builtin_expect(((place->site ^ shape.site) | (place->rest ^ shape.rest) | (place->who ^ shape.who)) != 0, 0)) {
		new_shape(p, place, shape, e, name, context);
		code |= PACK_NEW;
	}
	memcpy(c->code, &code, sizeof(code));
	c->code += sizeof(code);
	c->ptr += pack_number(c->ptr, to_unsigned(ptr - p->ptr[place->last]));
	p->ptr[place->last] = ptr;
	if (!p->timed)
		return;
	c->time += pack_number(c->time, to_unsigned(e->time - c->last_time));
	c->last_time = e->time;
	c->first = e->time < c->first ? e->time : c->first;
	c->last = e->time > c->last ? e->time : c->last;
}

static struct cursors open_columns(struct packer *p, uint64_t time)
{
	/* The first time is that which differences count from. */
	if (!p->nr)
		p->time = p->time_base = time;
	return (struct cursors){
		.code = p->column[PACK_CODES].data + p->column[PACK_CODES].len,
		.ptr = p->column[PACK_PTRS].data + p->column[PACK_PTRS].len,
		.time = p->column[PACK_TIMES].data + p->column[PACK_TIMES].len,
		.last_time = p->time, .first = p->time_first, .last = p->time_last,
	};
}

static void close_columns(struct packer *p, const struct cursors *c, uint32_t nr)
{
	p->column[PACK_CODES].len = (size_t)(c->code - p->column[PACK_CODES].data);
	p->column[PACK_PTRS].len = (size_t)(c->ptr - p->column[PACK_PTRS].data);
	p->column[PACK_TIMES].len = (size_t)(c->time - p->column[PACK_TIMES].data);
	p->time = c->last_time;
	p->time_first = c->first;
	p->time_last = c->last;
	p->nr += nr;
}

void pack_event(struct packer *p, const struct pack_event *e, pack_namer *name, void *context)
{
	struct cursors c = open_columns(p, e->time);

	pack_one(p, &c, e, name, context);
	close_columns(p, &c, 1);
}

void pack_records(struct packer *p, uint32_t pid, const struct kmem_batch_record *r, uint32_t nr, pack_namer *name,
		  void *context)
{
	struct cursors c;

	if (!nr)
		return;
	c = open_columns(p, r[0].tsc);
	for (uint32_t i = 0; i < nr; i++) {
		const struct pack_event e = {
			.time = r[i].tsc, .ptr = r[i].ptr, .site = r[i].site, .size = r[i].size, .cache = r[i].cache,
			.pid = pid, .op = r[i].op, .flags = r[i].flags,
		};

		pack_one(p, &c, &e, name, context);
	}
	close_columns(p, &c, nr);
}

void pack_free(struct packer *p)
{
	for (int i = 0; i < PACK_NR_COLUMNS; i++) {
		free(p->column[i].data);
		p->column[i] = (struct pack_bytes){ 0 };
	}
}

/* ---- unpacking -------------------------------------------------------------------------------- */

struct shape {
	uint64_t size;
	uint32_t stack, cache, pid;
	uint8_t op, flags;
	bool known;
};

struct unpacker {
	const uint8_t *at[PACK_NR_COLUMNS], *end[PACK_NR_COLUMNS];
	uint64_t time;
	uint64_t ptr[PACK_CACHES];
	struct shape shape[PACK_SHAPES];
};

static inline uint64_t take(struct unpacker *u, enum pack_column column)
{
	return number_at(&u->at[column]);
}

/* Beyond the end of a column is that of the next one, and then the slack: it is enough to look afterwards. */
static bool take_shape(struct unpacker *u, struct shape *shape)
{
	uint64_t cache, stack, pid;

	shape->op = *u->at[PACK_SHAPE]++;
	shape->flags = *u->at[PACK_SHAPE]++;
	shape->known = true;
	shape->size = take(u, PACK_SHAPE);
	shape->cache = (uint32_t)(cache = take(u, PACK_SHAPE));
	shape->stack = (uint32_t)(stack = take(u, PACK_SHAPE));
	shape->pid = (uint32_t)(pid = take(u, PACK_SHAPE));
	return u->at[PACK_SHAPE] <= u->end[PACK_SHAPE] && cache <= UINT32_MAX && stack <= UINT32_MAX &&
	       pid <= UINT32_MAX;
}

static inline bool take_event(struct unpacker *u, uint16_t code, bool timed, struct unpacked *e)
{
	struct shape *shape = &u->shape[code & (PACK_SHAPES - 1)];
	uint64_t *last;

	if (code & PACK_NEW ? !take_shape(u, shape) : !shape->known)
		return false;
	last = &u->ptr[shape->cache % PACK_CACHES];
	*last += to_signed(take(u, PACK_PTRS));
	e->ptr = rotate_right(*last, 64 - PTR_ROTATE);
	e->size = shape->size;
	e->stack = shape->stack;
	e->cache = shape->cache;
	e->pid = shape->pid;
	e->op = shape->op;
	e->flags = shape->flags;
	if (timed)
		u->time += to_signed(take(u, PACK_TIMES));
	e->time = timed ? u->time : 0;
	return u->at[PACK_PTRS] <= u->end[PACK_PTRS] && u->at[PACK_TIMES] <= u->end[PACK_TIMES];
}

static bool take_events(struct unpacker *u, uint32_t nr, bool timed, struct unpacked *out)
{
	uint16_t code;
	uint32_t i;

	for (i = 0; i < nr; i++) {
		memcpy(&code, u->at[PACK_CODES] + i * sizeof(code), sizeof(code));
		if ((code & ~PACK_NEW) >= PACK_SHAPES || !take_event(u, code, timed, &out[i]))
			return false;
	}
	u->at[PACK_CODES] += nr * sizeof(code);
	for (i = 0; i < PACK_NR_COLUMNS; i++)
		if (u->at[i] != u->end[i])
			return false;
	return true;
}

int unpack(const uint8_t *data, const uint32_t len[PACK_NR_COLUMNS], uint32_t nr, bool timed, uint64_t time_base,
	   struct unpacked *out)
{
	struct unpacker *u;
	bool ok;

	if (len[PACK_CODES] != (uint64_t)nr * sizeof(uint16_t))
		return -EBADMSG;
	u = calloc(1, sizeof(*u));
	if (!u)
		return -ENOMEM;
	for (int i = 0; i < PACK_NR_COLUMNS; i++) {
		u->at[i] = data;
		u->end[i] = data += len[i];
	}
	u->time = time_base;
	ok = take_events(u, nr, timed, out);
	free(u);
	return ok ? 0 : -EBADMSG;
}
