/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * counters.h - the library's own exact counters of one process, added up: read from its
 * memory, nothing is traced.
 */
#ifndef KMEMTRACE_COUNTERS_H
#define KMEMTRACE_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/heap.h"
#include "common/target.h"

enum counter {
	COUNTER_ALLOCS,      /* objects of caches */
	COUNTER_FREES,
	COUNTER_ALLOC_BYTES, /* by the caches' object sizes */
	COUNTER_FREE_BYTES,
	COUNTER_FAILED,
	COUNTER_REFILLS,     /* slots filled */
	COUNTER_FLUSHES,     /* slots emptied */
	COUNTER_BARN_MISSES, /* of those, with slabs, since the barn had no sheaf or room */
	COUNTER_SLABS_NEW,
	COUNTER_SLABS_GONE,
	COUNTER_REMOTE_FREES,
	COUNTER_PAGES_ALLOC, /* pages */
	COUNTER_PAGES_FREE,
	COUNTER_PAGES_PURGED, /* given back to the system */
	COUNTER_STALLS,      /* requests that had to reclaim */
	COUNTER_PURGES,      /* blocks given back, a system call each at most */
	COUNTER_NR
};

/* The name in records ("alloc_bytes"), and the one for people ("bytes allocated"). */
const char *counter_name(enum counter counter);
const char *counter_title(enum counter counter);

struct counters {
	uint64_t value[COUNTER_NR];
};

void counters_add(struct counters *to, const struct counters *from);
/* a - b; 0 where that is less. */
struct counters counters_since(const struct counters *a, const struct counters *b);

/* One process. */
struct counted;

struct counted *counted_new(pid_t pid);
void counted_free(struct counted *c);
pid_t counted_pid(const struct counted *c);

/* Has libkmem been found in it? Return 0; -EAGAIN not yet; -ENOENT and others with one line in err[len]. */
int counted_find(struct counted *c, char *err, size_t len);

/* Read its counters. Those of caches that are destroyed meanwhile stay in the sum. Return 0 or -errno; the old values stay then. */
int counted_read(struct counted *c, char *err, size_t len);

/* From here on counts what counted_since() tells: after a read, or from the beginning of the process. */
void counted_rebase(struct counted *c);
struct counters counted_since(const struct counted *c);

#endif
