/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * take.c - the way of a request through zones, growth and reclaim; see take.h.
 *
 *   zones down to their low watermark     growing them on the way, if it may block
 *   zones down to min, less the reserves that the request may use
 *   beyond all watermarks                 __GFP_MEMALLOC, PF_MEMALLOC
 *   NULL                                  if it may not block, or is reclaiming itself
 *   drain, reclaim, again                 once: NORETRY, order > 3; 16 rounds without
 *                                         progress; for ever: NOFAIL
 *
 * A request that may not block makes no system call and waits for nobody: zone
 * locks are spun for a bounded time (with neither reclaim flag: tried once), and
 * a zone whose lock cannot be had is passed by.
 */
#include "page/take.h"

#include "base/numa.h"
#include "base/os.h"
#include "base/report.h"
#include "page/buddy.h"
#include "page/grow.h"
#include "page/pcp.h"
#include "page/reclaim.h"
#include "page/scope.h"
#include "page/vmstat.h"

#define COSTLY_ORDER  PCP_COSTLY_ORDER
#define MAX_ROUNDS    16u
#define REPORT_EVERY  UINT64_C(10000000000) /* ns */
#define NOFAIL_NAP_NS 1000000

void take_prepare(struct page_request *request)
{
	gfp_t gfp = request->gfp = scope_gfp(request->gfp);
	unsigned int flags = 0;

	if (gfp & __GFP_DIRECT_RECLAIM)
		flags |= ALLOC_WAIT;
	else if (!(gfp & __GFP_NOMEMALLOC))
		flags |= ALLOC_NON_BLOCK | (request->order ? ALLOC_HIGHATOMIC : 0);
	if (gfp & __GFP_HIGH)
		flags |= ALLOC_MIN_RESERVE;
	if (!(gfp & __GFP_RECLAIM))
		flags |= ALLOC_TRY;
	request->flags = flags;
	request->type = gfp_migratetype(gfp);
}

/* ---- one zone ---- */

/* Whether a blocking request finds too little here for those that cannot wait. */
static bool should_grow(const struct kmem_zone *zone, unsigned int order)
{
	uint64_t needed = (UINT64_C(1) << order) + zone_watermark(zone, WMARK_LOW);

	if (zone->max_pages - READ_ONCE(zone->present_pages) - READ_ONCE(zone->mapped_pages) < BLOCK_PAGES)
		return false;
	return !zone_watermark_ok(zone, order, 0, true, 0) ||
	       READ_ONCE(zone->free_pages) < needed;
}

static void grow(struct kmem_zone *zone, const struct page_request *request)
{
	unsigned int more = 0;

	if (!should_grow(zone, request->order))
		return;
	grow_begin();
	/* A budget's low watermark may be many blocks away: only what is needed at once. */
	while (should_grow(zone, request->order) && more++ < 2)
		if (grow_zone(zone, request->type))
			break;
	grow_end();
	if (more)
		pcp_update();
}

static bool watermark_allows(const struct kmem_zone *zone, const struct page_request *request)
{
	if (zone->max_pages == UINT64_MAX || (request->flags & ALLOC_NO_WATERMARKS))
		return true;
	return zone_watermark_ok(zone, request->order, zone_mark_for(zone, request), zone_is_asked_for(zone, request),
				 request->flags);
}

/* Without the zone locked. */
static void add_stat(struct kmem_zone *zone, enum kmem_zone_stat stat, uint64_t n)
{
	__atomic_fetch_add(&zone->stat[stat], n, __ATOMIC_RELAXED);
}

/* Zone locked: nobody else writes these counters. */
static void count_take(struct kmem_zone *zone, const struct page_request *request, struct page *page, uint64_t pages)
{
	uint64_t *stat = zone->stat;

	page->node = (uint8_t)zone->node;
	stat[KMEM_ZS_ALLOC] += pages;
	stat[zone->node == request->nid ? KMEM_ZS_NUMA_HIT : KMEM_ZS_NUMA_MISS]++;
	stat[zone->node == numa_this_node() ? KMEM_ZS_NUMA_LOCAL : KMEM_ZS_NUMA_OTHER]++;
}

/* From the free lists themselves. */
static struct page *take_direct(struct kmem_zone *zone, const struct page_request *request)
{
	struct page *page;

	if (!buddy_lock_for(zone, request->flags))
		return NULL;
	page = buddy_take(zone, request->order, request->type, request->flags);
	if (page && (request->flags & ALLOC_HIGHATOMIC))
		buddy_reserve_highatomic(zone, page);
	if (page)
		count_take(zone, request, page, UINT64_C(1) << request->order);
	buddy_unlock(zone);
	return page;
}

static struct page *take_from_zone(struct kmem_zone *zone, const struct page_request *request)
{
	struct page *page = NULL;

	if (pcp_has_order(request->order))
		page = pcp_take(zone, request->nid, request->order, request->type);
	if (page)
		return page;
	if (request->flags & ALLOC_WAIT)
		grow(zone, request);
	if (!watermark_allows(zone, request))
		return NULL;
	if (request->order <= PCP_COSTLY_ORDER)
		page = pcp_refill(zone, request);
	return page ? page : take_direct(zone, request);
}

static struct page *take_from_list(const struct page_request *request)
{
	struct kmem_zone *const *list = zone_list(request->gfp, request->nid);

	for (; *list; list++) {
		struct kmem_zone *zone = *list;
		struct page *page;

		if ((request->gfp & __GFP_THISNODE) && zone->node != request->nid)
			continue;
		page = take_from_zone(zone, request);
		if (!page)
			continue;
		if (unlikely(zone->node != request->nid))
			add_stat(&zones[request->nid], KMEM_ZS_NUMA_FOREIGN, 1);
		return page;
	}
	return NULL;
}

/* ---- when there is nothing ---- */

static const struct {
	gfp_t flags;
	const char *name;
} gfp_names[] = {
	{ GFP_HIGHUSER_MOVABLE, "GFP_HIGHUSER_MOVABLE" }, { GFP_HIGHUSER, "GFP_HIGHUSER" },
	{ GFP_USER, "GFP_USER" }, { GFP_KERNEL_ACCOUNT, "GFP_KERNEL_ACCOUNT" },
	{ GFP_KERNEL, "GFP_KERNEL" }, { GFP_NOFS, "GFP_NOFS" }, { GFP_ATOMIC, "GFP_ATOMIC" },
	{ GFP_NOIO, "GFP_NOIO" }, { GFP_NOWAIT, "GFP_NOWAIT" }, { GFP_DMA, "GFP_DMA" },
	{ __GFP_HIGHMEM, "__GFP_HIGHMEM" }, { GFP_DMA32, "GFP_DMA32" }, { __GFP_HIGH, "__GFP_HIGH" },
	{ __GFP_IO, "__GFP_IO" }, { __GFP_FS, "__GFP_FS" }, { __GFP_NOWARN, "__GFP_NOWARN" },
	{ __GFP_RETRY_MAYFAIL, "__GFP_RETRY_MAYFAIL" }, { __GFP_NOFAIL, "__GFP_NOFAIL" },
	{ __GFP_NORETRY, "__GFP_NORETRY" }, { __GFP_COMP, "__GFP_COMP" }, { __GFP_ZERO, "__GFP_ZERO" },
	{ __GFP_NOMEMALLOC, "__GFP_NOMEMALLOC" }, { __GFP_MEMALLOC, "__GFP_MEMALLOC" },
	{ __GFP_HARDWALL, "__GFP_HARDWALL" }, { __GFP_THISNODE, "__GFP_THISNODE" },
	{ __GFP_RECLAIMABLE, "__GFP_RECLAIMABLE" }, { __GFP_MOVABLE, "__GFP_MOVABLE" },
	{ __GFP_ACCOUNT, "__GFP_ACCOUNT" }, { __GFP_WRITE, "__GFP_WRITE" }, { __GFP_RECLAIM, "__GFP_RECLAIM" },
	{ __GFP_DIRECT_RECLAIM, "__GFP_DIRECT_RECLAIM" }, { __GFP_KSWAPD_RECLAIM, "__GFP_KSWAPD_RECLAIM" },
	{ __GFP_ZEROTAGS, "__GFP_ZEROTAGS" },
};

size_t take_gfp_names(char *buf, size_t bytes, gfp_t gfp)
{
	size_t len = 0, i;

	for (i = 0; i < ARRAY_LEN(gfp_names) && gfp && len < bytes; i++) {
		if ((gfp & gfp_names[i].flags) != gfp_names[i].flags)
			continue;
		len += report_format(buf + len, bytes - len, "%s%s", len ? "|" : "", gfp_names[i].name);
		gfp &= ~gfp_names[i].flags;
	}
	if (len < bytes && (gfp || !len))
		len += report_format(buf + len, bytes - len, "%s0x%x", len ? "|" : "", gfp);
	return len;
}

/* At most one every ten seconds. */
static bool may_report(void)
{
	static uint64_t next KMEM_STATE;
	uint64_t now = os_now_ns(), due = READ_ONCE(next);

	return now >= due && __atomic_compare_exchange_n(&next, &due, now + REPORT_EVERY, false, __ATOMIC_RELAXED,
							 __ATOMIC_RELAXED);
}

static void report_failure(const struct page_request *request)
{
	const struct kmem_zone *zone = zone_list(request->gfp, request->nid)[0];
	char names[160];

	vm_count(KMEM_VM_ALLOC_FAIL, 1);
	if ((request->gfp & __GFP_NOWARN) || !may_report())
		return;
	take_gfp_names(names, sizeof(names), request->gfp);
	report("%s: page allocation failure: order:%u, mode:0x%x(%s), node %u %s free:%lukB min:%lukB present:%lukB; %s",
	       os_program_name(), request->order, request->gfp, names, zone->node, zone->name,
	       READ_ONCE(zone->free_pages) * 4, zone_watermark(zone, WMARK_MIN) * 4,
	       READ_ONCE(zone->present_pages) * 4,
	       zone_config.limit_pages ? "raise KMEM_OPTIONS=limit=SIZE" :
					 "no more memory was there, or the system granted none");
}

static void check_nofail(const struct page_request *request)
{
	static bool reported KMEM_STATE;
	bool kept = request->gfp & __GFP_DIRECT_RECLAIM;

	if (likely(kept && request->order <= 1) || __atomic_exchange_n(&reported, true, __ATOMIC_RELAXED))
		return;
	if (!kept)
		report("__GFP_NOFAIL without __GFP_DIRECT_RECLAIM can fail: use GFP_KERNEL | __GFP_NOFAIL");
	else
		report("__GFP_NOFAIL with order %u may wait for ever: use order 0 or 1, or vmalloc", request->order);
}

static bool ignores_watermarks(gfp_t gfp)
{
	if (gfp & __GFP_NOMEMALLOC)
		return false;
	return (gfp & __GFP_MEMALLOC) || (scope_flags & SCOPE_MEMALLOC);
}

/* The reserve of pageblocks goes before a request fails. */
static bool unreserve(const struct page_request *request, bool force)
{
	struct kmem_zone *const *list = zone_list(request->gfp, request->nid);
	bool found = false;

	for (; *list && !found; list++) {
		buddy_lock(*list);
		found = buddy_unreserve_highatomic(*list, request->type, force);
		buddy_unlock(*list);
	}
	return found;
}

/* Whether another round may help. */
static bool should_retry(const struct page_request *request, bool progress, unsigned int *rounds)
{
	gfp_t gfp = request->gfp;

	if (gfp & __GFP_NORETRY)
		return false;
	if (request->order > COSTLY_ORDER && !(gfp & (__GFP_RETRY_MAYFAIL | __GFP_NOFAIL)))
		return false;
	if (progress && request->order <= COSTLY_ORDER)
		*rounds = 0;
	else
		++*rounds;
	return *rounds <= MAX_ROUNDS || unreserve(request, true);
}

static struct page *take_with_reclaim(const struct page_request *request)
{
	unsigned int rounds = 0;
	struct page *page;
	bool progress, retry;

	do {
		pcp_drain_all();
		page = take_from_list(request);
		if (page)
			return page;
		progress = reclaim_pages(request->gfp, request->order, request->nid) > 0;
		page = take_from_list(request);
		if (!page && !progress && unreserve(request, false))
			page = take_from_list(request);
		if (page)
			return page;
		retry = should_retry(request, progress, &rounds);
		if (retry && !progress)
			os_yield();
		if (!retry && (request->gfp & __GFP_NOFAIL)) {
			/* Others may free meanwhile. */
			os_sleep_ns(NOFAIL_NAP_NS);
			retry = true;
		}
	} while (retry);
	return NULL;
}

static noinline struct page *take_slow(struct page_request *request)
{
	struct page *page;

	if (request->gfp & __GFP_NOFAIL)
		check_nofail(request);
	request->flags &= ~(unsigned int)ALLOC_WMARK_LOW;
	page = take_from_list(request);
	if (!page && ignores_watermarks(request->gfp)) {
		request->flags |= ALLOC_NO_WATERMARKS;
		page = take_from_list(request);
	}
	/* Who reclaims must not reclaim again. */
	if (!page && (request->flags & ALLOC_WAIT) && !(scope_flags & SCOPE_MEMALLOC))
		page = take_with_reclaim(request);
	if (!page)
		report_failure(request);
	return page;
}

struct page *take_from_zones(gfp_t gfp, unsigned int order, unsigned int nid)
{
	struct page_request request = { .gfp = gfp, .order = order, .nid = nid };
	struct page *page;

	take_prepare(&request);
	request.flags |= ALLOC_WMARK_LOW;
	page = take_from_list(&request);
	return page ? page : take_slow(&request);
}

struct page *take_run(gfp_t gfp, uint32_t nr_pages, unsigned int nid)
{
	struct page_request request = { .gfp = gfp, .order = fls64(nr_pages - 1), .nid = nid };
	struct kmem_zone *zone = zone_list(gfp, nid)[0];
	struct page *page;

	take_prepare(&request);
	if (!watermark_allows(zone, &request) || !buddy_lock_for(zone, request.flags))
		return NULL;
	page = buddy_take_run(zone, nr_pages, request.type);
	if (page)
		count_take(zone, &request, page, nr_pages);
	buddy_unlock(zone);
	if (!page)
		return NULL;
	WRITE_ONCE(page->migratetype, (uint8_t)request.type);
	return page;
}

bool take_behind(const struct page *page, uint32_t nr_pages)
{
	struct page_request request = { .gfp = GFP_NOWAIT, .order = fls64(nr_pages - 1), .nid = page->node };
	uint32_t first = page_index(page) + page->nr_pages;
	struct kmem_zone *zone = zone_of(page);
	bool taken;

	take_prepare(&request);
	if (!watermark_allows(zone, &request) || !buddy_lock_for(zone, request.flags))
		return false;
	taken = buddy_take_these(zone, first, nr_pages);
	if (taken)
		count_take(zone, &request, page_at(first), nr_pages);
	buddy_unlock(zone);
	return taken;
}
