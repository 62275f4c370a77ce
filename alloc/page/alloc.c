/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * alloc.c - pages for the layers above: take.c finds a block, this makes it an
 * allocation; and back.
 *
 * They fire one event per block: for every block allocated, the events of its
 * frees add up to the same number of pages.
 */
#include "page/alloc.h"

#include "base/fault.h"
#include "base/numa.h"
#include "base/report.h"
#include "base/event.h"
#include "base/wipe.h"
#include "page/arena.h"
#include "page/buddy.h"
#include "page/check.h"
#include "page/grow.h"
#include "page/pcp.h"
#include "page/shrinker.h"
#include "page/take.h"
#include "page/vmstat.h"

static void init_huge(size_t bytes)
{
	if (!bytes || !grow_huge(zone_config.huge, bytes))
		return;
	report("hugetlb: the system's pool has fewer than %zu free huge pages of 2 MiB; going on without them, raise vm.nr_hugepages",
	       ALIGN_UP(bytes, BLOCK_BYTES) >> 21);
}

/*
 * A first block for every node, so that requests that may not wait find memory
 * from the start. Addresses only: nothing is touched.
 */
static void init_nodes(void)
{
	unsigned int i;

	for (i = 0; i < zone_config.nr_nodes; i++)
		grow_zone(&zones[i], MIGRATE_UNMOVABLE);
}

int page_init(const struct kmem_options *options, unsigned int nr_cpus)
{
	int rc = arena_init(options->arena, options->dma32);

	if (rc)
		return rc;
	vmstat_init();
	zone_config.min_free_kbytes = options->min_free_kbytes;
	zone_config.scale_factor = options->watermark_scale;
	zone_config.boost_factor = options->watermark_boost;
	zone_init(numa_nr_nodes(), options->limit, arena_low_bytes(), options->hugetlb);
	grow_thp = options->thp;
	buddy_shuffle = options->shuffle;
	page_debug = (options->page_poison ? PAGE_DEBUG_POISON : 0) |
		     (options->debug_pagealloc ? PAGE_DEBUG_PROTECT : 0);
	purge_init(options->purge, options->purge_ms, options->madvise == KMEM_MADVISE_FREE);
	rc = pcp_init(nr_cpus);
	if (rc)
		return rc;
	init_huge(options->hugetlb);
	init_nodes();
	return pcp_set_high_fraction(options->pcp_high_fraction);
}

/* A block, or a run of fewer pages than its order says, becomes an allocation. */
static force_inline void enter(struct page *page, gfp_t gfp, unsigned int order, uint32_t nr_pages,
			       enum kmem_page_type type)
{
	if (unlikely(page_debug))
		page_debug_alloc(page, nr_pages);
	if ((gfp & __GFP_ZERO) && !(page->flags & KMEM_PG_ZEROED))
		memset(page_to_addr(page), 0, (size_t)nr_pages << PAGE_SHIFT);
	WRITE_ONCE(page->order, (uint8_t)order);
	WRITE_ONCE(page->nr_pages, nr_pages);
	page->refcount = 1;
	/* The slab layer wants to know which pages have memory. */
	page->flags = (gfp & __GFP_COMP ? KMEM_PG_COMP : 0) |
		      (type == KMEM_PAGE_SLAB ? page->flags & KMEM_PG_ZEROED : 0);
	page_set_type(page, type);
}

/* Before a block is in hand: it takes time, in which a leak scan would find the block, and nobody who knows of it. */
static force_inline void give_back(gfp_t gfp)
{
	if (gfp & __GFP_DIRECT_RECLAIM)
		purge_tick();
}

static noinline void refuse_order(gfp_t gfp, unsigned int order)
{
	static bool warned KMEM_STATE;

	if (!warned && !(gfp & __GFP_NOWARN))
		report("page allocation of order %u refused: the largest is %d", order, MAX_PAGE_ORDER);
	warned = true;
}

static inline unsigned int node_for(int nid)
{
	return nid < 0 ? numa_this_node() : (unsigned int)nid;
}

static force_inline struct page *alloc_block(gfp_t gfp, unsigned int order, enum kmem_page_type type, int nid)
{
	struct page *page;

	if (unlikely(order > MAX_PAGE_ORDER)) {
		refuse_order(gfp, order);
		return NULL;
	}
	give_back(gfp);
	page = take_block(gfp, order, node_for(nid));
	if (likely(page))
		enter(page, gfp, order, 1u << order, type);
	return page;
}

static bool fails(gfp_t gfp, unsigned int order, enum kmem_page_type type, const void *call_site)
{
	return (type == KMEM_PAGE_PAGES && fault_object(gfp, call_site)) || fault_pages(gfp, order, call_site);
}

static noinline struct page *alloc_watched(gfp_t gfp, unsigned int order, enum kmem_page_type type, int nid,
					   const void *call_site)
{
	struct page *page = NULL;

	if (!fails(gfp, order, type, call_site))
		page = alloc_block(type != KMEM_PAGE_SLAB ? wipe_gfp(gfp) : gfp, order, type, nid);
	event_mm_page_alloc(call_site, page ? page_index(page) : -1UL, order, gfp, (int)gfp_migratetype(gfp));
	return page;
}

struct page *page_alloc_node(gfp_t gfp, unsigned int order, enum kmem_page_type type, int nid)
{
	if (unlikely(trace_on(TRACE_MM_PAGE_ALLOC)))
		return alloc_watched(gfp, order, type, nid, __builtin_return_address(0));
	return alloc_block(gfp, order, type, nid);
}

struct page *page_alloc(gfp_t gfp, unsigned int order, enum kmem_page_type type)
{
	return page_alloc_node(gfp, order, type, NUMA_NO_NODE);
}

/* The order of the largest aligned block that [index, end) begins with. */
static unsigned int piece_order(uint32_t index, uint32_t end)
{
	unsigned int order = (unsigned int)__builtin_ctz(index | BLOCK_PAGES);

	return MIN(order, fls64(end - index) - 1);
}

struct page *page_alloc_exact(gfp_t gfp, uint32_t nr_pages, enum kmem_page_type type, int nid)
{
	unsigned int order = fls64(nr_pages - 1);
	struct page *page = NULL;

	/* Watched, one path is enough: it has the events and the faults. */
	if (!is_pow2(nr_pages) && !trace_on(TRACE_MM_PAGE_ALLOC)) {
		give_back(gfp);
		page = take_run(gfp, nr_pages, node_for(nid));
	}
	if (page) {
		enter(page, gfp, order, nr_pages, type);
		page->flags |= KMEM_PG_EXACT;
		return page;
	}
	page = page_alloc_node(gfp, order, type, nid);
	if (page)
		page_trim(page, nr_pages);
	return page;
}

/* What every block sees on its way back. */
static force_inline void leave(const struct page *page, unsigned int order)
{
	if (unlikely(trace_on(TRACE_MM_PAGE_FREE))) {
		event_mm_page_free(__builtin_return_address(0), page_index(page), order);
		if (wipe_on_free())
			memset(page_to_addr(page), 0, PAGE_SIZE << order);
	}
	if (unlikely(page_debug))
		page_debug_free(page, 1u << order);
}

static void count_free(struct kmem_zone *zone, uint64_t pages)
{
	__atomic_fetch_add(&zone->stat[KMEM_ZS_FREE], pages, __ATOMIC_RELAXED);
}

void page_free(struct page *page, unsigned int order)
{
	leave(page, order);
	/* The migratetype under which it was taken is its list. */
	if (!pcp_has_order(order) || !pcp_put(page, order, (enum migratetype)page->migratetype)) {
		page->flags = 0;
		count_free(zone_of(page), UINT64_C(1) << order);
		buddy_free(zone_of(page), page, order);
	}
	purge_tick_on_free(1u << order);
}

void page_free_range(struct page *head, uint32_t from, uint32_t to)
{
	struct kmem_zone *zone = zone_of(head);
	uint32_t first = page_index(head);

	count_free(zone, to - from);
	while (from < to) {
		unsigned int order = piece_order(first + from, first + to);
		struct page *page = page_at(first + from);

		leave(page, order);
		page_set_type(page, KMEM_PAGE_TAIL);
		page->flags = 0;
		buddy_free(zone, page, order);
		from += 1u << order;
	}
}

void page_trim(struct page *page, uint32_t nr_pages)
{
	if (nr_pages >= page->nr_pages)
		return;
	page_free_range(page, nr_pages, page->nr_pages);
	WRITE_ONCE(page->nr_pages, nr_pages);
	page->flags |= KMEM_PG_EXACT;
}

bool page_extend(struct page *page, uint32_t nr_pages)
{
	uint32_t old = page->nr_pages;

	/* A request that somebody watches is one of its own. */
	if (trace_on(TRACE_MM_PAGE_ALLOC) || !take_behind(page, nr_pages - old))
		return false;
	if (unlikely(page_debug))
		page_debug_alloc(page_behind(page, old), nr_pages - old);
	WRITE_ONCE(page->order, (uint8_t)fls64(nr_pages - 1));
	WRITE_ONCE(page->nr_pages, nr_pages);
	page->flags |= KMEM_PG_EXACT;
	return true;
}

void page_free_exact(struct page *page)
{
	uint32_t nr_pages;

	if (!(page->flags & KMEM_PG_EXACT)) {
		page_free(page, page->order);
		return;
	}
	nr_pages = page->nr_pages;
	page_free_range(page, 0, nr_pages);
	purge_tick_on_free(nr_pages);
}

void page_validate(void)
{
	unsigned int i;

	pcp_validate();
	for (i = 0; i < zone_config.nr_zones; i++) {
		buddy_lock(&zones[i]);
		buddy_validate(&zones[i]);
		buddy_unlock(&zones[i]);
	}
}

void page_lock_for_fork(void)
{
	unsigned int i;

	shrinker_lock_for_fork();
	grow_lock_for_fork();
	pcp_lock_for_fork();
	for (i = 0; i < zone_config.nr_zones; i++)
		lock_for_fork(&zones[i].lock, true);
	arena_lock_for_fork();
}

void page_unlock_after_fork(bool child)
{
	unsigned int i;

	arena_unlock_after_fork(child);
	for (i = 0; i < zone_config.nr_zones; i++)
		lock_after_fork(&zones[i].lock, child);
	pcp_unlock_after_fork(child);
	grow_unlock_after_fork(child);
	shrinker_unlock_after_fork(child);
}
