/* SPDX-License-Identifier: BSD-2-Clause */
/* scan.h - one scan of one libkmem root: stop, copy, resume, model, mark, list. */
#ifndef KMEMLEAK_SCAN_H
#define KMEMLEAK_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/symbols.h"
#include "common/target.h"
#include "kmemleak/image.h"
#include "kmemleak/leaks.h"
#include "kmemleak/model.h"

struct scan_options {
	bool shared; /* shared mappings are roots, too */
	bool exact;  /* only pointers to an object's first byte count */
};

/* What is known beyond the scan because allocations were traced meanwhile. */
struct scan_trace {
	struct symbols *symbols; /* names for call sites; NULL: they stay numbers */
	uint64_t nr_lost;        /* events: call sites may be missing */
};

struct scan {
	struct target *target;
	const struct scan_trace *trace; /* NULL: nothing was traced; call sites are not known */
	struct image image;
	struct model model;
	struct leaks leaks;
	size_t nr_threads;   /* that were stopped */
	uint64_t nr_marked;  /* objects reached */
	uint64_t stopped_ns; /* CLOCK_MONOTONIC when the target had been stopped */
	uint64_t pause_ns;   /* for how long */
	uint64_t model_ns, mark_ns, total_ns;
};

/*
 * Scan the heap whose root lies at root_addr. The target runs again when this
 * returns, whatever happened. Return 0 or -errno with the line in t->message
 * (also for what stop.h may answer). Call scan_free() in any case.
 */
int scan_run(struct scan *scan, struct target *t, uint64_t root_addr, const struct scan_options *options);
void scan_free(struct scan *scan);

/* Contents of a leak in the copy. */
static inline const uint8_t *scan_content(const struct scan *scan, const struct leak *leak)
{
	return scan->image.mirror + (leak->address - scan->model.base);
}

/* Name of the cache of a block: "kmalloc-128", "kmalloc-large". Lives as long as the scan. */
const char *scan_cache_name(const struct scan *scan, uint16_t cache_id);

#endif
