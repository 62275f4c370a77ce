/* SPDX-License-Identifier: BSD-2-Clause */
/* arena.c - reservation of the address space and its division into blocks; see page.h for the picture. */
#include "page/arena.h"

#include <errno.h>

#include "base/observe.h"
#include "base/os.h"
#include "base/report.h"
#include "base/trace.h"

#define LIMIT_DEFAULT ((size_t)1 << 40)
#define LIMIT_MIN     (16 * BLOCK_BYTES)
#define LOW_END       ((size_t)1 << 32)
#define LOW_MAX       ((size_t)3 << 30) /* programs may be linked to the first GiB */

/* Metadata is committed for this many blocks at once: fewer system calls. */
#define META_BLOCKS 16u

struct arena arena KMEM_STATE __attribute__((aligned(CACHE_LINE)));

static struct {
	lock_t lock;
	uint32_t nr_blocks;  /* in the reservation */
	uint32_t end_block;  /* blocks before it have metadata */
	uint32_t low_blocks; /* below 4 GiB, block 0 included */
	uint32_t first_free[2]; /* in the rest and in the low part: no free block before it */
	struct meta_range pages, idmap, bitmap, blocks, pageblocks;
} state KMEM_STATE;

/* Bytes of metadata for nr blocks, by range. */
static size_t pages_bytes(size_t nr)
{
	return (nr << MAX_PAGE_ORDER) * sizeof(struct page);
}

static size_t idmap_bytes(size_t nr)
{
	return (nr << MAX_PAGE_ORDER) * sizeof(uint16_t);
}

static size_t bitmap_bytes(size_t nr)
{
	return (nr << MAX_PAGE_ORDER) * KMEM_BITMAP_BYTES;
}

/* Arena and metadata are one reservation: it fits whole or is halved whole. */
static size_t reservation_bytes(size_t nr)
{
	return (nr << BLOCK_SHIFT) + pages_bytes(nr) + bitmap_bytes(nr) + idmap_bytes(nr) +
	       ALIGN_UP(nr, BLOCK_BYTES) + ALIGN_UP(2 * nr, BLOCK_BYTES) + BLOCK_BYTES;
}

static uint8_t *place(struct meta_range *range, const char *name, uint8_t *at, size_t bytes)
{
	bytes = ALIGN_UP(bytes, (size_t)64 << 10); /* ranges are committed in such steps */
	meta_place(range, name, at, bytes);
	return at + bytes;
}

static void place_metadata(uint8_t *at)
{
	size_t nr = state.nr_blocks;

	at = place(&state.pages, "kmem pages", at, pages_bytes(nr));
	at = place(&state.bitmap, "kmem bitmap", at, bitmap_bytes(nr));
	at = place(&state.idmap, "kmem idmap", at, idmap_bytes(nr));
	at = place(&state.blocks, "kmem blocks", at, ALIGN_UP(nr, BLOCK_BYTES));
	place(&state.pageblocks, "kmem pageblocks", at, ALIGN_UP(2 * nr, BLOCK_BYTES));
}

/* Make the metadata of blocks [0, end) usable. */
static int ensure_metadata(uint32_t end)
{
	int rc;

	if (end <= state.end_block)
		return 0;
	end = MIN(ALIGN_UP(end, META_BLOCKS), state.nr_blocks);
	rc = meta_ensure(&state.pages, pages_bytes(end));
	if (!rc)
		rc = meta_ensure(&state.idmap, idmap_bytes(end));
	if (!rc)
		rc = meta_ensure(&state.bitmap, bitmap_bytes(end));
	if (!rc)
		rc = meta_ensure(&state.blocks, end);
	if (!rc)
		rc = meta_ensure(&state.pageblocks, 2 * (size_t)end);
	if (!rc)
		state.end_block = end;
	return rc;
}

/* For readers outside. */
static void publish(void)
{
	observe_root.arena_base = arena.base;
	observe_root.arena_end = arena.base;
	observe_root.arena_limit = arena.base + arena.limit;
	observe_root.pages = (uintptr_t)arena.pages;
	observe_root.idmap = (uintptr_t)arena.idmap;
	observe_root.bitmap = (uintptr_t)arena.bitmap;
	observe_root.pageblocks = (uintptr_t)arena.pageblock;
	observe_root.blocks = (uintptr_t)arena.block_state;
}

/* One piece across 4 GiB, so that there is one base and one limit. */
static uint8_t *reserve_low(size_t bytes, size_t low)
{
	uint8_t *at = (uint8_t *)(LOW_END - low);

	return low && os_reserve_at(at, bytes) ? at : NULL;
}

static uint8_t *reserve(size_t limit, size_t low)
{
	uint8_t *base = NULL;

	for (; limit >= LIMIT_MIN && limit > low; limit = ALIGN_DOWN(limit - limit / 4, BLOCK_BYTES)) {
		size_t bytes;

		state.nr_blocks = (uint32_t)(limit >> BLOCK_SHIFT);
		bytes = reservation_bytes(state.nr_blocks);
		base = low ? reserve_low(bytes, low) : os_reserve(bytes, BLOCK_BYTES);
		if (base)
			break;
	}
	return base;
}

int arena_init(size_t limit, size_t low)
{
	uint8_t *base = NULL;

	limit = limit ? ALIGN_UP(MAX(limit, LIMIT_MIN), BLOCK_BYTES) : LIMIT_DEFAULT;
	if (low) {
		/* Block 0 comes on top. */
		low = MIN(ALIGN_UP(low, BLOCK_BYTES) + BLOCK_BYTES, LOW_MAX);
		base = reserve(MAX(limit, low + LIMIT_MIN), low);
		state.low_blocks = base ? (uint32_t)(low >> BLOCK_SHIFT) : 0;
		if (!base)
			report("dma32: the addresses below 4 GiB are taken; going on without zone DMA32, try a smaller dma32=SIZE");
	}
	if (!base)
		base = reserve(limit, 0);
	if (!base)
		return -ENOMEM;
	limit = (size_t)state.nr_blocks << BLOCK_SHIFT;
	os_name(base, limit, "kmem arena");
	place_metadata(base + limit);
	arena.base = (uintptr_t)base;
	trace_set_base(arena.base);
	arena.limit = limit;
	arena.pages = (struct page *)(void *)state.pages.base;
	arena.idmap = (uint16_t *)(void *)state.idmap.base;
	arena.bitmap = state.bitmap.base;
	arena.block_state = state.blocks.base;
	arena.pageblock = state.pageblocks.base;
	state.first_free[0] = MAX(state.low_blocks, 1u);
	state.first_free[1] = 1;
	publish();
	return ensure_metadata(1);
}

size_t arena_low_bytes(void)
{
	return (size_t)state.low_blocks << BLOCK_SHIFT;
}

/* The first block from `block` on whose address is a multiple of align. */
static uint32_t next_aligned(uint32_t block, size_t align)
{
	uintptr_t addr = arena.base + ((uintptr_t)block << BLOCK_SHIFT);

	return block + (uint32_t)((ALIGN_UP(addr, align) - addr) >> BLOCK_SHIFT);
}

/* First run of nr free blocks that starts aligned, 0 when there is none. Blocks beyond end_block are free. */
static uint32_t find_blocks(uint32_t nr, size_t align, bool low)
{
	uint32_t end = low ? state.low_blocks : state.nr_blocks;
	uint32_t first = next_aligned(state.first_free[low], align), block;

	for (block = first; block < end; block++) {
		if (block >= state.end_block)
			break;
		if (block_state(block) != KMEM_BLOCK_FREE) {
			first = next_aligned(block + 1, align);
			block = first - 1;
		} else if (block - first + 1 == nr) {
			return first;
		}
	}
	return first < end && end - first >= nr ? first : 0;
}

static void mark_blocks(uint32_t first, uint32_t nr, enum kmem_block_state head, enum kmem_block_state tail, uint8_t zone)
{
	uint8_t high = (uint8_t)(zone << BLOCK_ZONE_SHIFT);

	/* Some look without the lock. */
	WRITE_ONCE(arena.block_state[first], (uint8_t)((uint8_t)head | high));
	for (uint32_t i = 1; i < nr; i++)
		WRITE_ONCE(arena.block_state[first + i], (uint8_t)((uint8_t)tail | high));
}

static uint32_t take_blocks(uint32_t nr, size_t align, enum kmem_block_state new_state, uint8_t zone, bool low)
{
	uint32_t first;

	lock_acquire(&state.lock, LOCK_ARENA);
	first = find_blocks(nr, align, low);
	if (first && !ensure_metadata(first + nr)) {
		size_t end = (size_t)(first + nr) << BLOCK_SHIFT;

		mark_blocks(first, nr, new_state,
			    new_state == KMEM_BLOCK_LARGE ? KMEM_BLOCK_LARGE_TAIL : new_state, zone);
		if (first == state.first_free[low])
			state.first_free[low] += nr;
		if (end > arena.bytes) {
			WRITE_ONCE(arena.bytes, end);
			WRITE_ONCE(arena.grains, end / ARENA_GRAIN);
			WRITE_ONCE(observe_root.arena_end, arena.base + end);
		}
	} else {
		first = 0;
	}
	lock_release(&state.lock, LOCK_ARENA);
	return first;
}

uint32_t arena_take_blocks(uint32_t nr, enum kmem_block_state new_state, uint8_t zone, bool low)
{
	return take_blocks(nr, BLOCK_BYTES, new_state, zone, low);
}

uint32_t arena_take_aligned(uint32_t nr, size_t align, enum kmem_block_state new_state, uint8_t zone)
{
	return take_blocks(nr, align, new_state, zone, false);
}

void arena_return_blocks(uint32_t first, uint32_t nr)
{
	bool low = first < state.low_blocks;

	lock_acquire(&state.lock, LOCK_ARENA);
	mark_blocks(first, nr, KMEM_BLOCK_FREE, KMEM_BLOCK_FREE, 0);
	state.first_free[low] = MIN(state.first_free[low], first);
	lock_release(&state.lock, LOCK_ARENA);
}

void arena_lock_for_fork(void)
{
	lock_for_fork(&state.lock, false);
}

void arena_unlock_after_fork(bool child)
{
	lock_after_fork(&state.lock, child);
}
