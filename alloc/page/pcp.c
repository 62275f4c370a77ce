/* SPDX-License-Identifier: BSD-2-Clause */
/* pcp.c - per-CPU page lists; see pcp.h. Lock order: pcp, then zone. */
#include "page/pcp.h"

#include <errno.h>

#include "base/percpu.h"
#include "page/buddy.h"

/* A CPU may park this many batches before it drains one. */
#define HIGH_BATCHES 6u

struct pcp {
	lock_t lock;
	uint32_t count; /* pages */
	uint32_t head[PCP_MAX_ORDER + 1][KMEM_NR_MIGRATETYPES];
} __attribute__((aligned(CACHE_LINE)));

static struct {
	struct meta_range range;
	struct pcp *lists;
	unsigned int nr_cpus;
	unsigned int batch; /* pages */
} pcps KMEM_STATE;

unsigned int pcp_batch(uint64_t managed_pages)
{
	/* A quarter of 1 MiB at most, times 1.5, rounded down to 2^n - 1: 63 for all but tiny zones. */
	uint64_t batch = MIN(managed_pages >> 10, ((uint64_t)1 << 20) >> PAGE_SHIFT) / 4;

	batch = MAX(batch, 1);
	return (unsigned int)(roundup_pow2(batch + batch / 2 + 1) / 2 - 1);
}

int pcp_init(unsigned int nr_cpus)
{
	int rc = meta_reserve(&pcps.range, "kmem pcp", nr_cpus * sizeof(struct pcp));

	if (!rc)
		rc = meta_ensure(&pcps.range, nr_cpus * sizeof(struct pcp));
	if (rc)
		return rc;
	pcps.lists = (struct pcp *)(void *)pcps.range.base;
	pcps.nr_cpus = nr_cpus;
	pcps.batch = MAX(pcp_batch(arena.limit >> PAGE_SHIFT), 1);
	return 0;
}

static void push(struct pcp *pcp, struct page *page, unsigned int order, enum migratetype type)
{
	page_set_type(page, KMEM_PAGE_PCP);
	page->order = (uint8_t)order;
	page->nr_pages = 1u << order;
	page->next = pcp->head[order][type];
	pcp->head[order][type] = page_index(page);
	pcp->count += 1u << order;
}

static struct page *pop(struct pcp *pcp, unsigned int order, enum migratetype type)
{
	struct page *page = &arena.pages[pcp->head[order][type]];

	if (!pcp->head[order][type])
		return NULL;
	pcp->head[order][type] = page->next;
	pcp->count -= 1u << order;
	page_set_type(page, KMEM_PAGE_TAIL);
	return page;
}

static void refill(struct pcp *pcp, unsigned int order, enum migratetype type)
{
	unsigned int nr = MAX(pcps.batch >> order, 1u);

	buddy_lock();
	while (nr--) {
		struct page *page = buddy_take(order, type);

		if (!page)
			break;
		push(pcp, page, order, type);
	}
	buddy_unlock();
}

/* Give `pages` pages (or all) back to the zone, largest orders first: they merge best. */
static size_t drain(struct pcp *pcp, size_t pages)
{
	unsigned int order, type;
	size_t moved = 0;

	buddy_lock();
	for (order = PCP_MAX_ORDER + 1; order-- > 0;) {
		for (type = 0; type < KMEM_NR_MIGRATETYPES; type++) {
			struct page *page;

			while (moved < pages && (page = pop(pcp, order, (enum migratetype)type))) {
				buddy_put(page, order);
				moved += (size_t)1 << order;
			}
		}
	}
	buddy_unlock();
	return moved;
}

static struct pcp *this_pcp(void)
{
	unsigned int cpu = percpu_this_cpu();
	struct pcp *pcp = &pcps.lists[cpu < pcps.nr_cpus ? cpu : 0];

	return lock_try(&pcp->lock, LOCK_PCP) ? pcp : NULL;
}

struct page *pcp_take(unsigned int order, enum migratetype type)
{
	struct pcp *pcp = this_pcp();
	struct page *page;

	if (!pcp)
		return NULL;
	page = pop(pcp, order, type);
	if (!page) {
		refill(pcp, order, type);
		page = pop(pcp, order, type);
	}
	lock_release(&pcp->lock, LOCK_PCP);
	return page;
}

bool pcp_put(struct page *page, unsigned int order, enum migratetype type)
{
	struct pcp *pcp = this_pcp();

	if (!pcp)
		return false;
	page->flags = 0;
	push(pcp, page, order, type);
	if (pcp->count > HIGH_BATCHES * pcps.batch)
		drain(pcp, pcps.batch);
	lock_release(&pcp->lock, LOCK_PCP);
	return true;
}

size_t pcp_drain_all(void)
{
	unsigned int cpu;
	size_t moved = 0;

	for (cpu = 0; cpu < pcps.nr_cpus; cpu++) {
		struct pcp *pcp = &pcps.lists[cpu];

		lock_acquire(&pcp->lock, LOCK_PCP);
		moved += drain(pcp, SIZE_MAX);
		lock_release(&pcp->lock, LOCK_PCP);
	}
	return moved;
}

size_t pcp_count(void)
{
	unsigned int cpu;
	size_t pages = 0;

	for (cpu = 0; cpu < pcps.nr_cpus; cpu++)
		pages += READ_ONCE(pcps.lists[cpu].count);
	return pages;
}

void pcp_lock_for_fork(void)
{
	unsigned int cpu;

	for (cpu = 0; cpu < pcps.nr_cpus; cpu++)
		lock_acquire_nested(&pcps.lists[cpu].lock);
}

void pcp_unlock_after_fork(bool child)
{
	unsigned int cpu;

	for (cpu = 0; cpu < pcps.nr_cpus; cpu++) {
		if (child)
			lock_reset(&pcps.lists[cpu].lock);
		else
			lock_release_nested(&pcps.lists[cpu].lock);
	}
}
