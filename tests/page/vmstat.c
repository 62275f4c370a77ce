/* SPDX-License-Identifier: BSD-2-Clause */
/* Counters: of zones with their per-CPU lists, and events. */
#include "support.h"

#include "base/observe.h"
#include "page/grow.h"
#include "page/vmstat.h"

TestSuite(vmstat, .init = start_empty);

Test(vmstat, pages_are_counted_wherever_they_came_from)
{
	uint64_t out = vmstat_stat(KMEM_ZS_ALLOC), back = vmstat_stat(KMEM_ZS_FREE), hit = vmstat_stat(KMEM_ZS_NUMA_HIT);
	struct page *small = alloc_pages(GFP_KERNEL, 1), *big = alloc_pages(GFP_KERNEL, 6);

	cr_expect_eq(vmstat_stat(KMEM_ZS_ALLOC) - out, 2 + 64);
	cr_expect_eq(vmstat_stat(KMEM_ZS_NUMA_HIT) - hit, 2);
	cr_expect_eq(vmstat_stat(KMEM_ZS_NUMA_LOCAL), vmstat_stat(KMEM_ZS_NUMA_HIT));
	cr_expect_eq(vmstat_stat(KMEM_ZS_NUMA_MISS), 0);
	__free_pages(small, 1);
	__free_pages(big, 6);
	cr_expect_eq(vmstat_stat(KMEM_ZS_FREE) - back, 2 + 64);
	cr_expect_eq(vmstat_zone_stat(&zones[0], KMEM_ZS_FREE), vmstat_stat(KMEM_ZS_FREE));
}

Test(vmstat, fallbacks_are_counted)
{
	grow_zone(&zones[0], MIGRATE_MOVABLE);
	cr_assert_not_null(alloc_pages(GFP_NOWAIT, 4));
	cr_expect_eq(vmstat_stat(KMEM_ZS_CLAIM), 2, "the two pageblocks of a free block");
	cr_expect_eq(vmstat_stat(KMEM_ZS_STEAL), 0);
}

Test(vmstat, readers_outside_find_the_events)
{
	vm_count(KMEM_VM_PURGE, 3);
	cr_expect_eq(vmstat_event(KMEM_VM_PURGE), 3);
	cr_expect_eq(observe_root.nr_events, KMEM_NR_VM_EVENTS);
	cr_expect_eq(((const uint64_t *)(uintptr_t)observe_root.events)[KMEM_VM_PURGE], 3);
}
