/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * model.h - which objects exist in a heap: built from copies of the
 * allocator's page descriptors, bitmaps and caches, without touching an object.
 *
 * Memory is cut into blocks (a slab, a large object, an alloc_pages() block);
 * objects have numbers: block.first_object + index. One bit per object,
 * `white`, says "allocated, could be a leak, not reached yet"; marking clears
 * it and what is left is unreferenced. Objects that are free in a slab, or that
 * sit in a per-CPU slot, a shared slot or a barn sheaf, are not white: they are
 * neither targets nor scanned.
 *
 * Everything here works on the caller's memory only: no target, no system call
 * but the memory that model_build() takes.
 */
#ifndef KMEMLEAK_MODEL_H
#define KMEMLEAK_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <kmem/observe.h>

/* The allocator's metadata as copied while the target was stopped. */
struct heap_copy {
	uint64_t base;                    /* address of page 0 */
	uint64_t nr_pages;                /* committed so far */
	const struct page *pages;         /* whole arena blocks of them, each at kmem_page_place() */
	const uint64_t *bitmap;           /* the same, words at kmem_bitmap_word() */
	const uint16_t *idmap;            /* [nr_pages] */
	const struct kmem_cache *caches;  /* [nr_caches] */
	uint32_t nr_caches;
	const uint64_t *parked;           /* addresses of free objects held in slots and sheaves */
	size_t nr_parked;
};

static inline const struct page *heap_page(const struct heap_copy *copy, uint64_t index)
{
	return &copy->pages[kmem_page_place(index)];
}

/* Word `word` of the objects of a slab that are taken. */
static inline uint64_t heap_taken(const struct heap_copy *copy, uint64_t index, uint32_t word)
{
	return kmem_slab_taken(heap_page(copy, index), copy->bitmap[kmem_bitmap_word(index, word)], word);
}

struct model_block {
	uint32_t first_page;
	uint32_t reciprocal;   /* of stride: index = (offset * reciprocal) >> 32; 0: divide */
	uint32_t stride;       /* bytes from object to object; 0: one object */
	uint16_t nr_objects;
	uint16_t cache_id;     /* or KMEM_ID_LARGE, KMEM_ID_PAGES */
	uint64_t first_object; /* number of object 0, a multiple of 64 */
	uint64_t bytes;        /* of each object: scanned and reported */
	uint32_t offset;       /* of object 0: behind a debug cache's red zone, between guard pages, behind the colour */
	uint32_t colour;       /* bytes in front of the first stride */
};

struct model {
	uint64_t base, span;        /* heap addresses are base .. base + span */
	uint32_t *block_of;         /* per page: index into blocks[], 0 none */
	struct model_block *blocks; /* [0] is unused */
	uint32_t nr_blocks;
	uint64_t *white;            /* bit per object number: allocated and not reached */
	uint64_t *live;             /* white as it was before marking */
	uint64_t nr_numbers;        /* object numbers, a multiple of 64 */
	size_t block_of_bytes, blocks_bytes, white_bytes; /* of the mappings behind them */

	uint64_t nr_objects;   /* allocated objects that may be leaks */
	uint64_t object_bytes; /* their bytes */
	uint64_t nr_parked;    /* free objects found in slots and sheaves */
	uint64_t nr_ignored;   /* allocated objects of SLAB_NOLEAKTRACE caches */
	uint64_t nr_root_blocks; /* alloc_pages() blocks: scanned as roots */
	uint64_t nr_damaged;   /* descriptors and parked addresses that made no sense */
};

/* One object, found by address. */
struct model_object {
	uint64_t number;
	uint64_t offset; /* of its first byte from model.base */
	uint32_t block;
	uint32_t index;
};

/*
 * Build the model. The copy may be torn or corrupt: what does not fit together
 * is left out and counted in nr_damaged. Return 0 or -ENOMEM. The copy's arrays
 * are not needed afterwards. Call model_free() in any case.
 */
int model_build(struct model *m, const struct heap_copy *copy);
void model_free(struct model *m);

/* Find the object of `block` that holds the byte at `offset` from model.base, a byte of that block's pages. */
static inline bool model_find_in(const struct model *m, uint32_t block, uint64_t offset, struct model_object *o)
{
	const struct model_block *b = &m->blocks[block];
	uint64_t start = (uint64_t)b->first_page << KMEM_PAGE_SHIFT, inside = offset - start - b->colour;
	uint32_t index = 0;

	if (offset - start < b->colour)
		return false;
	if (b->reciprocal)
		index = (uint32_t)((inside * b->reciprocal) >> 32);
	else if (b->stride)
		index = (uint32_t)(inside / b->stride);
	if (index >= b->nr_objects)
		return false;
	o->number = b->first_object + index;
	o->offset = start + (uint64_t)index * b->stride + b->offset;
	o->block = block;
	o->index = index;
	return true;
}

/* Find the object slot that holds `addr` (any byte of it, padding included). Free slots are found too. */
static inline bool model_find(const struct model *m, uint64_t addr, struct model_object *o)
{
	uint64_t offset = addr - m->base;
	uint32_t block = offset < m->span ? m->block_of[offset >> KMEM_PAGE_SHIFT] : 0;

	return block && model_find_in(m, block, offset, o);
}

static inline bool model_is_white(const struct model *m, uint64_t number)
{
	return (m->white[number >> 6] >> (number & 63)) & 1;
}

static inline bool model_is_live(const struct model *m, uint64_t number)
{
	return (m->live[number >> 6] >> (number & 63)) & 1;
}

static inline void model_clear_white(struct model *m, uint64_t number)
{
	m->white[number >> 6] &= ~(UINT64_C(1) << (number & 63));
}

#endif
