/* SPDX-License-Identifier: BSD-2-Clause */
/* large.c - mappings beyond the buddy's largest block; see large.h. */
#include "page/large.h"

#include "base/os.h"
#include "page/arena.h"
#include "page/buddy.h"

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

static void account(int64_t pages)
{
	__atomic_fetch_add(&zones[0].mapped_pages, (uint64_t)pages, __ATOMIC_RELAXED);
}

static void set_head(struct page *page, size_t bytes)
{
	page->nr_pages = (uint32_t)(ALIGN_UP(bytes, PAGE_SIZE) >> PAGE_SHIFT);
	page->size = bytes;
	page->order = 0;
	page->flags = KMEM_PG_MAPPED | KMEM_PG_ZEROED;
	page_set_type(page, KMEM_PAGE_LARGE);
}

struct page *large_map(size_t bytes)
{
	struct page *page;
	uint32_t block;

	if (bytes >= arena.limit)
		return NULL;
	block = arena_take_blocks(blocks_of(bytes), BLOCK_LARGE);
	if (!block)
		return NULL;
	if (os_commit(block_addr(block), ALIGN_UP(bytes, PAGE_SIZE))) {
		arena_return_blocks(block, blocks_of(bytes));
		return NULL;
	}
	os_advise_huge(block_addr(block), ALIGN_UP(bytes, PAGE_SIZE));
	page = block_page(block);
	set_head(page, bytes);
	*addr_to_id(page_to_addr(page)) = KMEM_ID_LARGE;
	account(page->nr_pages);
	return page;
}

void large_unmap(struct page *page)
{
	size_t bytes = mapped_bytes(page);
	void *addr = page_to_addr(page);

	*addr_to_id(addr) = KMEM_ID_NONE;
	page_set_type(page, KMEM_PAGE_RESERVED);
	account(-(int64_t)page->nr_pages);
	os_decommit(addr, bytes);
	arena_return_blocks(block_of(page), blocks_of(bytes));
}

bool large_resize(struct page *page, size_t bytes)
{
	size_t old = mapped_bytes(page), new = ALIGN_UP(bytes, PAGE_SIZE);
	uint8_t *addr = page_to_addr(page);

	if (blocks_of(old) != blocks_of(new))
		return false;
	if (new > old && os_commit(addr + old, new - old))
		return false;
	if (new < old)
		os_decommit(addr + new, old - new);
	account((int64_t)(new >> PAGE_SHIFT) - page->nr_pages);
	set_head(page, bytes);
	return true;
}

struct page *large_remap(struct page *page, size_t bytes)
{
	size_t keep = MIN(mapped_bytes(page), ALIGN_UP(bytes, PAGE_SIZE));
	struct page *moved;

	if (large_resize(page, bytes))
		return page;
	moved = large_map(bytes);
	if (!moved)
		return NULL;
	if (os_move(page_to_addr(page), page_to_addr(moved), keep))
		memcpy(page_to_addr(moved), page_to_addr(page), keep);
	large_unmap(page);
	return moved;
}
