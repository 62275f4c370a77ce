/* SPDX-License-Identifier: BSD-2-Clause */
/* numbers.h - a growing table from 64-bit keys to numbers. */
#ifndef KMEMTRACE_NUMBERS_H
#define KMEMTRACE_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

struct number {
	uint64_t key;
	uint32_t number;
	uint32_t used;
};

/* Zero-initialise. */
struct numbers {
	struct number *table;
	size_t nr, room;
};

/* The place of a key's number, 0 when the key is new; valid until the next call. NULL: no memory. */
uint32_t *numbers_at(struct numbers *n, uint64_t key);

void numbers_free(struct numbers *n);

#endif
