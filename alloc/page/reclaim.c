/* SPDX-License-Identifier: BSD-2-Clause */
/* reclaim.c - direct reclaim; see reclaim.h. */
#include "page/reclaim.h"

#include "base/numa.h"
#include "page/pcp.h"
#include "page/scope.h"
#include "page/shrinker.h"
#include "page/vmstat.h"

#define BATCH_PAGES 32u /* a round is enough when that many are free: the kernel's SWAP_CLUSTER_MAX */

static page_reclaim_fn slab_reclaim KMEM_STATE;

void page_set_reclaim(page_reclaim_fn fn)
{
	slab_reclaim = fn;
}

uint64_t reclaim_free_pages(void)
{
	uint64_t pages = pcp_count();
	unsigned int i;

	for (i = 0; i < zone_config.nr_zones; i++)
		pages += READ_ONCE(zones[i].free_pages);
	return pages;
}

/* One round. Return: objects freed by shrinkers. */
static unsigned long shrink(gfp_t gfp, unsigned int nid, unsigned int priority)
{
	unsigned int before = memalloc_noreclaim_save();
	unsigned long freed = shrinker_shrink_all(gfp, nid, priority);

	vm_count(KMEM_VM_SLABS_SCANNED, freed);
	/* Freed objects sit in parked sheaves and partial slabs: only this makes pages of them. */
	if (slab_reclaim && (freed || priority == SHRINKER_DEF_PRIORITY))
		slab_reclaim(gfp, nid, priority);
	memalloc_noreclaim_restore(before);
	return freed;
}

size_t reclaim_pages(gfp_t gfp, unsigned int order, unsigned int nid)
{
	uint64_t before = reclaim_free_pages(), now = before;
	uint64_t wanted = MAX(UINT64_C(1) << order, (uint64_t)BATCH_PAGES);
	unsigned int priority;

	vm_count(KMEM_VM_ALLOCSTALL, 1);
	for (priority = SHRINKER_DEF_PRIORITY + 1; priority-- > 0 && now < before + wanted;) {
		uint64_t round = now;

		shrink(gfp, nid, priority);
		now = reclaim_free_pages();
		vm_count(KMEM_VM_PGSCAN_DIRECT, MAX(wanted, now - MIN(now, round)));
	}
	pcp_drain_all();
	vm_count(KMEM_VM_DRAIN, 1);
	if (now <= before)
		return 0;
	vm_count(KMEM_VM_PGSTEAL_DIRECT, now - before);
	return now - before;
}

KMEM_API unsigned long kmem_drop_slab(void)
{
	unsigned long freed, sum = 0;
	unsigned int nid;
	int rounds = 0;

	vm_count(KMEM_VM_DROP_SLAB, 1);
	do {
		freed = 0;
		for (nid = 0; nid < numa_nr_nodes(); nid++)
			freed += shrink(GFP_KERNEL, nid, 0);
		sum += freed;
	} while (freed > 10 && ++rounds < 16);
	return sum;
}
