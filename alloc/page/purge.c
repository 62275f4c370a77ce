/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * purge.c - free blocks go back to the system, their addresses stay.
 *
 * A block is taken out of the free lists, so that nobody can get it, emptied
 * with the zone unlocked, and put back as known to be zero.
 */
#include "page/purge.h"

#include "base/os.h"
#include "page/buddy.h"

/* Smaller blocks are not worth a system call, and would break up huge pages. */
#define PURGE_ORDER PAGEBLOCK_ORDER

/* Free dirty memory that is kept for reuse whatever the load: 64 MiB. */
#define KEEP_PAGES (((uint64_t)64 << 20) >> PAGE_SHIFT)

size_t purge_blocks(unsigned int min_order, uint64_t keep)
{
	size_t purged = 0;

	for (;;) {
		struct page *page;
		size_t bytes;
		bool empty;

		buddy_lock();
		page = zones[0].dirty_pages > keep ? buddy_take_dirty(min_order) : NULL;
		buddy_unlock();
		if (!page)
			return purged;
		bytes = PAGE_SIZE << page->order;
		empty = !os_purge(page_to_addr(page), bytes);
		buddy_lock();
		page->flags = empty ? KMEM_PG_ZEROED : 0;
		buddy_put(page, page->order);
		if (empty)
			zones[0].purged_pages += bytes >> PAGE_SHIFT;
		buddy_unlock();
		if (!empty)
			return purged;
		purged += bytes;
	}
}

/* How many dirty free pages may stay: at least 64 MiB, or a quarter of what is in use. */
static uint64_t keep_pages(void)
{
	uint64_t in_use = READ_ONCE(zones[0].present_pages) - READ_ONCE(zones[0].free_pages);

	return MAX(KEEP_PAGES, in_use / 4);
}

/* True when so much is free that giving half of it back pays for the system calls. */
static bool should_purge(void)
{
	return READ_ONCE(zones[0].dirty_pages) > 2 * keep_pages();
}

void purge_maybe(void)
{
	if (unlikely(should_purge()))
		purge_blocks(PURGE_ORDER, keep_pages());
}
