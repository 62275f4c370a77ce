/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * heap_slabs.c - all slabs of one cache: descriptors and bitmaps added up.
 *
 * The id map says which pages belong to the cache. Pages that lie near each
 * other are read as one run: a contiguous read of metadata that is not needed
 * costs less than the setup of another piece (12 GB/s against 0.5 us).
 */
#include "common/heap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_PAGES KMEM_ARENA_BLOCK_PAGES /* no slab lies across the border of two */
#define PIECE_PAGES (64u * BLOCK_PAGES) /* ids read at a time */
#define NEAR_PAGES  32u   /* gaps up to this are read over */

struct walk {
	struct heap *heap;
	struct heap_slabs *out;
	uint16_t id;
	/* 64 KiB each of descriptors and bitmap: they stay in the CPU's cache */
	struct page pages[BLOCK_PAGES];
	uint64_t bitmap[BLOCK_PAGES * (KMEM_BITMAP_BYTES / 8)];
	uint16_t ids[PIECE_PAGES];
};

static void add_slab(struct walk *w, const struct page *page, const uint64_t *words, size_t nr_words)
{
	struct heap_slabs *out = w->out;
	size_t need = (page->objects + 63u) / 64u;
	uint64_t taken = 0;
	size_t level;

	for (size_t i = 0; i < need && i < nr_words; i++)
		taken += (unsigned int)__builtin_popcountll(kmem_slab_taken(page, words, (uint32_t)i));
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

/* The slabs whose head lies in [first, first + nr). Bitmaps of a slab are dense from its head on. */
static int add_run(struct walk *w, uint64_t first, size_t nr)
{
	const struct kmem_observe *root = &w->heap->root;
	struct target_range r = { .addr = root->bitmap + first * KMEM_BITMAP_BYTES, .buf = w->bitmap,
				  .len = nr * KMEM_BITMAP_BYTES };
	int err = read_all(w, &r, 1);

	if (err)
		return err;
	for (size_t i = 0; i < nr; i++) {
		const struct page *page = &w->pages[kmem_page_place(first + i) % BLOCK_PAGES];

		if (page->type != KMEM_PAGE_SLAB || page->cache_id != w->id)
			continue;
		add_slab(w, page, &w->bitmap[i * (KMEM_BITMAP_BYTES / 8)], (nr - i) * (KMEM_BITMAP_BYTES / 8));
	}
	return 0;
}

/* The descriptors of a block, which lie in an order of their own. */
static int read_descriptors(struct walk *w, uint64_t first)
{
	struct target_range r = { .addr = w->heap->root.pages + first * sizeof(struct page), .buf = w->pages,
				  .len = sizeof(w->pages) };

	return read_all(w, &r, 1);
}

/* One aligned block, whose ids are ids[0 .. nr): read the runs of pages that are ours. */
static int walk_block(struct walk *w, uint64_t first, const uint16_t *ids, size_t nr)
{
	bool described = false;
	size_t i = 0;

	while (i < nr) {
		size_t start, end;
		int err = 0;

		if (ids[i] != w->id) {
			i++;
			continue;
		}
		if (!described)
			err = read_descriptors(w, first);
		described = true;
		start = i;
		end = i + 1;
		for (i++; i < nr && i - end < NEAR_PAGES; i++)
			if (ids[i] == w->id)
				end = i + 1;
		if (!err)
			err = add_run(w, first + start, end - start);
		if (err)
			return err;
	}
	return 0;
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
	err = walk_arena(w);
	free(w);
	return err;
}
