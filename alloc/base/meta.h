/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * meta.h - the allocator's own memory: named ranges of address space that are
 * committed as they fill. All metadata is out of line, contiguous and private,
 * so that a reader fetches it in few calls and fork() is safe.
 */
#ifndef BASE_META_H
#define BASE_META_H

#include "base/base.h"
#include "base/lock.h"

struct meta_range {
	uint8_t *base;
	size_t committed; /* bytes from base that may be touched */
	size_t limit;     /* bytes reserved */
	size_t used;      /* meta_carve(): bytes handed out */
	lock_t lock;
};

/*
 * Reserve `limit` bytes for a range and record it as black (observe.h).
 * Return: 0 or -ENOMEM.
 */
int meta_reserve(struct meta_range *range, const char *name, size_t limit);

/* As meta_reserve(), in address space that the caller has reserved: `limit` bytes at base. */
void meta_place(struct meta_range *range, const char *name, void *base, size_t limit);

/* Make [0, bytes) of the range usable; zero-filled. Return: 0 or -ENOMEM. */
int meta_ensure(struct meta_range *range, size_t bytes);

/* Make [from, from + bytes) usable, for ranges that fill in several places. 0 or -ENOMEM. */
int meta_ensure_at(struct meta_range *range, size_t from, size_t bytes);

/* Take `bytes` (zero-filled, aligned) from the range for ever. NULL when it is full or memory is out. */
void *meta_carve(struct meta_range *range, size_t bytes, size_t align);

#endif
