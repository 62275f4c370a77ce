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

static void put(struct pack_bytes *c, uint64_t number)
{
	c->len += pack_number(c->data + c->len, number);
}

static uint32_t place_of(uint64_t site, uint64_t rest, uint64_t who)
{
	uint64_t h = (site ^ rest * UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xd6e8feb86659fd93);

	h = (h ^ h >> 32 ^ who) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(h >> 40) & (PACK_SHAPES - 1);
}

static void put_shape(struct pack_bytes *c, const struct pack_event *e, struct pack_names names)
{
	c->data[c->len++] = e->op;
	c->data[c->len++] = e->flags;
	put(c, e->size);
	put(c, names.cache);
	put(c, names.stack);
	put(c, e->pid);
}

static uint16_t find_place(struct packer *p, const struct pack_event *e, pack_namer *name, void *context)
{
	uint64_t rest = e->size | (uint64_t)e->cache << 32;
	uint64_t who = e->pid | (uint64_t)e->op << 32 | (uint64_t)e->flags << 40 | UINT64_C(1) << 63;
	uint32_t at = place_of(e->site, rest, who);
	struct pack_place *place = &p->place[at];
	struct pack_names names;

	if (place->site == e->site && place->rest == rest && place->who == who)
		return (uint16_t)at;
	names = name(context, e);
	*place = (struct pack_place){ e->site, rest, who, names.cache % PACK_CACHES };
	put_shape(&p->column[PACK_SHAPE], e, names);
	return (uint16_t)(at | PACK_NEW);
}

static void put_time(struct packer *p, uint64_t time)
{
	if (!p->nr)
		p->time = p->time_base = time;
	put(&p->column[PACK_TIMES], to_unsigned(time - p->time));
	p->time = time;
	if (time < p->time_first)
		p->time_first = time;
	if (time > p->time_last)
		p->time_last = time;
}

void pack_event(struct packer *p, const struct pack_event *e, pack_namer *name, void *context)
{
	struct pack_bytes *codes = &p->column[PACK_CODES];
	uint64_t ptr = rotate_right(e->ptr, PTR_ROTATE), *last;
	uint16_t code = find_place(p, e, name, context);

	memcpy(codes->data + codes->len, &code, sizeof(code));
	codes->len += sizeof(code);
	last = &p->ptr[p->place[code & ~PACK_NEW].last];
	put(&p->column[PACK_PTRS], to_unsigned(ptr - *last));
	*last = ptr;
	if (p->timed)
		put_time(p, e->time);
	p->nr++;
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
