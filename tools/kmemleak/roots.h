/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * roots.h - where a scan starts: the memory of a process from which the
 * program can reach its objects, cut down to what may count.
 *
 *   data       private file mappings: .data, .bss, .got; pages never written are skipped
 *   stack      from 128 bytes (the red zone) below the stack pointer up; older frames are dead
 *   anonymous  every other private anonymous mapping, whatever its protection:
 *              glibc's heap, thread-local storage, coroutine stacks, read-only-after-init
 *   shared     on request
 *   minus      the arena, the allocator's black ranges and its own structures: a pointer
 *              there is bookkeeping, and as a root it would silently hide leaks
 *
 * Choosing is pure (roots_choose); only roots_populated() asks the system.
 */
#ifndef KMEMLEAK_ROOTS_H
#define KMEMLEAK_ROOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <kmem/observe.h>

#include "common/target.h"
#include "kmemleak/stop.h"

#define ROOTS_RED_ZONE 128u /* bytes below the stack pointer that the x86-64 ABI lets functions use */

enum root_kind {
	ROOT_DATA,
	ROOT_STACK,
	ROOT_ANONYMOUS,
	ROOT_SHARED,
	ROOT_NR_KINDS
};

struct root_range {
	uint64_t start, end;          /* multiples of 8 */
	enum root_kind kind;
	pid_t tid;                    /* of a stack, else 0 */
	const struct target_map *map; /* that it lies in */
};

/* A growing list of ranges. Zero-initialise; roots_free() when done. */
struct roots {
	struct root_range *ranges;
	size_t nr, capacity;
	uint64_t skipped_bytes;  /* of shared mappings that policy leaves out */
	size_t nr_skipped;
	bool populated_known;    /* the kernel told which pages exist */
};

/* Memory that is no root. */
struct root_cut {
	uint64_t start, end;
};

struct root_cuts {
	struct root_cut *cuts; /* roots_choose() sorts them */
	size_t nr, capacity;
};

/* Add [start, end) to the cuts; empty ranges are ignored. Return 0 or -ENOMEM. */
int roots_add_cut(struct root_cuts *cuts, uint64_t start, uint64_t end);

/*
 * Add what the descriptor at `addr` describes: arena, metadata, per-CPU
 * regions, sheaves, the descriptor itself, and black[nr_black]. 0 or -ENOMEM.
 */
int roots_cut_allocator(struct root_cuts *cuts, uint64_t addr, const struct kmem_observe *root,
			const struct kmem_black_range *black);

/* What roots_choose() works on. */
struct roots_input {
	const struct target_map *maps; /* sorted; must outlive the roots */
	size_t nr_maps;
	const struct stop_thread *threads;
	size_t nr_threads;
	struct root_cuts *cuts;
	bool shared;                   /* scan shared mappings, too */
};

/* Choose the root ranges. Return 0 or -ENOMEM. */
int roots_choose(struct roots *roots, const struct roots_input *in);

/*
 * Replace every range by its pages that exist in memory or swap, asking
 * PAGEMAP_SCAN (Linux 6.7) or the pagemap file; without either the ranges stay
 * whole. For ROOT_DATA only pages that the process has written count. `tid`:
 * any living thread. Return 0 or -ENOMEM.
 */
int roots_populated(struct roots *roots, pid_t tid);

/* Append a range. Return 0 or -ENOMEM. */
int roots_add(struct roots *roots, const struct root_range *range);

void roots_free(struct roots *roots);
void roots_free_cuts(struct root_cuts *cuts);

#endif
