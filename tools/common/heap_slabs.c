/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * heap_slabs.c - all slabs of one cache: descriptors and bitmaps added up.
 *
 * The id map says which pages belong to the cache. In each block of the arena
 * what describes them is read from the first to the last: a read of what is not
 * needed costs less than the setup of another piece (12 GB/s against 0.5 us).
 */
#include "common/heap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_PAGES KMEM_ARENA_BLOCK_PAGES /* no slab lies across the border of two */
#define PIECE_PAGES (64u * BLOCK_PAGES) /* ids read at a time */

struct walk {
	struct heap *heap;
	struct heap_slabs *out;
	uint16_t id;
	unsigned int step; /* slabs begin at multiples of so many pages */
	/* 64 KiB each of descriptors and bitmap: they stay in the CPU's cache */
	struct page pages[BLOCK_PAGES];
	uint64_t bitmap[BLOCK_PAGES * (KMEM_BITMAP_BYTES / 8)];
	uint16_t ids[PIECE_PAGES];
};

static void add_slab(struct walk *w, const struct page *page, size_t index)
{
	struct heap_slabs *out = w->out;
	size_t need = (page->objects + 63u) / 64u;
	uint64_t taken = 0;
	size_t level;

	for (uint32_t i = 0; i < need && index + i / 8 < BLOCK_PAGES; i++)
		taken += (unsigned int)__builtin_popcountll(kmem_slab_taken(page, w->bitmap[kmem_bitmap_word(index, i)], i));
	level = page->objects ? (size_t)(taken * 10 / page->objects) : 0;
	out->slabs++;
	out->pages += page->nr_pages;
	out->objects += page->objects;
	out->inuse += page->inuse;
	out->taken += taken;
	out->empty_slabs += !taken;
	out->full_slabs += page->objects && taken >= page->objects;
	out->fullness[level < HEAP_FULLNESS ? level : HEAP_FULLNESS - 1]++;
}

static int read_all(struct walk *w, struct target_range *r, unsigned int nr)
{
	int failed = target_readv(w->heap->target, r, nr);

	if (!failed)
		return 0;
	return failed < 0 ? failed
			  : target_fail(w->heap->target, -EPROTO, "PID %d (%s): page descriptors cannot be read",
					w->heap->target->pid, w->heap->target->comm);
}

/* In pages [first, end) of a block: of every eighth, beginning with the nth, what describes them lies side by side. */
static struct target_range stripe(uint64_t base, void *buf, uint64_t first, uint64_t end, unsigned int nth)
{
	uint64_t place = kmem_page_place((first & ~UINT64_C(7)) + nth);

	return (struct target_range){ .addr = base + place * sizeof(struct page),
				      .buf = (char *)buf + place % BLOCK_PAGES * sizeof(struct page),
				      .len = (((end - 1) >> 3) - (first >> 3) + 1) * sizeof(struct page) };
}

/* Descriptors, or shares of the bitmap, of all pages, or of those in which a slab of the cache may begin. */
static int read_stripes(struct walk *w, uint64_t base, void *buf, uint64_t first, uint64_t end, bool all)
{
	unsigned int step = all ? 1 : w->step, nr = 0;
	struct target_range r[8];

	for (unsigned int nth = 0; nth < 8; nth += step)
		r[nr++] = stripe(base, buf, first, end, nth);
	return read_all(w, r, nr);
}

/* A slab's words beyond its first page's share of the bitmap are in those of its other pages. */
static bool more_words(const struct walk *w, const uint16_t *ids, size_t first, size_t end)
{
	for (size_t i = first; i < end; i++)
		if (ids[i] == w->id && w->pages[kmem_page_place(i)].objects > KMEM_BITMAP_BYTES * 8)
			return true;
	return false;
}

/* One aligned block, whose ids are ids[0 .. nr). */
static int walk_block(struct walk *w, uint64_t block, const uint16_t *ids, size_t nr)
{
	const struct kmem_observe *root = &w->heap->root;
	size_t first = 0, end = nr;
	int err;

	while (first < nr && ids[first] != w->id)
		first++;
	if (first == nr)
		return 0;
	while (ids[end - 1] != w->id)
		end--;
	err = read_stripes(w, root->pages, w->pages, block + first, block + end, false);
	if (!err)
		err = read_stripes(w, root->bitmap, w->bitmap, block + first, block + end,
				   more_words(w, ids, first, end));
	for (size_t i = first; !err && i < end; i++) {
		const struct page *page = &w->pages[kmem_page_place(i)];

		if (i % w->step == 0 && ids[i] == w->id && page->type == KMEM_PAGE_SLAB && page->cache_id == w->id)
			add_slab(w, page, i);
	}
	return err;
}

/* No slab has fewer pages, and all begin at multiples of that; beyond 8 it does not matter. */
static unsigned int step_of(const struct heap *h, unsigned int id)
{
	for (size_t i = 0; i < h->nr_caches; i++)
		if (h->caches[i].cache.id == id)
			return 1u << (h->caches[i].cache.min_order < 3 ? h->caches[i].cache.min_order : 3);
	return 1;
}

static int walk_arena(struct walk *w)
{
	const struct kmem_observe *root = &w->heap->root;
	uint64_t nr_pages = (root->arena_end - root->arena_base) >> KMEM_PAGE_SHIFT;
	int err = 0;

	for (uint64_t piece = 0; !err && piece < nr_pages; piece += PIECE_PAGES) {
		uint64_t left = nr_pages - piece;
		size_t nr = left < PIECE_PAGES ? (size_t)left : PIECE_PAGES;

		err = target_read(w->heap->target, root->idmap + piece * sizeof(*w->ids), w->ids, nr * sizeof(*w->ids));
		for (size_t block = 0; !err && block < nr; block += BLOCK_PAGES)
			err = walk_block(w, piece + block, w->ids + block, nr - block < BLOCK_PAGES ? nr - block : BLOCK_PAGES);
	}
	return err;
}

int heap_read_slabs(struct heap *h, unsigned int id, struct heap_slabs *out)
{
	struct walk *w = malloc(sizeof(*w));
	int err;

	*out = (struct heap_slabs){ 0 };
	if (!w)
		return target_fail(h->target, -ENOMEM, "out of memory");
	w->heap = h;
	w->out = out;
	w->id = (uint16_t)id;
	w->step = step_of(h, id);
	err = walk_arena(w);
	free(w);
	return err;
}
