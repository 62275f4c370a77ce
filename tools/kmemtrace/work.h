/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * work.h - allocations and frees as the models take them, from a script, a recorded trace or a window of the kernel.
 *
 * All begin with empty caches: frees of objects that are older than the recording are left out.
 */
#ifndef KMEMTRACE_WORK_H
#define KMEMTRACE_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/script.h"
#include "kmemtrace/cache_model.h"

struct window;

struct work_cache {
	char name[64];
	struct model_config config;
	bool mergeable;  /* may share slabs with caches of the same size */
	bool merged;     /* several names share it already */
	uint32_t pid;    /* whose it is; 0: not a process's */
};

/* 24 bytes. */
struct work_op {
	uint32_t object; /* number, used again after the free */
	uint32_t asked;  /* bytes; of a free, those of its allocation */
	uint32_t site;   /* who allocated it: a number */
	uint16_t cache;
	uint16_t cpu;
	bool alloc;
};

struct work {
	enum model_kind kind;
	struct work_cache *cache;
	uint32_t nr_caches;
	struct work_op *op;
	size_t nr_ops, room;
	uint32_t nr_objects, nr_sites;
	uint32_t nr_cpus;
	uint32_t *by_cache; /* numbers of steps, cache by cache: those of cache c are first[c] .. first[c + 1) */
	size_t *first;
};

/* Return 0 or -errno with a line in err[len]; work_close() in any case. nr_cpus: of the machine, for the geometry. */
int work_from_script(struct work *work, const struct script *script, enum model_kind kind, uint32_t nr_cpus, char *err,
		     size_t len);
int work_from_trace(struct work *work, const char *path, char *err, size_t len);
int work_from_window(struct work *work, const struct window *window, char *err, size_t len);
/* Fill in by_cache and first. Return 0 or -ENOMEM. */
int work_index(struct work *work);

void work_close(struct work *work);

/* By the formulas, for objects of that many bytes, padding included. */
struct model_config work_geometry(enum model_kind kind, uint32_t size, uint32_t nr_cpus);

#endif
