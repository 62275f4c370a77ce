/* SPDX-License-Identifier: BSD-2-Clause */
/* allocator.h - the algorithms of the library behind one interface, as docs/ALGORITHMS.md names them. */
#ifndef ALLOCATOR_H
#define ALLOCATOR_H

#include "workload.h"

struct allocator {
	const char *name;
	int needs_range; /* it works in a range that start() is given; how small that may be is found by trying */

	/* Why it cannot serve a workload, NULL if it can. May be NULL. */
	const char *(*refuses)(const struct workload *w);

	/* Begin and end. range: bytes, for those that need one. Once per process. */
	void (*start)(const struct workload *w, size_t range);
	void (*stop)(void);

	/* alloc: a new scope is the end of the one before; NULL when there is no room. over: the last scope has ended; may be NULL. */
	void *(*alloc)(uint32_t size, uint32_t scope);
	void (*free)(void *p, uint32_t size, uint32_t scope);
	void (*over)(void);

	/* Bytes that an object of that size occupies; how much is held because p is there, and from where. */
	size_t (*occupies)(uint32_t size);
	size_t (*extent)(void *p, uint32_t size, uintptr_t *from);

	/* Instead of extent: bytes held at the moment. */
	size_t (*held)(void);
};

/* Ends with one whose name is NULL. The first is no algorithm but what none can do better. */
extern const struct allocator allocators[];

#endif
