/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page.h - what the files of the page allocator share: descriptors, addresses.
 *
 *   arena_base                                        arena_end     arena_limit
 *   |  block 0  |  block 1  |  block 2  |  block 3 ...   |  reserved ...   |
 *      never      buddy       large mapping (> 4 MiB)
 *      used       1024 pages = 2 pageblocks
 *
 * Address space is dealt out in blocks of 4 MiB (the buddy's largest order).
 * Block 0 stays reserved, so page index 0 can end lists and an address in the
 * first block is always a bug. Per page there is a 64-byte descriptor, a 2-byte
 * id and 64 bytes of allocation bitmap, all in ranges of their own.
 */
#ifndef PAGE_PAGE_H
#define PAGE_PAGE_H

#include <kmem/observe.h>
#include <kmem/page.h>

#include "base/base.h"
#include "base/lock.h"
#include "base/meta.h"

#define BLOCK_SHIFT (PAGE_SHIFT + MAX_PAGE_ORDER)
#define BLOCK_BYTES ((size_t)1 << BLOCK_SHIFT)
#define BLOCK_PAGES ((uint32_t)1 << MAX_PAGE_ORDER)

#define BLOCK_ZONE_SHIFT 4

#define PAGEBLOCK_ORDER 9 /* 2 MiB, one huge page: the unit of mobility */
#define PAGEBLOCK_PAGES (1u << PAGEBLOCK_ORDER)
#define PAGEBLOCK_HUGE  0x80u /* huge pages were asked for behind it */

enum migratetype {
	MIGRATE_UNMOVABLE,
	MIGRATE_MOVABLE,
	MIGRATE_RECLAIMABLE,
	MIGRATE_HIGHATOMIC, /* reserved for urgent requests of order > 0 */
};

/*
 * What a request may do, derived from its gfp flags once; the kernel's alloc_flags.
 * The first three lower the watermark that a zone must keep.
 */
enum alloc_flags {
	ALLOC_MIN_RESERVE = 1 << 0, /* __GFP_HIGH: half of min */
	ALLOC_NON_BLOCK = 1 << 1,   /* no direct reclaim: a quarter of the rest */
	ALLOC_HIGHATOMIC = 1 << 2,  /* order > 0 without direct reclaim: the reserved pageblocks */
	ALLOC_NO_WATERMARKS = 1 << 3, /* __GFP_MEMALLOC, PF_MEMALLOC: everything */
	ALLOC_WAIT = 1 << 4,        /* may wait for locks and make system calls */
	ALLOC_TRY = 1 << 5,         /* neither reclaim flag: does not even spin */
	ALLOC_WMARK_LOW = 1 << 6,   /* keep the low watermark, not min */
};

#define ALLOC_RESERVES (ALLOC_MIN_RESERVE | ALLOC_NON_BLOCK | ALLOC_HIGHATOMIC)

/* In page.refcount: the owner of a block that is not compound has called __free_pages(). */
#define PAGE_OWNER_GONE (1 << 30)

#define ARENA_GRAIN 8u /* bytes that every object's address is a multiple of */

/*
 * Everything about the address space; written by arena.c only. The first three
 * are known by place to slab/hot.h. One cache line and a word.
 */
struct arena {
	uintptr_t base;
	size_t grains;         /* bytes / ARENA_GRAIN */
	uint16_t *idmap;
	size_t bytes;          /* base .. base + bytes is committed in part: see block_state */
	size_t limit;          /* reserved */
	struct page *pages;
	uint8_t *bitmap;
	uint8_t *block_state;  /* per block: enum kmem_block_state | index of its zone << BLOCK_ZONE_SHIFT */
	uint8_t *pageblock;    /* per pageblock: enum migratetype | PAGEBLOCK_HUGE */
};

extern KMEM_HIDDEN struct arena arena;

static inline uint32_t page_index(const struct page *page)
{
	return (uint32_t)kmem_page_of_place((uint64_t)(page - arena.pages));
}

static inline struct page *page_at(uint64_t index)
{
	return &arena.pages[kmem_page_place(index)];
}

/* The descriptor of the page n pages behind: descriptors do not lie in the order of their pages. */
static inline struct page *page_behind(const struct page *page, uint32_t n)
{
	return page_at(page_index(page) + n);
}

static inline void *page_to_addr(const struct page *page)
{
	return (void *)(arena.base + ((uintptr_t)page_index(page) << PAGE_SHIFT));
}

/* True for every address that the arena may ever have handed out. */
static inline bool arena_contains(const void *addr)
{
	return (uintptr_t)addr - arena.base < READ_ONCE(arena.bytes);
}

/* The page that holds addr, which must be in the arena; and its descriptor. */
static inline uint32_t addr_to_index(const void *addr)
{
	return (uint32_t)(((uintptr_t)addr - arena.base) >> PAGE_SHIFT);
}

static inline struct page *addr_to_page(const void *addr)
{
	return page_at(addr_to_index(addr));
}

static inline uint16_t *addr_to_id(const void *addr)
{
	return &arena.idmap[((uintptr_t)addr - arena.base) >> PAGE_SHIFT];
}

/*
 * A block's owner changes its type without the zone lock, while a neighbour that
 * merges looks at it under that lock, asking only whether it is FREE.
 */
static inline void page_set_type(struct page *page, enum kmem_page_type type)
{
	WRITE_ONCE(page->type, (uint8_t)type);
}

/* A page's share of the bitmap, as many bytes as its descriptor has, in the same order. */
static inline uint64_t *page_bitmap(const struct page *page)
{
	_Static_assert(sizeof(struct page) == KMEM_BITMAP_BYTES, "one offset for both");
	return (uint64_t *)(void *)(arena.bitmap + ((uintptr_t)page - (uintptr_t)arena.pages));
}

static inline enum migratetype pageblock_type(uint32_t index)
{
	return (enum migratetype)(READ_ONCE(arena.pageblock[index >> PAGEBLOCK_ORDER]) & ~PAGEBLOCK_HUGE);
}

static inline bool pageblock_is_huge(uint32_t index)
{
	return READ_ONCE(arena.pageblock[index >> PAGEBLOCK_ORDER]) & PAGEBLOCK_HUGE;
}

/* Zone locked. */
static inline void pageblock_set_huge(uint32_t index, bool huge)
{
	uint8_t *block = &arena.pageblock[index >> PAGEBLOCK_ORDER];

	WRITE_ONCE(*block, (uint8_t)(huge ? *block | PAGEBLOCK_HUGE : *block & ~PAGEBLOCK_HUGE));
}

/* Zone locked. */
static inline void pageblock_set_type(uint32_t index, enum migratetype type)
{
	uint8_t *block = &arena.pageblock[index >> PAGEBLOCK_ORDER];

	WRITE_ONCE(*block, (uint8_t)((*block & PAGEBLOCK_HUGE) | (uint8_t)type));
}

static inline enum migratetype gfp_migratetype(gfp_t gfp)
{
	if (gfp & __GFP_MOVABLE)
		return MIGRATE_MOVABLE;
	return gfp & __GFP_RECLAIMABLE ? MIGRATE_RECLAIMABLE : MIGRATE_UNMOVABLE;
}

#endif
