/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay.h - a recorded window through the model of SLUB, and how far it is from what the kernel had in the end.
 */
#ifndef KMEMTRACE_REPLAY_H
#define KMEMTRACE_REPLAY_H

#include "kmem_cache_info.h"
#include "kmemtrace/model_slub.h"
#include "kmemtrace/window.h"

/* One cache. */
struct replay_result {
	uint64_t allocs, frees;     /* events in its window */
	uint64_t implicit_frees;    /* allocations of an address that was live: the free had no event */
	uint64_t impossible_frees;  /* of objects that were free already by the model */
	struct kmem_cache_info begin, predicted, real; /* columns only */
	struct slub_trips trips;
	uint64_t peak_slabs;
	int64_t residue;            /* objects that came (or went: < 0) without an event */
	bool sheaves;               /* the cache has sheaves, which the model has not */
	bool torn;                  /* a walk met the cache in motion */
	bool exact;                 /* slabs and partial lists are as predicted */
};

/* result[w->nr_caches]. Return 0 or -ENOMEM. */
int replay_window(const struct window *w, struct replay_result *result);

#endif
