/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * alternate.h - what is known of addresses: live, free, or nothing; so that events
 * without time stamps can be put in the order in which allocations and frees alternate.
 */
#ifndef KMEMTRACE_ALTERNATE_H
#define KMEMTRACE_ALTERNATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum alternate_state {
	ALTERNATE_UNKNOWN,
	ALTERNATE_LIVE,
	ALTERNATE_FREE,
};

/* Zero-initialise. */
struct alternate {
	uint64_t *words;  /* a hash table: key << 2 | state, 0 empty */
	size_t nr, room;
	bool failed;      /* no memory: what did not fit stays unknown */
};

/* Pages and objects have addresses of their own; `pid` tells processes apart. */
enum alternate_state alternate_get(const struct alternate *a, uint32_t pid, bool pages, uint64_t ptr);
void alternate_set(struct alternate *a, uint32_t pid, bool pages, uint64_t ptr, enum alternate_state state);

void alternate_free(struct alternate *a);

#endif
