/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel_list.h - from the kernel's outstanding objects to a list of those that
 * nobody seems to free: pure functions on what was recorded and looked up.
 *
 * An object is left out when it is young (kfree_rcu() takes seconds, and tells
 * nobody), when the allocator says that it is free, or when it was freed while
 * that was asked. What remains is grouped by cache and call site.
 *
 * In caches that hand out objects without events (in bulk: maple nodes, network
 * buffers) a record may be of an earlier object at its address: such are unsure.
 *
 * Nothing here knows whether a pointer still leads to an object: a cache that
 * grows is reported as a leak is. What tells them apart is growth: a group is
 * steady when it has objects of every quarter of the time that was watched.
 */
#ifndef KMEMLEAK_KERNEL_LIST_H
#define KMEMLEAK_KERNEL_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/kobjects.h"
#include "kmem_cache_info.h"
#include "kmem_slab_info.h"

#define KERNEL_QUARTERS 4u

struct kernel_rules {
	uint64_t since_ns, until_ns; /* allocated within; CLOCK_MONOTONIC */
	uint64_t now_ns;
	uint64_t min_age_ns;
	uint64_t min_bytes;
	const char *cache; /* glob; NULL: all */
	const uint64_t *unsure; /* keys of caches whose objects are allocated without events, too */
	size_t nr_unsure;
};

struct kernel_leak {
	const struct kobjects_row *row;
	const char *cache; /* name */
	uint64_t bytes;
	uint64_t age_ns;
	bool known;  /* was in the list before */
	bool unsure; /* may have been freed, and be somebody else's now, without events */
};

/* Leaks of one cache and call site. */
struct kernel_group {
	const char *cache;
	uint64_t cache_key, call_site;
	uint64_t nr, bytes;
	uint64_t oldest_ns, youngest_ns; /* ages */
	int64_t growth;        /* since the scan before; nr in the first */
	unsigned int quarters; /* bit i: some were allocated in that quarter of the time */
	int32_t stack;         /* of one of them; negative: not known */
	bool unsure;           /* as the leaks' */
};

struct kernel_list {
	struct kernel_leak *leaks; /* group by group, oldest first */
	size_t nr;
	struct kernel_group *groups; /* most bytes first */
	size_t nr_groups;
	uint64_t bytes;
	uint64_t nr_known, nr_unsure;
	/* What was left out. */
	uint64_t young, outside, silent, waiting, unknown, not_asked;
};

/*
 * Whether an object of these rules can be a leak at all: what fails this needs
 * no look at its slab. Counts why it is left out.
 */
bool kernel_list_candidate(struct kernel_list *list, const struct kernel_rules *rules, const struct kobjects_row *row);

/* Bytes of an object. `caches` may be NULL. */
uint64_t kernel_object_bytes(const struct kobjects_row *row, const struct kmem_cache_info *caches, size_t nr_caches);

/* The name of a cache by its key; what is no cache has one, too. */
const char *kernel_cache_name(uint64_t key, const struct kmem_cache_info *caches, size_t nr_caches);

/*
 * Add the candidates rows[i] whose verdicts checks[i] say live. `caches` serve for
 * names and sizes, which must live as long as the list. Return 0 or -ENOMEM.
 */
int kernel_list_fill(struct kernel_list *list, const struct kernel_rules *rules, const struct kobjects_row *const *rows,
		     const struct kmem_object_check *checks, size_t nr, const struct kmem_cache_info *caches,
		     size_t nr_caches);

/*
 * Sort and group. `before`, the list of the scan before or NULL, gives growth,
 * and what was allocated until `known_until_ns` is known. Return 0 or -ENOMEM.
 */
int kernel_list_group(struct kernel_list *list, const struct kernel_rules *rules, const struct kernel_list *before,
		      uint64_t known_until_ns);

/* True if the group has leaks of every quarter of the time: it seems to go on. */
bool kernel_group_is_steady(const struct kernel_group *group);

/* Zeroed before, zeroed after. */
void kernel_list_free(struct kernel_list *list);

#endif
