/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tally.h - event counters of the collector, summed over call sites per cache.
 */
#ifndef SLABTOP_TALLY_H
#define SLABTOP_TALLY_H

#include <stddef.h>
#include <stdint.h>

#include "common/collect.h"

struct tally_entry {
	uint64_t cache; /* as in kmem_count_key */
	uint64_t allocs, frees;
};

/* Zeroed: empty. */
struct tally {
	struct tally_entry *entry; /* by ascending cache */
	size_t nr, room;
	uint64_t unknown;          /* events whose cache is not known */
};

/* Sum the kernel's counters: replaces what was there. Return 0 or -ENOMEM. */
int tally_make(struct tally *tally, const struct collect_count *counts, size_t nr);

/* The entry of a cache, NULL when it had no event. */
const struct tally_entry *tally_find(const struct tally *tally, uint64_t cache);

/* Release the memory. */
void tally_free(struct tally *tally);

#endif
