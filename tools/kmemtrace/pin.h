/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pin.h - `kmemtrace pin`: which call sites keep slabs that are mostly free from
 * going back to the system.
 *
 * A slab in which one object lives is kept for it, all its bytes. What is free in
 * a slab is charged to the objects that live in it, in equal shares; a slab whose
 * objects all come from one site is that site's alone: freeing those gives all of
 * it back.
 */
#ifndef KMEMTRACE_PIN_H
#define KMEMTRACE_PIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtrace/analysis.h"
#include "kmemtrace/histogram.h"

struct pin_row {
	uint32_t site;          /* sites.site[] */
	uint32_t cache;         /* of its last object */
	bool caches;            /* several */
	uint64_t objects, bytes; /* in sparse slabs */
	uint64_t pinned;        /* free bytes of those slabs, its share */
	uint64_t slabs, slab_bytes;
	uint64_t alone_slabs, alone_bytes; /* of those, slabs that only it keeps */
	uint64_t alone_objects; /* in those */
	uint64_t pageblocks;    /* sparse ones that it has objects in */
	uint64_t unknown_age;   /* objects older than the recording */
	struct histogram age;   /* of the others, ns */

	/* Private. */
	size_t last_block, last_pageblock; /* number + 1 */
};

struct pin {
	struct pin_row *row;    /* by pinned bytes, the most first */
	size_t nr;
	uint64_t slabs, sparse_slabs;
	uint64_t slab_bytes, sparse_bytes; /* of their pages */
	uint64_t pinned;        /* free bytes in sparse slabs */
	uint64_t pageblocks, sparse_pageblocks;
	unsigned int below;     /* percent */
};

/*
 * Join the objects and slabs of a moment with who allocated them. Slabs and
 * pageblocks (2 MiB) are sparse when less than `below` percent of their bytes are
 * in use. False: no memory. pin_free() in any case.
 */
bool pin_make(struct pin *pin, struct analysis *an, const struct trace_snapshot *moment, unsigned int below);
void pin_free(struct pin *pin);

/* The whole command: argv[0] is "pin". Return its exit code. */
int pin_main(int argc, char **argv);

#endif
