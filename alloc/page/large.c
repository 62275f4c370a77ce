/* SPDX-License-Identifier: BSD-2-Clause */
/* large.c - mappings beyond the buddy's largest block; see large.h. */
#include "page/large.h"

#include "base/numa.h"
#include "base/os.h"
#include "page/arena.h"
#include "page/grow.h"

/* Mappings and their pages, now and at most so far. */
static struct {
	uint64_t nr, peak_nr, pages, peak_pages;
} usage KMEM_STATE;

static void keep_peak(uint64_t *peak, uint64_t value)
{
	uint64_t seen = READ_ONCE(*peak);

	while (seen < value &&
	       !__atomic_compare_exchange_n(peak, &seen, value, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

static void count(int nr, int64_t pages)
{
	keep_peak(&usage.peak_nr, __atomic_add_fetch(&usage.nr, (uint64_t)(int64_t)nr, __ATOMIC_RELAXED));
	keep_peak(&usage.peak_pages, __atomic_add_fetch(&usage.pages, (uint64_t)pages, __ATOMIC_RELAXED));
}

struct large_usage large_usage(void)
{
	return (struct large_usage){ READ_ONCE(usage.nr), READ_ONCE(usage.peak_nr), READ_ONCE(usage.pages) << PAGE_SHIFT,
				     READ_ONCE(usage.peak_pages) << PAGE_SHIFT };
}

static uint32_t blocks_of(size_t bytes)
{
	return (uint32_t)(ALIGN_UP(bytes, BLOCK_BYTES) >> BLOCK_SHIFT);
}

static size_t mapped_bytes(const struct page *page)
{
	return (size_t)page->nr_pages << PAGE_SHIFT;
}

static uint32_t block_of(const struct page *page)
{
	return page_index(page) >> MAX_PAGE_ORDER;
}

static void set_head(struct page *page, size_t bytes)
{
	WRITE_ONCE(page->nr_pages, (uint32_t)(ALIGN_UP(bytes, PAGE_SIZE) >> PAGE_SHIFT));
	page->size = bytes;
	WRITE_ONCE(page->order, 0);
	page->flags = KMEM_PG_MAPPED | KMEM_PG_ZEROED;
	page_set_type(page, KMEM_PAGE_LARGE);
}

/* Its address range is committed. */
static void advise(void *addr, size_t bytes, const struct kmem_zone *zone)
{
	if (numa_is_real())
		os_prefer_node(addr, bytes, zone->node);
	if (grow_thp == KMEM_THP_NEVER)
		os_advise_small(addr, bytes);
	else
		os_advise_huge(addr, bytes);
}

/*
 * Blocks with memory for `bytes` in them, 0 when there is none. When there are no
 * addresses left, or the system refuses (ulimit), free blocks are given up for it.
 */
static uint32_t take_blocks(size_t bytes, size_t align, struct kmem_zone *zone)
{
	uint32_t block;

	do {
		block = arena_take_aligned(blocks_of(bytes), MAX(align, BLOCK_BYTES), KMEM_BLOCK_LARGE, zone_index(zone));
		if (block && !os_commit(block_addr(block), bytes))
			return block;
		if (block)
			arena_return_blocks(block, blocks_of(bytes));
	} while (bytes < arena.limit && grow_give_back(zone));
	return 0;
}

static struct page *map(size_t bytes, size_t align, int nid)
{
	struct kmem_zone *zone = &zones[nid < 0 ? (int)numa_this_node() : nid];
	size_t mapped = ALIGN_UP(bytes, PAGE_SIZE);
	struct page *page;
	uint32_t block;

	if (bytes >= arena.limit || align > arena.limit)
		return NULL;
	if (!grow_charge(zone, mapped >> PAGE_SHIFT))
		return NULL;
	block = take_blocks(mapped, align, zone);
	if (!block) {
		grow_uncharge(zone, mapped >> PAGE_SHIFT);
		return NULL;
	}
	advise(block_addr(block), mapped, zone);
	page = block_page(block);
	page->node = (uint8_t)zone->node;
	set_head(page, bytes);
	*addr_to_id(page_to_addr(page)) = KMEM_ID_LARGE;
	return page;
}

struct page *large_map_aligned(size_t bytes, size_t align, int nid)
{
	struct page *page = map(bytes, align, nid);

	if (page)
		count(1, page->nr_pages);
	return page;
}

struct page *large_map(size_t bytes, int nid)
{
	return large_map_aligned(bytes, PAGE_SIZE, nid);
}

static void unmap(struct page *page)
{
	size_t bytes = mapped_bytes(page);
	void *addr = page_to_addr(page);

	*addr_to_id(addr) = KMEM_ID_NONE;
	page_set_type(page, KMEM_PAGE_RESERVED);
	os_decommit(addr, bytes);
	grow_uncharge(zone_of(page), bytes >> PAGE_SHIFT);
	arena_return_blocks(block_of(page), blocks_of(bytes));
}

void large_unmap(struct page *page)
{
	uint32_t pages = page->nr_pages;

	unmap(page);
	count(-1, -(int64_t)pages);
}

bool large_resize(struct page *page, size_t bytes)
{
	size_t old = mapped_bytes(page), new = ALIGN_UP(bytes, PAGE_SIZE);
	uint8_t *addr = page_to_addr(page);

	if (blocks_of(old) != blocks_of(new))
		return false;
	if (new > old && !grow_charge(zone_of(page), (new - old) >> PAGE_SHIFT))
		return false;
	if (new > old && os_commit(addr + old, new - old)) {
		grow_uncharge(zone_of(page), (new - old) >> PAGE_SHIFT);
		return false;
	}
	if (new < old) {
		os_decommit(addr + new, old - new);
		grow_uncharge(zone_of(page), (old - new) >> PAGE_SHIFT);
	}
	set_head(page, bytes);
	count(0, ((int64_t)new - (int64_t)old) >> PAGE_SHIFT);
	return true;
}

struct page *large_remap(struct page *page, size_t bytes)
{
	size_t keep = MIN(mapped_bytes(page), ALIGN_UP(bytes, PAGE_SIZE));
	struct page *moved;

	if (large_resize(page, bytes))
		return page;
	moved = map(bytes, PAGE_SIZE, page->node);
	if (!moved)
		return NULL;
	if (os_move(page_to_addr(page), page_to_addr(moved), keep))
		memcpy(page_to_addr(moved), page_to_addr(page), keep);
	/* One mapping all along. */
	count(0, (int64_t)moved->nr_pages - (int64_t)page->nr_pages);
	unmap(page);
	return moved;
}
