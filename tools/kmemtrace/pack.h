/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pack.h - events of one CPU, packed into columns: about 6 bytes each instead of 32,
 * in about as many nanoseconds. docs/TRACE-FORMAT.md, "EVENTS".
 *
 * What an event has in common with earlier ones (operation, size, cache, call
 * site) is a shape; shapes that are in use have a place in a table of both sides,
 * so an event is the number of that place, an address and a time as differences.
 */
#ifndef KMEMTRACE_PACK_H
#define KMEMTRACE_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <kmem/observe_batch.h>

#define PACK_SHAPES     4096u     /* places; a power of two, at most 32768 */
#define PACK_CACHES     256u      /* of which the last address is remembered */
#define PACK_MAX_EVENTS (1u << 17) /* of one packet */

#define PACK_SLACK 64 /* a shape is shorter */

/* What does not fit into the columns of one packet, at most. */
#define PACK_MAX_BYTES ((size_t)PACK_MAX_EVENTS * (2 + 9 + 9 + 2 + 5 + 3 * 9))

/* As the source says it: numbers of its own for site and cache. */
struct pack_event {
	uint64_t time; /* ticks */
	uint64_t ptr;
	uint64_t site;
	uint32_t size;
	uint32_t cache;
	uint32_t pid;
	uint8_t op;
	uint8_t flags;
};

/* What the trace calls them. */
struct pack_names {
	uint32_t stack;
	uint32_t cache;
};

/* Called for each new shape. The names are asked for again in the next packet. */
typedef struct pack_names pack_namer(void *context, const struct pack_event *e);

enum pack_column {
	PACK_CODES,  /* uint16_t: place, PACK_NEW */
	PACK_SHAPE,  /* shapes, as they come */
	PACK_PTRS,
	PACK_TIMES,
	PACK_NR_COLUMNS
};

struct pack_bytes {
	uint8_t *data;
	size_t len, room;
};

struct pack_place {
	uint64_t site;
	uint64_t rest;  /* size, cache */
	uint64_t who;   /* pid, op, flags; 0: the place is empty */
	uint64_t last;  /* index of the address that the next one is a difference to */
};

struct packer {
	struct pack_bytes column[PACK_NR_COLUMNS];
	uint32_t nr;              /* events packed */
	bool timed;
	uint64_t time_base;       /* of the first event */
	uint64_t time_first, time_last; /* smallest, largest */
	uint64_t time;            /* of the last event */
	uint64_t ptr[PACK_CACHES]; /* by the trace's number of the cache */
	struct pack_place place[PACK_SHAPES];
};

/* Begin an empty packet; keeps memory. A new packer is all zero. */
void pack_begin(struct packer *p, bool timed);

/* Room for `nr` more events. Return 0 or -ENOMEM. */
int pack_reserve(struct packer *p, size_t nr);

/* Append; there must be room. */
void pack_event(struct packer *p, const struct pack_event *e, pack_namer *name, void *context);

/* The same with `nr` records of the library, of process `pid`. */
void pack_records(struct packer *p, uint32_t pid, const struct kmem_batch_record *r, uint32_t nr, pack_namer *name,
		  void *context);

void pack_free(struct packer *p);

/* An event as it comes out. */
struct unpacked {
	uint64_t time; /* ticks; 0 without times */
	uint64_t ptr;
	uint64_t size;
	uint32_t stack, cache, pid;
	uint8_t op, flags;
};

/*
 * Unpack `nr` events from columns of these lengths, one behind the other in data,
 * which must have PACK_SLACK more bytes, of any contents.
 * Return 0, -EBADMSG: they are no such columns; -ENOMEM.
 */
int unpack(const uint8_t *data, const uint32_t len[PACK_NR_COLUMNS], uint32_t nr, bool timed, uint64_t time_base,
	   struct unpacked *out);

/*
 * A number of 1 to 9 bytes: as many 0 bits as bytes follow, a 1, then the number;
 * in 9 bytes: a zero byte, then all 64 bits. Writes 9 bytes, whatever it returns.
 */
size_t pack_number(uint8_t *to, uint64_t number);

#endif
