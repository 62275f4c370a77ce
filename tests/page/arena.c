/* SPDX-License-Identifier: BSD-2-Clause */
/* Address space in blocks of 4 MiB: first fit, states, metadata that follows. */
#include "support.h"

#include "base/observe.h"
#include "page/arena.h"

Test(arena, is_aligned_to_its_blocks)
{
	cr_expect_eq(arena.base % BLOCK_BYTES, 0);
	cr_expect_eq(arena.limit % BLOCK_BYTES, 0);
	cr_expect_geq(arena.limit, (size_t)64 << 20);
}

Test(arena, block_0_is_never_handed_out)
{
	cr_expect_geq(arena_take_blocks(1, KMEM_BLOCK_BUDDY, 0, false), 1);
	cr_expect_eq(arena.block_state[0], KMEM_BLOCK_FREE);
}

Test(arena, runs_are_first_fit_and_adjoining)
{
	uint32_t a = arena_take_blocks(2, KMEM_BLOCK_LARGE, 0, false), b = arena_take_blocks(3, KMEM_BLOCK_LARGE, 0, false);
	uint32_t c = arena_take_blocks(1, KMEM_BLOCK_BUDDY, 0, false);

	cr_expect_eq(b, a + 2);
	cr_expect_eq(c, b + 3);
	cr_expect_eq(arena.block_state[b], KMEM_BLOCK_LARGE);
	cr_expect_eq(arena.block_state[b + 1], KMEM_BLOCK_LARGE_TAIL);
	cr_expect_eq(arena.block_state[b + 2], KMEM_BLOCK_LARGE_TAIL);
	cr_expect_eq(arena.block_state[c], KMEM_BLOCK_BUDDY);
}

Test(arena, returned_runs_are_reused_and_holes_filled)
{
	uint32_t a = arena_take_blocks(2, KMEM_BLOCK_LARGE, 0, false), b = arena_take_blocks(3, KMEM_BLOCK_LARGE, 0, false);

	arena_return_blocks(a, 2);
	cr_expect_eq(arena.block_state[a], KMEM_BLOCK_FREE);
	cr_expect_eq(arena.block_state[a + 1], KMEM_BLOCK_FREE);
	/* Three do not fit into the hole of two; one does, and then the other. */
	cr_expect_eq(arena_take_blocks(3, KMEM_BLOCK_LARGE, 0, false), b + 3);
	cr_expect_eq(arena_take_blocks(1, KMEM_BLOCK_BUDDY, 0, false), a);
	cr_expect_eq(arena_take_blocks(1, KMEM_BLOCK_BUDDY, 0, false), a + 1);
	cr_expect_eq(arena_take_blocks(1, KMEM_BLOCK_BUDDY, 0, false), b + 6);
}

Test(arena, neighbouring_holes_make_one)
{
	uint32_t a = arena_take_blocks(1, KMEM_BLOCK_LARGE, 0, false), b = arena_take_blocks(1, KMEM_BLOCK_LARGE, 0, false);

	arena_take_blocks(1, KMEM_BLOCK_LARGE, 0, false);
	arena_return_blocks(b, 1);
	arena_return_blocks(a, 1);
	cr_expect_eq(arena_take_blocks(2, KMEM_BLOCK_LARGE, 0, false), a);
}

Test(arena, too_many_blocks_are_refused)
{
	uint32_t all = (uint32_t)(arena.limit >> BLOCK_SHIFT);

	cr_expect_eq(arena_take_blocks(all, KMEM_BLOCK_LARGE, 0, false), 0);
	cr_expect_eq(arena_take_blocks(all + 1, KMEM_BLOCK_LARGE, 0, false), 0);
	cr_expect_neq(arena_take_blocks(1, KMEM_BLOCK_LARGE, 0, false), 0);
}

Test(arena, the_end_follows_what_was_taken)
{
	uint32_t first = arena_take_blocks(20, KMEM_BLOCK_LARGE, 0, false);
	size_t end = (size_t)(first + 20) << BLOCK_SHIFT;

	cr_expect_eq(arena.bytes, end);
	cr_expect_eq(observe_root.arena_end, arena.base + end);
	cr_expect(arena_contains(block_addr(first)));
	cr_expect_not(arena_contains((uint8_t *)block_addr(first) + 20 * BLOCK_BYTES));
	cr_expect_not(arena_contains((void *)(arena.base - 1)));
	/* It does not move back: readers may hold addresses. */
	arena_return_blocks(first, 20);
	cr_expect_eq(arena.bytes, end);
}

Test(arena, metadata_of_taken_blocks_is_usable)
{
	uint32_t first = arena_take_blocks(40, KMEM_BLOCK_LARGE, 0, false);
	struct page *last = page_behind(block_page(first + 39), BLOCK_PAGES - 1);

	cr_expect_eq(last->type, KMEM_PAGE_RESERVED);
	last->nr_pages = 7;
	cr_expect_eq(arena.idmap[page_index(last)], KMEM_ID_NONE);
	arena.idmap[page_index(last)] = 1;
	cr_expect(all_bytes(page_bitmap(last), KMEM_BITMAP_BYTES, 0));
	memset(page_bitmap(last), 1, KMEM_BITMAP_BYTES);
	arena.pageblock[2 * (first + 39) + 1] = MIGRATE_MOVABLE;
	cr_expect_eq(addr_to_page(page_to_addr(last)), last);
}

Test(arena, memory_of_taken_blocks_is_not_committed)
{
	cr_expect_not(readable(block_addr(arena_take_blocks(1, KMEM_BLOCK_BUDDY, 0, false))));
}

Test(arena, fork_locks_pair_up, .timeout = 10)
{
	arena_lock_for_fork();
	arena_unlock_after_fork(false);
	arena_lock_for_fork();
	arena_unlock_after_fork(true);
	cr_expect_neq(arena_take_blocks(1, KMEM_BLOCK_BUDDY, 0, false), 0);
}

Test(arena, aligned_blocks_are_found_between_taken_ones)
{
	uint32_t block[40], i, found, again;
	size_t align = 4 * BLOCK_BYTES;

	for (i = 0; i < 40; i++)
		block[i] = arena_take_blocks(1, KMEM_BLOCK_BUDDY, 0, false);
	/* A hole of 6 blocks, in which one run of 3 is aligned. */
	for (i = 0; (uintptr_t)block_addr(block[i]) % align; i++)
		;
	arena_return_blocks(block[i] + 6, 6);
	found = arena_take_aligned(3, align, KMEM_BLOCK_LARGE, 0);
	cr_expect_eq(found, block[i] + 8);
	/* What is left of the hole is no room for three. */
	again = arena_take_aligned(3, align, KMEM_BLOCK_LARGE, 0);
	cr_expect(again > block[39] && (uintptr_t)block_addr(again) % align == 0);
	cr_expect_eq(arena_take_blocks(2, KMEM_BLOCK_LARGE, 0, false), block[i] + 6, "first fit goes on");
	arena_return_blocks(found, 3);
	cr_expect_eq(arena_take_aligned(1, align, KMEM_BLOCK_LARGE, 0), found);
}
