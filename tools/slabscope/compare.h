/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compare.h - slabscope compare: the same work in the kernel and in libkmem.
 */
#ifndef SLABSCOPE_COMPARE_H
#define SLABSCOPE_COMPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/output.h"
#include "common/script.h"
#include "kmem_cache_info.h"

enum { COMPARE_KERNEL, COMPARE_KMEM, COMPARE_SIDES };

/* One allocator's answer to a script. */
struct compare_side {
	bool known;
	char label[80];  /* "Linux 6.18.44" */
	char why[320];   /* not known: why */
	struct kmem_cache_info *row; /* [check][cache] */
	uint64_t work_ns;
};

/* What the script did to a cache, whoever carried it out. */
struct compare_work {
	uint64_t allocs, frees;
	uint64_t live, peak_live;
	uint64_t life_steps; /* mean number of steps, of this cache, between an object's allocation and its free */
};

struct comparison {
	const char *title;
	const struct script *script;
	struct compare_work work[SCRIPT_CACHES];
	struct compare_side side[COMPARE_SIDES];
};

/* What a side made of a cache, at the last check if not said otherwise. */
struct compare_figures {
	uint64_t object_size, size, order, objects_per_slab;
	uint64_t slabs, peak_slabs; /* of all checks */
	uint64_t objects, in_use;
	uint64_t partial, partial_free;
	uint64_t parked;            /* free objects in CPU slabs, CPU partial lists, arrays, barns */
	uint64_t use_milli;         /* in_use / objects */
	uint64_t slab_waste;        /* bytes of a slab that are in no object */
	uint64_t held, peak_held;   /* bytes of all slabs */
	uint64_t waste;             /* held, but not asked for by a live object */
	uint64_t asked_milli;       /* bytes asked for / bytes of an object */
	uint64_t calls_per_second;
	int64_t residue;            /* in use, but not the script's */
};

void compare_figures(const struct comparison *c, unsigned int side, unsigned int cache, struct compare_figures *f);

/* Text, JSON or CSV to a file. Return 0 or -errno of the write. */
int compare_print(const struct comparison *c, FILE *file, enum output_format format);

/* A page of its own, with charts. Return 0 or -errno. */
int compare_html(const struct comparison *c, FILE *file);

/* The text of a built-in script, or NULL; the list of all, one per line, to a file. */
const char *compare_workload(const char *name);
void compare_list_workloads(FILE *file);

/* The verb. argv[0] is its name. Return: exit code. */
int compare_run(int argc, char **argv);

#endif
