/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pcp.h - per-CPU page lists in front of each zone: orders 0-6, and 9 (a huge page).
 *
 * A list is LIFO, so a page just freed, and still in the CPU's cache, is the
 * next one handed out. Lists are locked by trylock: whoever finds one taken (its
 * holder was preempted, or it was migrated) goes to the zone instead of waiting.
 *
 * How much is parked follows the kernel: `high` moves between high_min (the low
 * watermark shared out among the CPUs) and high_max (an eighth of the zone shared
 * out; without a budget at least 4 MiB) as frees come in a row, and decays;
 * refills double up to batch << 5.
 */
#ifndef PAGE_PCP_H
#define PAGE_PCP_H

#include "page/zone.h"

#define PCP_COSTLY_ORDER 3 /* the kernel's PAGE_ALLOC_COSTLY_ORDER: it parks no larger blocks */
#define PCP_MAX_ORDER    6 /* larger ones than that come here by frees only, and without a budget */
#define PCP_BATCH_SCALE_MAX 5

/* Whether blocks of orders 4-6 are parked at all. */
extern KMEM_HIDDEN bool pcp_parks_costly;

/* nr_cpus lists per zone. After zone_init(). Return: 0 or -ENOMEM. */
int pcp_init(unsigned int nr_cpus);

static inline bool pcp_has_order(unsigned int order)
{
	return order <= PCP_MAX_ORDER || order == PAGEBLOCK_ORDER;
}

/* Take a block from the running CPU's list, for a request meant for node nid; NULL when it is empty or taken. */
struct page *pcp_take(struct kmem_zone *zone, unsigned int nid, unsigned int order, enum migratetype type);

/* Refill the list from the zone, and take. NULL: ask the zone. */
struct page *pcp_refill(struct kmem_zone *zone, const struct page_request *request);

/* Put a block into the running CPU's list of its zone, drained when high. False: give it to the zone. */
bool pcp_put(struct page *page, unsigned int order, enum migratetype type);

/* Return every parked page to its zone; the second one zone only. Waits. Return: pages moved. */
size_t pcp_drain_all(void);
size_t pcp_drain_zone(struct kmem_zone *zone);

/* So many of the running CPU's of a zone, largest blocks first, and what it has. Passes by a list that is taken. */
size_t pcp_drain_this(struct kmem_zone *zone, size_t pages);
uint32_t pcp_count_this(const struct kmem_zone *zone);

/*
 * Let `high` of a zone's lists decay by an eighth, and give back what is above it, and
 * all blocks larger than the kernel parks. Lists that nobody used since the last call
 * are emptied. Passes by lists that are taken. Return: pages that came out of the last.
 */
size_t pcp_decay(struct kmem_zone *zone);

/* Pages parked now, in all zones or one; not exact while others run. */
size_t pcp_count(void);
size_t pcp_count_zone(const struct kmem_zone *zone);

/* Sum of one counter over the lists of a zone. */
uint64_t pcp_stat(const struct kmem_zone *zone, enum kmem_zone_stat stat);

/* The list of a CPU and zone, for readers. */
const struct kmem_pcp *pcp_of(unsigned int cpu, const struct kmem_zone *zone);

/* Compute batch and high of all lists again: the zones have grown. */
void pcp_update(void);

/*
 * The kernel's percpu_pagelist_high_fraction: lists hold up to 1/fraction of
 * their zone, shared out among the CPUs, and do not tune themselves. 0: they do.
 * Return: 0, -EINVAL below 8.
 */
int pcp_set_high_fraction(unsigned int fraction);

/* The kernel's batch formula: pages moved at once, for a zone of so many pages. */
unsigned int pcp_batch(uint64_t managed_pages);

/* Check every list: bug when one disagrees with its descriptors. Locks them. For tests. */
void pcp_validate(void);

void pcp_lock_for_fork(void);
void pcp_unlock_after_fork(bool child);

#endif
