/* SPDX-License-Identifier: BSD-2-Clause */
/* vmstat.c - counters of the page allocator; see vmstat.h. */
#include "page/vmstat.h"

#include "base/observe.h"
#include "page/pcp.h"

uint64_t vm_events[KMEM_NR_VM_EVENTS] KMEM_STATE;

void vmstat_init(void)
{
	observe_root.events = (uintptr_t)vm_events;
	observe_root.nr_events = KMEM_NR_VM_EVENTS;
}

uint64_t vmstat_zone_stat(const struct kmem_zone *zone, enum kmem_zone_stat stat)
{
	return READ_ONCE(zone->stat[stat]) + pcp_stat(zone, stat);
}

uint64_t vmstat_stat(enum kmem_zone_stat stat)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < zone_config.nr_zones; i++)
		sum += vmstat_zone_stat(&zones[i], stat);
	return sum;
}
