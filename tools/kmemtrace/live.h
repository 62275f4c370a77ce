/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * live.h - the objects that are alive at a moment of a trace, by address.
 *
 * One open table: an entry is found where its address hashes to, or in the
 * entries behind. With ten million objects nearly every look is a cache miss, so
 * whoever knows its next addresses asks for them early with live_prefetch().
 */
#ifndef KMEMTRACE_LIVE_H
#define KMEMTRACE_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Objects and pages are told apart: a slab and its first object have one address. */
enum live_kind {
	LIVE_OBJECT = 1,
	LIVE_PAGES = 2,
};

enum live_flags {
	LIVE_BEFORE = 1 << 0, /* older than the recording */
	LIVE_SEEN = 1 << 1,   /* for whoever compares two sets */
};

/* 32 bytes: two in a cache line, none in two. */
struct live_object {
	uint64_t ptr;
	uint64_t time_ns; /* of its allocation */
	uint32_t group;   /* the owner's: what it is counted under */
	uint32_t pid;
	uint64_t size : 40; /* bytes asked for */
	uint64_t cpu : 16;
	uint64_t kind : 2;  /* enum live_kind; 0: the entry is free */
	uint64_t flags : 6; /* enum live_flags */
};

/* Zero-initialise. */
struct live {
	struct live_object *entry;
	uint64_t nr;
	uint64_t mask;   /* entries - 1 */
	unsigned int shift;
	size_t bytes;    /* of the mapping */
};

void live_free(struct live *live);

/*
 * The entry of an address, made if there is none: *existed says which. A new
 * one has its key set and is zero otherwise. Valid until the next live_add() or
 * live_take(). NULL: no memory.
 */
struct live_object *live_add(struct live *live, uint32_t pid, enum live_kind kind, uint64_t ptr, bool *existed);

/* The entry of an address, or NULL. */
struct live_object *live_find(const struct live *live, uint32_t pid, enum live_kind kind, uint64_t ptr);

/* Remove an entry; *object is what it was. False: there is none. */
bool live_take(struct live *live, uint32_t pid, enum live_kind kind, uint64_t ptr, struct live_object *object);

/* The next entry at or behind *at, which moves behind it; NULL at the end. Begin with 0. */
struct live_object *live_next(const struct live *live, uint64_t *at);

static inline uint64_t live_slot(const struct live *live, uint32_t pid, uint64_t ptr)
{
	/* Addresses are multiples of 8 at least; what distinguishes them moves to the top. */
	return ((ptr >> 3) + (uint64_t)pid * UINT64_C(0x9e3779b1)) * UINT64_C(0x9e3779b97f4a7c15) >> live->shift;
}

static inline void live_prefetch(const struct live *live, uint32_t pid, uint64_t ptr)
{
	if (live->entry)
		__builtin_prefetch(&live->entry[live_slot(live, pid, ptr)], 1);
}

#endif
