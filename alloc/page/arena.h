/* SPDX-License-Identifier: BSD-2-Clause */
/* arena.h - the address space of the allocator: reservation, blocks of 4 MiB, metadata per page. */
#ifndef PAGE_ARENA_H
#define PAGE_ARENA_H

#include "page/page.h"

/*
 * Reserve the arena: up to `limit` bytes, halved until the system grants it;
 * 0 asks for 1 TiB. With `low` bytes it is placed so that just these lie below
 * 4 GiB; where that is impossible, one line says so and there are none.
 * Return: 0 or -ENOMEM.
 */
int arena_init(size_t limit, size_t low);

/* Bytes of the arena below 4 GiB, block 0 included; 0 without. */
size_t arena_low_bytes(void);

/*
 * Take nr adjoining free blocks for a zone (first fit; those below 4 GiB for
 * `low` only), their metadata usable, their memory not yet committed.
 * Return: index of the first, 0 when there is no room.
 */
uint32_t arena_take_blocks(uint32_t nr, enum kmem_block_state state, uint8_t zone, bool low);
/* The same from an address on that is a multiple of `align` (a power of two, at least BLOCK_BYTES); not below 4 GiB. */
uint32_t arena_take_aligned(uint32_t nr, size_t align, enum kmem_block_state state, uint8_t zone);
void arena_return_blocks(uint32_t first, uint32_t nr);

static inline enum kmem_block_state block_state(uint32_t block)
{
	return (enum kmem_block_state)(READ_ONCE(arena.block_state[block]) & ((1u << BLOCK_ZONE_SHIFT) - 1));
}

static inline void *block_addr(uint32_t block)
{
	return (void *)(arena.base + ((uintptr_t)block << BLOCK_SHIFT));
}

static inline struct page *block_page(uint32_t block)
{
	return page_at(block << MAX_PAGE_ORDER);
}

/* Around fork(): no thread is inside; `child` after it, in the child. */
void arena_lock_for_fork(void);
void arena_unlock_after_fork(bool child);

#endif
