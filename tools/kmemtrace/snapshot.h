/* SPDX-License-Identifier: BSD-2-Clause */
/* snapshot.h - the live objects of a process that stands still, from its memory. */
#ifndef KMEMTRACE_SNAPSHOT_H
#define KMEMTRACE_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#include "common/target.h"
#include "kmemtrace/trace_file.h"

struct snapshot {
	struct trace_object *objects;
	size_t nr_objects;
	struct trace_block *blocks;
	size_t nr_blocks;
};

/*
 * A copy of what says which objects there are: quickly made, since the process
 * stands still meanwhile. One that has not begun with the allocator yet has none.
 */
struct snapshot_copy;

/* Return 0 or -errno with the line in t->message. */
int snapshot_capture(struct snapshot_copy **copy, struct target *t, uint64_t root_addr);

/* The trace's number of a cache. */
typedef uint32_t snapshot_namer(void *context, uint32_t id);

/* Find the objects; the process may run again. Ends the copy in any case. Return 0 or -ENOMEM. */
int snapshot_digest(struct snapshot_copy *copy, uint32_t pid, snapshot_namer *name, void *context,
		    struct snapshot *out);

/* Or do not. NULL is fine. */
void snapshot_drop(struct snapshot_copy *copy);

void snapshot_free(struct snapshot *s);

#endif
