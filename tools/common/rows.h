/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rows.h - one row type for a cache, whether it is the kernel's or a process's.
 *
 * A row has a fixed set of fields. What its source does not know is marked
 * unknown and is never a zero: row_known() before row->value[]. Rates appear
 * when rows_rates() has compared two tables.
 *
 *   source                      fills in
 *   rows_add_slabinfo()         /proc/slabinfo, numbers as procps takes them
 *   rows_add_kcaches()          the BPF walker over the kernel's caches: true ACTIVE
 *   rows_add_heap()             a libkmem process: true ACTIVE, counters
 */
#ifndef COMMON_ROWS_H
#define COMMON_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ROW_NAME_BYTES 128 /* as procps; the kernel itself prints up to this */

enum row_field {
	ROW_OBJECTS,          /* that fit into the slabs */
	ROW_ACTIVE,           /* in the hands of callers, or what the source calls so */
	ROW_SLABS,
	ROW_ACTIVE_SLABS,     /* what slabinfo calls so; SLUB says all are */
	ROW_OBJECT_SIZE,      /* bytes asked for per object */
	ROW_SIZE,             /* bytes per object in the slab */
	ROW_OBJECTS_PER_SLAB,
	ROW_PAGES_PER_SLAB,
	ROW_BYTES,            /* slabs * pages per slab * page size */
	ROW_CACHED,           /* free, parked in per-CPU arrays, CPU slabs or barns */
	ROW_PARTIAL,          /* slabs on partial lists */
	ROW_ALLOCS,           /* served so far */
	ROW_FREES,
	ROW_REFILLS,          /* per-CPU arrays filled from below */
	ROW_FLUSHES,
	ROW_BARN_GETS,        /* refills served by the barn */
	ROW_FAILURES,         /* allocations that returned NULL */
	ROW_ALLOC_RATE,       /* per second */
	ROW_FREE_RATE,
	ROW_NR_FIELDS
};

enum row_kind {
	ROW_KERNEL,
	ROW_PROCESS,
};

/* Where rows come from. Compared by address: it outlives the rows. */
struct row_source {
	enum row_kind kind;
	pid_t pid;       /* 0: the kernel */
	char label[64];  /* "kernel", "redis-server:4711" */
};

struct row {
	const struct row_source *source;
	uint32_t known;  /* bits 1 << enum row_field */
	uint32_t index;  /* position in the source's own order: ties keep it */
	uint64_t id;     /* with source and name: the same cache at another time */
	bool torn;       /* changed while it was read: off by what was in flight */
	bool dead;       /* destroyed, kept because objects are left */
	uint64_t value[ROW_NR_FIELDS];
	const char *const *aliases; /* other names of the same cache; belong to the source */
	size_t nr_aliases;
	char name[ROW_NAME_BYTES];
};

struct rows {
	struct row *row;
	size_t nr, room;
	uint64_t ns;     /* CLOCK_MONOTONIC when they were read */
};

/* The sums of procps' five header lines. */
struct rows_totals {
	uint64_t caches, active_caches; /* active: has objects */
	uint64_t objects, active_objects;
	uint64_t slabs, active_slabs;
	uint64_t bytes, active_bytes;   /* objects * size */
	uint64_t min_size, avg_size, max_size;
	uint64_t cached, partial_slabs, torn;
	bool knows_partial;             /* all rows do */
	bool any_unknown_active;
};

struct heap;
struct kmem_cache_info;

/* Key of a field in JSON and CSV ("objects"). */
const char *row_field_key(enum row_field field);

static inline bool row_known(const struct row *row, enum row_field field)
{
	return row->known & 1u << field;
}

static inline void row_set(struct row *row, enum row_field field, uint64_t value)
{
	row->value[field] = value;
	row->known |= 1u << field;
}

/* 100 * active / objects, cut off as procps does; 0 without objects. False if unknown. */
bool row_use_percent(const struct row *row, uint64_t *percent);

/* Forget the rows, keep the room. */
void rows_clear(struct rows *rows);

/* Release the memory. */
void rows_free(struct rows *rows);

/* Append an empty row. NULL without memory; pointers to earlier rows die. */
struct row *rows_add(struct rows *rows, const struct row_source *source);

/*
 * Append the caches of the text of /proc/slabinfo (version 2.x), with exactly
 * the numbers that procps shows for it. Return 0, -EINVAL (no slabinfo) or
 * -ENOMEM.
 */
int rows_add_slabinfo(struct rows *rows, const struct row_source *source, const char *text);

/* Append the caches that the walker has read. Return 0 or -ENOMEM. */
int rows_add_kcaches(struct rows *rows, const struct row_source *source, const struct kmem_cache_info *info, size_t nr);

/* Append the caches of a snapshot. Return 0 or -ENOMEM. */
int rows_add_heap(struct rows *rows, const struct row_source *source, const struct heap *heap);

/* Fill in the rates of `now` by comparing with `before`. A cache that is new, or whose counters ran back, gets none. */
void rows_rates(struct rows *now, const struct rows *before);

/* Sums over the rows of `source`, or over all rows when it is NULL. */
void rows_sum(const struct rows *rows, const struct row_source *source, struct rows_totals *totals);

/*
 * Sort by the key of letter `key` (either case), see rows_key_is_valid(); ties
 * keep the source's order. Unknown values come last. `reverse` turns it round.
 */
void rows_sort(struct rows *rows, char key, bool reverse);

/* The procps keys a b c l n o p s u v, and e (cached) g (partial) i (allocs per second) f (frees per second). */
bool rows_key_is_valid(char key);

#endif
