/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vmstat.h - counters of the page allocator. The text views read the same numbers
 * where kmem/observe.h says they are.
 *
 * The getters may be called at any time by any thread; they take no lock, so
 * that numbers read while others allocate are each right but not of one moment.
 */
#ifndef PAGE_VMSTAT_H
#define PAGE_VMSTAT_H

#include "page/zone.h"

extern KMEM_HIDDEN uint64_t vm_events[KMEM_NR_VM_EVENTS];

static inline void vm_count(enum kmem_vm_event event, uint64_t n)
{
	__atomic_fetch_add(&vm_events[event], n, __ATOMIC_RELAXED);
}

static inline uint64_t vmstat_event(enum kmem_vm_event event)
{
	return READ_ONCE(vm_events[event]);
}

/* Tell readers outside where the events are. */
void vmstat_init(void);

/* Counter of a zone, per-CPU lists included; of all zones. */
uint64_t vmstat_zone_stat(const struct kmem_zone *zone, enum kmem_zone_stat stat);
uint64_t vmstat_stat(enum kmem_zone_stat stat);

#endif
