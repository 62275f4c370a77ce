/* SPDX-License-Identifier: BSD-2-Clause */
/* pcp.c - per-CPU page lists; see pcp.h. Lock order: pcp, then zone. */
#include "page/pcp.h"

#include <errno.h>

#include "base/numa.h"
#include "base/observe.h"
#include "base/percpu.h"
#include "base/report.h"
#include "base/trace.h"
#include "page/buddy.h"

#define HIGH_FRACTION_MIN 8u /* an eighth of the zone, shared out, is the most that lists may hold */

enum free_flags {
	FREED_HIGH_ORDER = 1 << 0, /* the last free was of order 1-3 */
};

static struct {
	struct meta_range range;
	struct kmem_pcp *lists; /* [cpu][zone] */
	unsigned int nr_cpus;
	unsigned int high_fraction;
} pcps KMEM_STATE;

bool pcp_parks_costly KMEM_STATE_SET = true;

static struct kmem_pcp *list_of(unsigned int cpu, const struct kmem_zone *zone)
{
	return &pcps.lists[cpu * zone_config.nr_zones + zone_index(zone)];
}

const struct kmem_pcp *pcp_of(unsigned int cpu, const struct kmem_zone *zone)
{
	return list_of(cpu, zone);
}

/* ---- sizes ---- */

unsigned int pcp_batch(uint64_t managed_pages)
{
	/* A quarter of 1 MiB at most, times 1.5, rounded down to 2^n - 1: 63 for all but tiny zones. */
	uint64_t batch = MIN(managed_pages >> 10, ((uint64_t)1 << 20) >> PAGE_SHIFT) / 4;

	batch = MAX(batch, 1);
	return (unsigned int)(roundup_pow2(batch + batch / 2 + 1) / 2 - 1);
}

static uint32_t shared_out(uint64_t pages, unsigned int batch)
{
	return (uint32_t)MIN(MAX(pages / pcps.nr_cpus, (uint64_t)batch << 2), UINT32_MAX);
}

static void update_list(struct kmem_pcp *pcp, const struct kmem_zone *zone)
{
	uint64_t managed = zone_managed_pages(zone);
	/* A zone that grows on demand is as large as it may become. */
	uint64_t largest = zone->max_pages == UINT64_MAX ? arena.limit >> PAGE_SHIFT : managed;
	unsigned int batch = MAX(pcp_batch(largest), 1u);
	uint32_t low = shared_out(zone_watermark(zone, WMARK_LOW), batch);
	uint32_t most = shared_out(managed / MAX(pcps.high_fraction, HIGH_FRACTION_MIN), batch);

	/* One that has just begun to grow may have a block parked. */
	if (zone->max_pages == UINT64_MAX && !pcps.high_fraction)
		most = MAX(most, BLOCK_PAGES);
	WRITE_ONCE(pcp->batch, batch);
	WRITE_ONCE(pcp->high_min, pcps.high_fraction ? most : low);
	WRITE_ONCE(pcp->high_max, MAX(most, READ_ONCE(pcp->high_min)));
}

void pcp_update(void)
{
	unsigned int cpu, i;

	for (cpu = 0; cpu < pcps.nr_cpus; cpu++)
		for (i = 0; i < zone_config.nr_zones; i++)
			update_list(list_of(cpu, &zones[i]), &zones[i]);
}

int pcp_set_high_fraction(unsigned int fraction)
{
	if (fraction && fraction < HIGH_FRACTION_MIN)
		return -EINVAL;
	pcps.high_fraction = fraction;
	pcp_update();
	return 0;
}

int pcp_init(unsigned int nr_cpus)
{
	size_t bytes = (size_t)nr_cpus * zone_config.nr_zones * sizeof(struct kmem_pcp);
	int rc = meta_reserve(&pcps.range, "kmem pcp", bytes);

	if (!rc)
		rc = meta_ensure(&pcps.range, bytes);
	if (rc)
		return rc;
	pcps.lists = (struct kmem_pcp *)(void *)pcps.range.base;
	pcps.nr_cpus = nr_cpus;
	observe_root.pcps = (uintptr_t)pcps.lists;
	pcp_update();
	return 0;
}

static uint32_t clamped_high(struct kmem_pcp *pcp)
{
	uint32_t low = READ_ONCE(pcp->high_min), most = MAX(READ_ONCE(pcp->high_max), low);

	WRITE_ONCE(pcp->high, MIN(MAX(pcp->high, low), most));
	return pcp->high;
}

static bool tunes_itself(const struct kmem_pcp *pcp)
{
	return READ_ONCE(pcp->high_min) != READ_ONCE(pcp->high_max);
}

/* The zone is short: parked pages are wanted back, not more of them. */
static bool zone_is_short(const struct kmem_zone *zone)
{
	return zone->max_pages != UINT64_MAX && READ_ONCE(zone->free_pages) < zone_watermark(zone, WMARK_HIGH);
}

/* How many blocks of this order a refill moves. */
static unsigned int refill_blocks(struct kmem_pcp *pcp, const struct kmem_zone *zone, unsigned int order)
{
	uint32_t high = clamped_high(pcp), base = READ_ONCE(pcp->batch);
	uint32_t batch = order ? base : base << pcp->alloc_factor, most;

	if (order > PCP_COSTLY_ORDER || high < base)
		return 1;
	/* A CPU that allocates in a row will free as many: let it park them. */
	if (tunes_itself(pcp) && !zone_is_short(zone))
		high = MIN(high + batch, READ_ONCE(pcp->high_max));
	WRITE_ONCE(pcp->high, high);
	if (!order) {
		most = high > pcp->count + base ? MAX(high - pcp->count - base, base) : base;
		if (batch <= most && pcp->alloc_factor < PCP_BATCH_SCALE_MAX)
			pcp->alloc_factor++;
		batch = MIN(batch, most);
	}
	return batch > 1 ? MAX(batch >> order, 2u) : batch;
}

/* The mark above which this free gives pages back. */
static uint32_t free_high(struct kmem_pcp *pcp, const struct kmem_zone *zone)
{
	uint32_t high = clamped_high(pcp);

	if (!tunes_itself(pcp))
		return high;
	if (zone_is_short(zone)) {
		uint32_t less = MAX(pcp->free_count, READ_ONCE(pcp->batch));

		WRITE_ONCE(pcp->high, high > less ? MAX(high - less, READ_ONCE(pcp->high_min)) : READ_ONCE(pcp->high_min));
		return MAX(pcp->count, READ_ONCE(pcp->high_min));
	}
	/* Frees in a row: what they are freed for will be allocated again. */
	if (pcp->count >= high && high < pcp->free_count + READ_ONCE(pcp->batch)) {
		WRITE_ONCE(pcp->high, pcp->free_count + READ_ONCE(pcp->batch));
		clamped_high(pcp);
	}
	return high;
}

/* How many pages to give back when the mark is reached. */
static uint32_t drain_pages(const struct kmem_pcp *pcp, uint32_t high)
{
	uint32_t most = high > READ_ONCE(pcp->batch) ? high - READ_ONCE(pcp->batch) : 1;

	return MIN(MAX((uint32_t)pcp->free_count, READ_ONCE(pcp->batch)), MAX(most, READ_ONCE(pcp->batch)));
}

/* ---- lists ---- */

static unsigned int list_index(unsigned int order, enum migratetype type)
{
	if (order > PCP_MAX_ORDER)
		return (PCP_MAX_ORDER + 1) * KMEM_NR_PCPTYPES + (type == MIGRATE_MOVABLE);
	return order * KMEM_NR_PCPTYPES + type;
}

static unsigned int list_order(unsigned int list)
{
	return list < (PCP_MAX_ORDER + 1) * KMEM_NR_PCPTYPES ? list / KMEM_NR_PCPTYPES : PAGEBLOCK_ORDER;
}

static force_inline void push(struct kmem_pcp *pcp, struct page *page, unsigned int order, enum migratetype type)
{
	unsigned int list = list_index(order, type);

	page_set_type(page, KMEM_PAGE_PCP);
	WRITE_ONCE(page->order, (uint8_t)order);
	WRITE_ONCE(page->nr_pages, 1u << order);
	page->next = pcp->head[list];
	pcp->head[list] = page_index(page);
	WRITE_ONCE(pcp->count, pcp->count + (1u << order));
}

static force_inline struct page *pop_list(struct kmem_pcp *pcp, unsigned int list, unsigned int order)
{
	uint32_t head = pcp->head[list];
	struct page *page = page_at(head);

	if (unlikely(!head))
		return NULL;
	pcp->head[list] = page->next;
	WRITE_ONCE(pcp->count, pcp->count - (1u << order));
	page_set_type(page, KMEM_PAGE_TAIL);
	return page;
}

/* Give `pages` pages (or all) back to the zone, largest orders first: they merge best. Zone locked. */
static size_t drain(struct kmem_pcp *pcp, struct kmem_zone *zone, size_t pages)
{
	unsigned int list;
	size_t moved = 0;

	for (list = KMEM_NR_PCP_LISTS; list-- > 0;) {
		unsigned int order = list_order(list);
		struct page *page;

		while (moved < pages && (page = pop_list(pcp, list, order))) {
			if (trace_on(TRACE_MM_PAGE_PCPU_DRAIN))
				trace_mm_page_pcpu_drain(page_index(page), order, page->migratetype);
			buddy_put(zone, page, order);
			moved += (size_t)1 << order;
		}
	}
	return moved;
}

static force_inline struct kmem_pcp *this_pcp(unsigned int zone)
{
	unsigned int cpu = percpu_this_cpu();

	return &pcps.lists[(cpu < pcps.nr_cpus ? cpu : 0) * zone_config.nr_zones + zone];
}

static force_inline void count_take(struct kmem_pcp *pcp, unsigned int node, unsigned int nid, unsigned int order)
{
	pcp->stat[KMEM_ZS_ALLOC] += UINT64_C(1) << order;
	pcp->stat[node == nid ? KMEM_ZS_NUMA_HIT : KMEM_ZS_NUMA_MISS]++;
	pcp->stat[node == numa_this_node() ? KMEM_ZS_NUMA_LOCAL : KMEM_ZS_NUMA_OTHER]++;
}

static force_inline struct page *pop(struct kmem_pcp *pcp, const struct kmem_zone *zone, unsigned int nid,
			       unsigned int order, enum migratetype type)
{
	struct page *page = pop_list(pcp, list_index(order, type), order);

	if (likely(page)) {
		page->node = (uint8_t)zone->node;
		count_take(pcp, zone->node, nid, order);
	}
	return page;
}

struct page *pcp_take(struct kmem_zone *zone, unsigned int nid, unsigned int order, enum migratetype type)
{
	struct kmem_pcp *pcp = this_pcp(zone_index(zone));
	struct page *page;

	if (unlikely(!lock_try(&pcp->lock, LOCK_PCP)))
		return NULL;
	page = pop(pcp, zone, nid, order, type);
	if (likely(page))
		pcp->free_count >>= 1;
	lock_release_polled(&pcp->lock, LOCK_PCP);
	return page;
}

static void refill(struct kmem_pcp *pcp, struct kmem_zone *zone, const struct page_request *request)
{
	unsigned int nr = refill_blocks(pcp, zone, request->order);
	uint64_t spare;

	pcp->free_count >>= 1;
	if (!buddy_lock_for(zone, request->flags))
		return;
	/* What is parked is lost to the urgent: no more than this request may take. */
	spare = zone_spare_pages(zone, zone_mark_for(zone, request), zone_is_asked_for(zone, request), request->flags);
	nr = (unsigned int)MIN((uint64_t)nr, MAX(spare >> request->order, 1u));
	while (nr--) {
		struct page *page = buddy_take(zone, request->order, request->type, request->flags & ALLOC_NON_BLOCK);

		if (!page)
			break;
		push(pcp, page, request->order, request->type);
	}
	buddy_unlock(zone);
}

struct page *pcp_refill(struct kmem_zone *zone, const struct page_request *request)
{
	struct kmem_pcp *pcp = this_pcp(zone_index(zone));
	struct page *page;

	if (!lock_try(&pcp->lock, LOCK_PCP))
		return NULL;
	refill(pcp, zone, request);
	page = pop(pcp, zone, request->nid, request->order, request->type);
	lock_release_polled(&pcp->lock, LOCK_PCP);
	return page;
}

/* Not waiting for the zone: what is above the mark stays until the next free. */
static void drain_above(struct kmem_pcp *pcp, struct kmem_zone *zone, size_t pages)
{
	if (!buddy_lock_spin(zone))
		return;
	drain(pcp, zone, pages);
	buddy_unlock(zone);
}

/* Frees of order 1-3 in a row come from a process that ends: the zone can merge them. */
static force_inline bool frees_go_on(struct kmem_pcp *pcp, unsigned int order)
{
	uint32_t before = pcp->free_flags, now = order - 1 < PCP_COSTLY_ORDER ? FREED_HIGH_ORDER : 0;

	pcp->free_flags = now;
	return (before & now) && pcp->free_count >= READ_ONCE(pcp->batch);
}

/* So little is parked in a zone without a budget that no free gives any back. */
static force_inline bool is_low(const struct kmem_pcp *pcp, const struct kmem_zone *zone)
{
	return pcp->count < READ_ONCE(pcp->high_min) && zone->max_pages == UINT64_MAX;
}

/* After a free: down to the mark. */
static noinline void give_back(struct kmem_pcp *pcp, struct kmem_zone *zone, bool go_on)
{
	uint32_t high, less;

	if (go_on) {
		less = READ_ONCE(pcp->batch) << PCP_BATCH_SCALE_MAX;
		WRITE_ONCE(pcp->high, pcp->high > less + READ_ONCE(pcp->high_min) ? pcp->high - less : READ_ONCE(pcp->high_min));
		drain_above(pcp, zone, MIN(pcp->count, less));
		return;
	}
	high = free_high(pcp, zone);
	if (pcp->count >= high)
		drain_above(pcp, zone, drain_pages(pcp, high));
}

static force_inline bool is_costly(unsigned int order)
{
	return order > PCP_COSTLY_ORDER && order <= PCP_MAX_ORDER;
}

bool pcp_put(struct page *page, unsigned int order, enum migratetype type)
{
	unsigned int index = zone_index_of(page);
	struct kmem_zone *zone = &zones[index];
	struct kmem_pcp *pcp = this_pcp(index);
	bool go_on;

	/* Within a budget the kernel's orders only: others may need the memory. */
	if (unlikely(is_costly(order)) && (!pcp_parks_costly || zone->max_pages != UINT64_MAX))
		return false;
	if (unlikely(!lock_try(&pcp->lock, LOCK_PCP)))
		return false;
	page->flags = 0;
	pcp->alloc_factor >>= 1;
	push(pcp, page, order, type);
	pcp->stat[KMEM_ZS_FREE] += UINT64_C(1) << order;
	go_on = frees_go_on(pcp, order);
	if (pcp->free_count < READ_ONCE(pcp->batch) << PCP_BATCH_SCALE_MAX)
		pcp->free_count = (uint16_t)(pcp->free_count + (1u << order));
	if (unlikely(go_on || !is_low(pcp, zone)))
		give_back(pcp, zone, go_on);
	lock_release_polled(&pcp->lock, LOCK_PCP);
	return true;
}

/* ---- all lists ---- */

static size_t drain_list(struct kmem_pcp *pcp, struct kmem_zone *zone)
{
	size_t moved;

	if (!READ_ONCE(pcp->count))
		return 0;
	lock_acquire_polled(&pcp->lock, LOCK_PCP);
	buddy_lock(zone);
	moved = drain(pcp, zone, SIZE_MAX);
	buddy_unlock(zone);
	lock_release_polled(&pcp->lock, LOCK_PCP);
	return moved;
}

size_t pcp_drain_zone(struct kmem_zone *zone)
{
	unsigned int cpu;
	size_t moved = 0;

	for (cpu = 0; cpu < pcps.nr_cpus; cpu++)
		moved += drain_list(list_of(cpu, zone), zone);
	return moved;
}

size_t pcp_drain_all(void)
{
	unsigned int i;
	size_t moved = 0;

	for (i = 0; i < zone_config.nr_zones; i++)
		moved += pcp_drain_zone(&zones[i]);
	return moved;
}

uint32_t pcp_count_this(const struct kmem_zone *zone)
{
	return READ_ONCE(this_pcp(zone_index(zone))->count);
}

size_t pcp_drain_this(struct kmem_zone *zone, size_t pages)
{
	struct kmem_pcp *pcp = this_pcp(zone_index(zone));
	size_t moved;

	if (!lock_try(&pcp->lock, LOCK_PCP))
		return 0;
	buddy_lock(zone);
	moved = drain(pcp, zone, pages);
	buddy_unlock(zone);
	lock_release_polled(&pcp->lock, LOCK_PCP);
	return moved;
}

static void drain_costly(struct kmem_pcp *pcp, struct kmem_zone *zone)
{
	unsigned int list, first = (PCP_COSTLY_ORDER + 1) * KMEM_NR_PCPTYPES;
	struct page *page;

	if (!buddy_lock_spin(zone))
		return;
	for (list = first; list < (PCP_MAX_ORDER + 1) * KMEM_NR_PCPTYPES; list++)
		while ((page = pop_list(pcp, list, list_order(list))))
			buddy_put(zone, page, list_order(list));
	buddy_unlock(zone);
}

/* Whether nobody took from a list or put into it since the last call. */
static bool rested(struct kmem_pcp *pcp)
{
	uint64_t moves = pcp->stat[KMEM_ZS_ALLOC] + pcp->stat[KMEM_ZS_FREE], before = pcp->rest_moves;

	pcp->rest_moves = moves;
	return moves == before;
}

/* The kernel's decay_pcp_high(), and its drain of lists at rest. */
static size_t decay_list(struct kmem_pcp *pcp, struct kmem_zone *zone)
{
	uint32_t above = READ_ONCE(pcp->batch) << PCP_BATCH_SCALE_MAX;
	uint32_t high = READ_ONCE(pcp->high), before;
	bool rests;

	if (!READ_ONCE(pcp->count) || !lock_try(&pcp->lock, LOCK_PCP))
		return 0;
	before = pcp->count;
	rests = rested(pcp);
	high -= high >> 3;
	if (pcp->count > above)
		high = MAX(high, pcp->count - above);
	WRITE_ONCE(pcp->high, MAX(high, READ_ONCE(pcp->high_min)));
	drain_costly(pcp, zone);
	if (rests || pcp->count > pcp->high)
		drain_above(pcp, zone, rests ? SIZE_MAX : pcp->count - pcp->high);
	before -= pcp->count;
	lock_release_polled(&pcp->lock, LOCK_PCP);
	return rests ? before : 0;
}

size_t pcp_decay(struct kmem_zone *zone)
{
	unsigned int cpu;
	size_t pages = 0;

	for (cpu = 0; cpu < pcps.nr_cpus; cpu++)
		pages += decay_list(list_of(cpu, zone), zone);
	return pages;
}

size_t pcp_count_zone(const struct kmem_zone *zone)
{
	unsigned int cpu;
	size_t pages = 0;

	for (cpu = 0; cpu < pcps.nr_cpus; cpu++)
		pages += READ_ONCE(list_of(cpu, zone)->count);
	return pages;
}

size_t pcp_count(void)
{
	unsigned int i;
	size_t pages = 0;

	for (i = 0; i < zone_config.nr_zones; i++)
		pages += pcp_count_zone(&zones[i]);
	return pages;
}

uint64_t pcp_stat(const struct kmem_zone *zone, enum kmem_zone_stat stat)
{
	unsigned int cpu;
	uint64_t sum = 0;

	for (cpu = 0; cpu < pcps.nr_cpus; cpu++)
		sum += READ_ONCE(list_of(cpu, zone)->stat[stat]);
	return sum;
}

static void validate_list(const struct kmem_pcp *pcp, const struct kmem_zone *zone)
{
	unsigned int list;
	uint64_t pages = 0;

	for (list = 0; list < KMEM_NR_PCP_LISTS; list++) {
		uint32_t at;

		for (at = pcp->head[list]; at; at = page_at(at)->next) {
			const struct page *page = page_at(at);

			BUG_ON(page->type != KMEM_PAGE_PCP || page->order != list_order(list));
			BUG_ON(at & ((1u << page->order) - 1) || zone_of(page) != zone);
			pages += UINT64_C(1) << page->order;
		}
	}
	BUG_ON(pages != pcp->count);
}

void pcp_validate(void)
{
	unsigned int cpu, i;

	for (cpu = 0; cpu < pcps.nr_cpus; cpu++) {
		for (i = 0; i < zone_config.nr_zones; i++) {
			struct kmem_pcp *pcp = list_of(cpu, &zones[i]);

			lock_acquire_polled(&pcp->lock, LOCK_PCP);
			validate_list(pcp, &zones[i]);
			lock_release_polled(&pcp->lock, LOCK_PCP);
		}
	}
}

/* In index order; nobody else takes two. */
void pcp_lock_for_fork(void)
{
	unsigned int i;

	for (i = 0; i < pcps.nr_cpus * zone_config.nr_zones; i++)
		lock_for_fork(&pcps.lists[i].lock, true);
}

void pcp_unlock_after_fork(bool child)
{
	unsigned int i;

	for (i = 0; i < pcps.nr_cpus * zone_config.nr_zones; i++)
		lock_after_fork(&pcps.lists[i].lock, child);
}
