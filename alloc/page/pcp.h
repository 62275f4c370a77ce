/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pcp.h - per-CPU page lists in front of the buddy, orders 0-3.
 *
 * A list is LIFO, so a page just freed, and still in the CPU's cache, is the
 * next one handed out. Lists are locked by trylock: whoever finds one taken (its
 * holder was preempted, or it was migrated) goes to the zone instead of waiting.
 */
#ifndef PAGE_PCP_H
#define PAGE_PCP_H

#include "page/page.h"

#define PCP_MAX_ORDER 3 /* the kernel's PAGE_ALLOC_COSTLY_ORDER */

/* nr_cpus lists. Return: 0 or -ENOMEM. */
int pcp_init(unsigned int nr_cpus);

/* Take a block from the running CPU's list, refilled from the zone. NULL: ask the zone. */
struct page *pcp_take(unsigned int order, enum migratetype type);

/* Put a block into the running CPU's list, drained to the zone when high. False: give it to the zone. */
bool pcp_put(struct page *page, unsigned int order, enum migratetype type);

/* Return every parked page to the zone. Return: pages moved. */
size_t pcp_drain_all(void);

/* Pages parked now; not exact while others run. */
size_t pcp_count(void);

/* The kernel's batch formula: pages moved at once, for a zone of so many pages. */
unsigned int pcp_batch(uint64_t managed_pages);

void pcp_lock_for_fork(void);
void pcp_unlock_after_fork(bool child);

#endif
