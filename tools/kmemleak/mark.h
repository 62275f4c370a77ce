/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mark.h - the mark phase: from words to everything that they reach.
 *
 * A pure function over memory that the caller provides: no allocation, no
 * system call, no lock, no recursion, no libc. `memory` is where the heap's
 * bytes can be read: a mirror of it, or the heap itself when this runs inside
 * a snapshot of the target.
 *
 *   mark_words(&m, root words, nr);   for every root
 *   mark_drain(&m);                   as often as you like, at last once
 *
 * Any word that holds an address inside an object counts as a reference,
 * wherever in the object it points (m.exact: to its first byte only).
 */
#ifndef KMEMLEAK_MARK_H
#define KMEMLEAK_MARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemleak/model.h"

/* A reached piece of an object that is still to be scanned. */
struct mark_entry {
	uint64_t offset; /* from model.base */
	uint64_t bytes;
};

struct mark {
	struct model *model;
	const uint8_t *memory;    /* byte at heap address a: memory[a - model.base] */
	struct mark_entry *stack; /* [mark_stack_entries()] */
	uint64_t depth;
	bool exact;               /* interior pointers do not count */
	uint64_t nr_marked;       /* objects reached */
	uint64_t nr_words;        /* words looked at */
};

/* Entries that the stack needs at most: an object is on it at most once. */
static inline uint64_t mark_stack_entries(const struct model *m)
{
	return m->nr_objects + 1;
}

/* Look at nr words of memory outside the heap; what they point to goes on the stack. */
void mark_words(struct mark *m, const uint64_t *words, size_t nr);

/* Look at the words of all alloc_pages() blocks: memory of the program, held by page descriptors. */
void mark_root_blocks(struct mark *m);

/* Scan what is on the stack, and what that reaches, until nothing is left. */
void mark_drain(struct mark *m);

#endif
