/* SPDX-License-Identifier: BSD-2-Clause */
/* arena.h - the address space of the allocator: reservation, blocks of 4 MiB, metadata per page. */
#ifndef PAGE_ARENA_H
#define PAGE_ARENA_H

#include "page/page.h"

enum block_state {
	BLOCK_FREE,       /* reserved address space */
	BLOCK_BUDDY,      /* belongs to the page allocator for good */
	BLOCK_LARGE,      /* first block of a large mapping */
	BLOCK_LARGE_TAIL, /* its other blocks */
};

/*
 * Reserve the arena: up to `limit` bytes, halved until the system grants it;
 * 0 asks for 1 TiB. Return: 0 or -ENOMEM.
 */
int arena_init(size_t limit);

/*
 * Take nr adjoining free blocks (first fit), their metadata usable, their
 * memory not yet committed. Return: index of the first, 0 when there is no room.
 */
uint32_t arena_take_blocks(uint32_t nr, enum block_state state);
void arena_return_blocks(uint32_t first, uint32_t nr);

static inline void *block_addr(uint32_t block)
{
	return (void *)(arena.base + ((uintptr_t)block << BLOCK_SHIFT));
}

static inline struct page *block_page(uint32_t block)
{
	return &arena.pages[(size_t)block << MAX_PAGE_ORDER];
}

/* Around fork(): no thread is inside; `child` after it, in the child. */
void arena_lock_for_fork(void);
void arena_unlock_after_fork(bool child);

#endif
