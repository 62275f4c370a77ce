/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * collect.h - counts allocation events of libkmem processes and of the kernel.
 *
 * A collector counts in the kernel, per (cache, call site, event type, process);
 * the tool reads the counters when it wants to draw. Counters only grow: rates
 * are differences of two reads. One collector may watch several processes and
 * the kernel at once.
 *
 *	struct collect *c;
 *	char err[256];
 *
 *	if (collect_open(&c, NULL, err, sizeof(err)) ||
 *	    collect_attach_library(c, &target, err, sizeof(err)))
 *		die("%s", err);
 *	...
 *	collect_read_counts(c, &rows, &nr, err, sizeof(err));
 *	...
 *	collect_close(c);
 *
 * Every function that can fail returns 0 or -errno and then has put one line,
 * without newline, into `err` that names the cause and the remedy. Not thread
 * safe: one thread per collector. Needs CAP_BPF and CAP_PERFMON (or root).
 */
#ifndef COMMON_COLLECT_H
#define COMMON_COLLECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "kmem_event.h"

struct collect;

/* Sets of events, bits 1 << enum kmem_event_type. Each costs time to detach (~0.1 s). */
#define COLLECT_SLAB \
	(1u << KMEM_EV_CACHE_ALLOC | 1u << KMEM_EV_CACHE_FREE | \
	 1u << KMEM_EV_KMALLOC | 1u << KMEM_EV_KFREE)
#define COLLECT_PAGES (1u << KMEM_EV_PAGE_ALLOC | 1u << KMEM_EV_PAGE_FREE)
#define COLLECT_ALL   (COLLECT_SLAB | COLLECT_PAGES)

struct collect_options {
	uint32_t events;      /* which to attach; 0: COLLECT_SLAB */
	uint32_t max_counts;  /* counters per source; 0: 16384 (48 B + 24 B per CPU each) */
	pid_t kernel_pid;     /* kernel source: only what this process causes; 0: everything */
	uint32_t max_sizes;   /* kernel source: count kmalloc() calls by cache and size, so many of them; 0: do not */
	uint32_t max_objects; /* library source: remember who allocated each live object, so many
	                         at a time (16 B each at once, ~96 B more when in use); 0: do not */
};

/* A process to watch; all addresses as its struct kmem_observe says. */
struct collect_target {
	pid_t pid;            /* thread group, as seen from the caller's pid namespace */
	uint64_t root;        /* address of its struct kmem_observe: chooses between several
	                         copies of the library in one process; 0: the first found */
	uint64_t arena_base, arena_limit, idmap, pages;
};

struct collect_count {
	struct kmem_count_key key;
	struct kmem_count count; /* summed over all CPUs */
};

/* kmalloc() calls that asked for so much and were served by this cache. */
struct collect_size {
	struct kmem_size_key key;
	uint64_t events; /* over all CPUs */
};

struct collect_totals {
	struct kmem_totals sum; /* over all CPUs */
	uint64_t missed;        /* program runs that the kernel skipped (an interrupt hit while
	                           the same program ran on that CPU): one event each */
	uint64_t counters_used; /* as of the last collect_read_counts() */
	uint64_t counters_max;
};

/* Where a live object came from. */
struct collect_object {
	uint64_t call_site; /* return address of the allocating call */
	uint64_t time_ns;   /* when, CLOCK_MONOTONIC */
	uint64_t bytes_req;
};

/* Events known to be lost: no tool may call its figures complete unless this is 0. */
static inline uint64_t collect_lost(const struct collect_totals *t)
{
	return t->missed + t->sum.map_full + t->sum.map_busy + t->sum.objects_lost;
}

/* The same for collect_find_object(): events that left an object without its record, seldom with an old one. */
static inline uint64_t collect_lost_objects(const struct collect_totals *t)
{
	return t->missed + t->sum.objects_lost;
}

/*
 * Makes a collector. Loads nothing yet: a source is loaded by the first attach
 * to it. `options` may be NULL for the defaults and is not kept.
 * Returns 0, -EINVAL (unknown event bits) or -ENOMEM.
 */
int collect_open(struct collect **collect, const struct collect_options *options,
		 char *err, size_t len);

/*
 * Starts counting the events of one process that carries libkmem. The probes
 * are looked for in the very file that the process has mapped, also when that
 * was replaced or deleted since, or lives in another mount namespace. All of
 * the events asked for are attached, or none.
 * Returns 0, -ESRCH (no such process), -ENOENT (no libkmem in it), -EEXIST
 * (already attached), -ENOSPC (KMEM_MAX_TARGETS), -EPERM or another -errno.
 */
int collect_attach_library(struct collect *collect, const struct collect_target *target,
			   char *err, size_t len);

/*
 * Stops watching one process, which may have ended; its counters stay
 * readable. Takes ~0.1 s per probe. Returns 0 or -ENOENT.
 */
int collect_detach_library(struct collect *collect, pid_t pid, char *err, size_t len);

/* Starts counting the kernel's events. Returns 0, -EEXIST, -EPERM or another -errno. */
int collect_attach_kernel(struct collect *collect, char *err, size_t len);

/*
 * True if the kernel source can name the cache of kmalloc() and kfree() events;
 * if not, those are counted under KMEM_KEY_UNKNOWN. False before
 * collect_attach_kernel().
 */
bool collect_kernel_names_kmalloc(const struct collect *collect);

/*
 * Reads all counters of all sources: kernel rows have key.tgid 0. The array
 * belongs to the collector, is in no particular order, and is valid until the
 * next read or close. Counting goes on meanwhile, so rows are not of one instant.
 */
int collect_read_counts(struct collect *collect, const struct collect_count **rows,
			size_t *nr, char *err, size_t len);

/*
 * Reads the numbers of kmalloc() calls by cache and size (max_sizes); none of them
 * if they are not counted. The array belongs to the collector, is in no particular
 * order, and is valid until the next call. What found no room: sum.sizes_full.
 */
int collect_read_sizes(struct collect *collect, const struct collect_size **sizes, size_t *nr, char *err, size_t len);

/* Reads the totals and losses of one source; all zero when it was never attached. */
int collect_read_totals(struct collect *collect, enum kmem_source source,
			struct collect_totals *totals, char *err, size_t len);

/*
 * Looks up who allocated the live object that starts at `address` of a process
 * that is or was watched. Returns 0, or -ENOENT without a message: allocated
 * before the process was attached to, freed since, lost (see
 * collect_lost_objects()), or max_objects is 0. Probes are attached one after
 * the other: a record from before collect_attach_library() returned may be of
 * an earlier object at that address, whose free was not seen yet.
 */
int collect_find_object(const struct collect *collect, pid_t pid, uint64_t address,
			struct collect_object *object);

/* Stops all counting; what was counted stays readable. */
void collect_detach(struct collect *collect);

/* Stops all counting and frees everything. NULL is fine. */
void collect_close(struct collect *collect);

#endif
