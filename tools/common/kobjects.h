/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kobjects.h - the kernel's objects that were allocated while we looked and are
 * not freed as far as events tell: who allocated them, when, how much.
 *
 *	struct kobjects *ko;
 *
 *	if (kobjects_open(&ko, NULL, err, sizeof(err)) || kobjects_attach(ko, err, sizeof(err)))
 *		die("%s", err);
 *	...
 *	kobjects_read(ko, &rows, &nr, err, sizeof(err));
 *	kobjects_close(ko);
 *
 * About 200 ns per event, with stacks 1 us. Every function that can fail
 * returns 0 or -errno and then has put one line, without newline, into `err`
 * that names the cause and the remedy. Not thread safe. Needs CAP_BPF and
 * CAP_PERFMON (or root).
 */
#ifndef COMMON_KOBJECTS_H
#define COMMON_KOBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "kmem_event.h"

#define KOBJECTS_FRAMES 32

struct kobjects;

struct kobjects_options {
	uint32_t max_objects; /* that may be live at a time; 0: 524288, about 60 MB of kernel memory */
	uint32_t stack_every; /* keep the stack of one in so many allocations; 0: of none */
	pid_t pid;            /* only what this process allocates; 0: everybody */
};

struct kobjects_row {
	uint64_t address;
	struct kmem_kernel_object object;
};

struct kobjects_tally {
	uint64_t cache;
	struct kmem_kernel_tally tally; /* over all CPUs */
};

struct kobjects_totals {
	struct kmem_object_totals sum; /* over all CPUs */
	uint64_t missed; /* events that found the same program running on that CPU */
	uint64_t missed_allocs; /* of these, allocations */
};

/* Loads the programs; nothing is recorded yet. `options` may be NULL. */
int kobjects_open(struct kobjects **kobjects, const struct kobjects_options *options, char *err, size_t len);

/* False if this kernel does not let the cache of a kmalloc() be found: it is KMEM_KEY_UNKNOWN. */
bool kobjects_names_kmalloc(const struct kobjects *kobjects);

/* Begin: frees first, so that none of a recorded object is missed. */
int kobjects_attach(struct kobjects *kobjects, char *err, size_t len);

/*
 * All objects without a free, in no order. The array belongs to the handle and is
 * valid until the next call. Others allocate and free meanwhile.
 */
int kobjects_read(struct kobjects *kobjects, const struct kobjects_row **rows, size_t *nr, char *err, size_t len);

/*
 * Drop the record of an object that was freed without an event. One that was
 * allocated at its address since stays. Return: whether there was one to drop.
 */
bool kobjects_forget(struct kobjects *kobjects, const struct kobjects_row *row);

/* Allocations and frees of each cache since kobjects_attach(). The array belongs to the handle, as above. */
int kobjects_read_tallies(struct kobjects *kobjects, const struct kobjects_tally **tallies, size_t *nr, char *err,
			  size_t len);

int kobjects_read_totals(struct kobjects *kobjects, struct kobjects_totals *totals, char *err, size_t len);

/* The frames of a stack, innermost first. Return: their number, 0 if there is no such stack. */
size_t kobjects_stack(const struct kobjects *kobjects, int32_t stack, uint64_t frames[KOBJECTS_FRAMES]);

/* NULL is fine. */
void kobjects_close(struct kobjects *kobjects);

/* Events that are lost: nothing may be called complete unless this is 0. */
static inline uint64_t kobjects_lost(const struct kobjects_totals *t)
{
	return t->missed + t->sum.lost + t->sum.stale;
}

#endif
