/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects with an address range of their own: memory for just their pages, content kept by every resize. */
#include "support.h"

#include "page/arena.h"
#include "page/buddy.h"
#include "page/large.h"

#define MIB ((size_t)1 << 20)

/* A different value at the start of every page, and a mark at the last byte. */
static void fill(uint8_t *p, size_t bytes)
{
	size_t at;

	for (at = 0; at < bytes; at += PAGE_SIZE)
		*(uint64_t *)(void *)(p + at) = at * 0x9e3779b97f4a7c15u + 1;
	p[bytes - 1] = 0xee;
}

static bool intact(const uint8_t *p, size_t bytes)
{
	size_t at;

	for (at = 0; at + 8 < bytes; at += PAGE_SIZE)
		if (*(const uint64_t *)(const void *)(p + at) != at * 0x9e3779b97f4a7c15u + 1)
			return false;
	return true;
}

Test(large, a_mapping_is_zero_described_and_counted)
{
	size_t bytes = 5 * MIB + 123;
	struct page *page = large_map(bytes, -1);
	uint8_t *p;

	cr_assert_not_null(page);
	p = page_to_addr(page);
	cr_expect_eq((uintptr_t)p % BLOCK_BYTES, 0);
	cr_expect_eq(page->type, KMEM_PAGE_LARGE);
	cr_expect(page->flags & KMEM_PG_MAPPED);
	cr_expect_eq(page->size, bytes);
	cr_expect_eq(page->nr_pages, PAGE_ALIGN(bytes) >> PAGE_SHIFT);
	cr_expect_eq(*addr_to_id(p), KMEM_ID_LARGE);
	cr_expect_eq(zones[0].mapped_pages, page->nr_pages);
	cr_expect(all_bytes(p, PAGE_ALIGN(bytes), 0));
	cr_expect_not(readable(p + PAGE_ALIGN(bytes)), "only its own pages have memory");
	large_unmap(page);
	cr_expect_eq(zones[0].mapped_pages, 0);
}

Test(large, unmapped_memory_is_gone_and_its_addresses_reused)
{
	struct page *page = large_map(9 * MIB, -1);
	uint8_t *p = page_to_addr(page);

	memset(p, 1, 9 * MIB);
	large_unmap(page);
	cr_expect_not(readable(p));
	cr_expect_eq(*addr_to_id(p), KMEM_ID_NONE);
	page = large_map(8 * MIB, -1);
	cr_expect_eq(page_to_addr(page), p);
	cr_expect(all_bytes(p, 8 * MIB, 0));
}

Test(large, grows_in_place_within_its_blocks)
{
	struct page *page = large_map(4 * MIB + 1, -1);
	uint8_t *p = page_to_addr(page);

	fill(p, 4 * MIB + 1);
	cr_assert_eq(large_remap(page, 8 * MIB), page);
	cr_expect_eq(page->size, 8 * MIB);
	cr_expect_eq(zones[0].mapped_pages, 2048);
	cr_expect(intact(p, 4 * MIB));
	cr_expect(all_bytes(p + 4 * MIB + PAGE_SIZE, 4 * MIB - PAGE_SIZE, 0));
}

Test(large, shrinks_in_place_and_returns_the_rest)
{
	struct page *page = large_map(8 * MIB, -1);
	uint8_t *p = page_to_addr(page);

	fill(p, 8 * MIB);
	cr_assert_eq(large_remap(page, 5 * MIB), page);
	cr_expect(intact(p, 5 * MIB));
	cr_expect_not(readable(p + 5 * MIB));
	cr_expect_eq(zones[0].mapped_pages, 1280);
	/* Grown again, it must not show what was there. */
	cr_assert_eq(large_remap(page, 8 * MIB), page);
	cr_expect(intact(p, 5 * MIB));
	cr_expect(all_bytes(p + 5 * MIB, 3 * MIB, 0));
}

Test(large, moves_with_its_content)
{
	struct page *page = large_map(6 * MIB, -1), *guard = large_map(5 * MIB, -1), *moved;
	uint8_t *p = page_to_addr(page);

	fill(p, 6 * MIB);
	moved = large_remap(page, 30 * MIB);
	cr_assert_not_null(moved);
	cr_expect_neq(moved, page);
	cr_expect(intact(page_to_addr(moved), 6 * MIB));
	cr_expect(all_bytes((uint8_t *)page_to_addr(moved) + 6 * MIB, 24 * MIB, 0));
	cr_expect_not(readable(p));
	cr_expect_eq(*addr_to_id(p), KMEM_ID_NONE);
	cr_expect_eq(zones[0].mapped_pages, (30 + 5) * MIB / PAGE_SIZE);
	large_unmap(guard);
}

Test(large, moves_to_fewer_blocks_with_its_content)
{
	struct page *page = large_map(30 * MIB, -1), *moved;

	fill(page_to_addr(page), 30 * MIB);
	moved = large_remap(page, 5 * MIB);
	cr_assert_not_null(moved);
	cr_expect(intact(page_to_addr(moved), 5 * MIB));
	cr_expect_eq(zones[0].mapped_pages, 1280);
}

Test(large, moves_after_having_grown_in_place)
{
	struct page *page = large_map(5 * MIB, -1), *guard = large_map(5 * MIB, -1), *moved;

	large_remap(page, 7 * MIB);
	fill(page_to_addr(page), 7 * MIB);
	moved = large_remap(page, 20 * MIB);
	cr_assert_not_null(moved);
	cr_expect(intact(page_to_addr(moved), 7 * MIB));
	cr_expect_not(readable(page_to_addr(page)));
	large_unmap(guard);
}

Test(large, what_cannot_be_is_refused_and_nothing_lost)
{
	struct page *page = large_map(5 * MIB, -1);

	fill(page_to_addr(page), 5 * MIB);
	cr_expect_null(large_map(arena.limit, -1));
	cr_expect_null(large_map(SIZE_MAX / 2, -1));
	cr_expect_null(large_remap(page, arena.limit));
	cr_expect(intact(page_to_addr(page), 5 * MIB));
	cr_expect_eq(zones[0].mapped_pages, 1280);
}

Test(large, mappings_and_their_bytes_are_counted_with_their_peaks)
{
	struct page *a = large_map(5 * MIB, -1), *b = large_map(8 * MIB, -1);
	struct large_usage usage = large_usage();

	cr_expect(usage.nr == 2 && usage.peak_nr == 2 && usage.bytes == 13 * MIB && usage.peak_bytes == 13 * MIB);
	large_unmap(a);
	cr_assert(large_resize(b, 6 * MIB));
	usage = large_usage();
	cr_expect(usage.nr == 1 && usage.peak_nr == 2 && usage.bytes == 6 * MIB && usage.peak_bytes == 13 * MIB);
	/* Moving is not two mappings at a time. */
	b = large_remap(b, 12 * MIB);
	usage = large_usage();
	cr_expect(usage.nr == 1 && usage.bytes == 12 * MIB && usage.peak_bytes == 13 * MIB);
	large_unmap(b);
	usage = large_usage();
	cr_expect(usage.nr == 0 && usage.bytes == 0);
}

Test(large, is_aligned_to_more_than_a_block)
{
	struct page *held = large_map(5 * MIB, -1), *page;
	size_t align;

	for (align = BLOCK_BYTES; align <= 256 * MIB; align *= 2) {
		struct page *small, *other;

		page = large_map_aligned(5 * MIB, align, -1);
		other = large_map_aligned(1, align, -1);
		small = large_map(4 * MIB, -1);
		cr_assert(page && other && small && page != other);
		cr_expect_eq((uintptr_t)page_to_addr(page) % align, 0, "%zx", align);
		cr_expect_eq((uintptr_t)page_to_addr(other) % align, 0, "%zx", align);
		fill(page_to_addr(page), 5 * MIB);
		cr_expect(intact(page_to_addr(page), 5 * MIB));
		large_unmap(other);
		large_unmap(page);
		large_unmap(small);
	}
	large_unmap(held);
	cr_expect_null(large_map_aligned(1, (size_t)1 << 60, -1));
	cr_expect_eq(large_usage().nr, 0);
}
