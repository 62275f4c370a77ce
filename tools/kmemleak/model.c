/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * model.c - page descriptors and bitmaps to blocks and white bits.
 *
 * Two passes over the descriptors: the first only counts, so that the tables
 * are allocated once at their final size. Object numbers of a block start at a
 * multiple of 64, which makes taking over a slab's bitmap a copy of words.
 */
#include "kmemleak/model.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

/* A descriptor, judged. */
struct head {
	uint64_t index, nr_pages, nr_objects, bytes;
	uint32_t stride, offset, colour;
	uint16_t cache_id;
};

static void *map_zeroed(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static bool slab_head(const struct heap_copy *copy, const struct page *page, struct head *h)
{
	const struct kmem_cache *cache;

	if (!page->cache_id || page->cache_id >= copy->nr_caches)
		return false;
	cache = &copy->caches[page->cache_id];
	/* No object is smaller than a word, so the bits of a slab fit into those of its pages. */
	if (cache->state == KMEM_CACHE_FREE || cache->size < sizeof(uint64_t) || cache->object_size > cache->size)
		return false;
	h->nr_objects = page->objects;
	h->stride = cache->size;
	h->offset = cache->red_left_pad;
	h->bytes = cache->object_size;
	if (h->offset > h->stride || h->bytes > h->stride - h->offset)
		return false;
	h->colour = page->offset;
	h->offset += h->colour;
	h->cache_id = page->cache_id;
	return h->nr_objects && h->colour + h->nr_objects * h->stride <= h->nr_pages << KMEM_PAGE_SHIFT;
}

static bool whole_head(uint64_t bytes, uint16_t id, struct head *h)
{
	h->nr_objects = 1;
	h->stride = h->offset = h->colour = 0;
	h->bytes = bytes;
	h->cache_id = id;
	return bytes && bytes <= h->nr_pages << KMEM_PAGE_SHIFT;
}

/* A page with one object of a cache somewhere in it. */
static bool guarded_head(const struct heap_copy *copy, const struct page *page, struct head *h)
{
	if (!page->cache_id || page->cache_id >= copy->nr_caches || page->offset >= KMEM_PAGE_BYTES ||
	    page->size > KMEM_PAGE_BYTES - page->offset || !whole_head(page->size, page->cache_id, h))
		return false;
	h->offset = page->offset;
	return true;
}

/*
 * 1: a block begins here; 0: nothing of interest for h->nr_pages pages (what
 * lies behind the head of a free block has no meaning); -1: makes no sense.
 */
static int judge(const struct heap_copy *copy, uint64_t index, struct head *h)
{
	const struct page *page = heap_page(copy, index);
	bool fits;

	h->index = index;
	h->nr_pages = page->nr_pages;
	switch (page->type) {
	case KMEM_PAGE_SLAB:
		fits = slab_head(copy, page, h);
		break;
	case KMEM_PAGE_LARGE:
		if (page->flags & KMEM_PG_GUARD) {
			fits = guarded_head(copy, page, h);
			break;
		}
		/* The id is set last when it is allocated, and cleared first when it is freed: in between nobody owns it. */
		if (copy->idmap[index] != KMEM_ID_LARGE)
			return h->nr_pages && h->nr_pages <= copy->nr_pages - index ? 0 : -1;
		fits = whole_head(page->size, KMEM_ID_LARGE, h);
		break;
	case KMEM_PAGE_PAGES:
		fits = whole_head((uint64_t)page->nr_pages << KMEM_PAGE_SHIFT, KMEM_ID_PAGES, h);
		break;
	case KMEM_PAGE_FREE:
	case KMEM_PAGE_PCP:
		return h->nr_pages && h->nr_pages <= copy->nr_pages - index ? 0 : -1;
	default:
		h->nr_pages = 1;
		return 0;
	}
	return fits && h->nr_pages && h->nr_pages <= copy->nr_pages - index ? 1 : -1;
}

/* The next head at or after *index; *index moves behind its block. */
static bool next_head(const struct heap_copy *copy, uint64_t *index, struct head *h, uint64_t *damaged)
{
	while (*index < copy->nr_pages) {
		int verdict = judge(copy, *index, h);

		*index += verdict < 0 ? 1 : h->nr_pages;
		if (verdict == 1)
			return true;
		if (verdict < 0 && damaged)
			(*damaged)++;
	}
	return false;
}

static uint64_t round_numbers(uint64_t nr)
{
	return (nr + 63) & ~UINT64_C(63);
}

static int allocate(struct model *m, const struct heap_copy *copy)
{
	uint64_t nr_blocks = 1, numbers = 0, index = 0;
	struct head h;

	if (copy->nr_pages > UINT32_MAX)
		return -ENOMEM;
	while (next_head(copy, &index, &h, NULL)) {
		nr_blocks++;
		numbers += round_numbers(h.nr_objects);
	}
	m->base = copy->base;
	m->span = copy->nr_pages << KMEM_PAGE_SHIFT;
	m->block_of_bytes = (copy->nr_pages + 1) * sizeof(*m->block_of);
	m->blocks_bytes = nr_blocks * sizeof(*m->blocks);
	m->white_bytes = numbers / 8 + sizeof(uint64_t);
	m->block_of = map_zeroed(m->block_of_bytes);
	m->blocks = map_zeroed(m->blocks_bytes);
	m->white = map_zeroed(m->white_bytes);
	m->live = map_zeroed(m->white_bytes);
	return m->block_of && m->blocks && m->white && m->live ? 0 : -ENOMEM;
}

static uint32_t reciprocal_of(const struct head *h)
{
	/* (offset * reciprocal) >> 32 is exact while block bytes * stride < 2^32; larger ones divide. */
	if (!h->stride || h->nr_objects * h->stride * h->stride >> 32)
		return 0;
	return (uint32_t)(((UINT64_C(1) << 32) + h->stride - 1) / h->stride);
}

/* Bits of the slab's objects that are taken. */
static void take_bits(struct model *m, const struct model_block *b, const struct heap_copy *copy)
{
	uint64_t *white = &m->white[b->first_object >> 6];

	for (uint32_t bit = 0; bit < b->nr_objects; bit += 64) {
		uint64_t word = heap_taken(copy, b->first_page, bit >> 6);

		white[bit >> 6] = word;
		m->nr_objects += (uint64_t)__builtin_popcountll(word);
		m->object_bytes += (uint64_t)__builtin_popcountll(word) * b->bytes;
	}
}

static uint64_t count_bits(const struct model_block *b, const struct heap_copy *copy)
{
	uint64_t nr = 0;

	for (uint32_t bit = 0; bit < b->nr_objects; bit += 64)
		nr += (uint64_t)__builtin_popcountll(heap_taken(copy, b->first_page, bit >> 6));
	return nr;
}

static void add_block(struct model *m, const struct heap_copy *copy, const struct head *h)
{
	uint32_t nr = m->nr_blocks++;
	struct model_block *b = &m->blocks[nr];

	b->first_page = (uint32_t)h->index;
	b->reciprocal = reciprocal_of(h);
	b->stride = h->stride;
	b->nr_objects = (uint16_t)h->nr_objects;
	b->cache_id = h->cache_id;
	b->first_object = m->nr_numbers;
	b->bytes = h->bytes;
	b->offset = h->offset;
	b->colour = h->colour;
	m->nr_numbers += round_numbers(h->nr_objects);
	for (uint64_t page = 0; page < h->nr_pages; page++)
		m->block_of[h->index + page] = nr;
	if (h->cache_id == KMEM_ID_PAGES) {
		m->nr_root_blocks++;
	} else if (h->cache_id == KMEM_ID_LARGE || !h->stride) {
		m->white[b->first_object >> 6] = 1;
		m->nr_objects++;
		m->object_bytes += b->bytes;
	} else if (copy->caches[h->cache_id].flags & KMEM_CACHE_NOLEAKTRACE) {
		m->nr_ignored += count_bits(b, copy);
	} else {
		take_bits(m, b, copy);
	}
}

/* Objects that the allocator holds in reserve look allocated in their bitmap. */
static void remove_parked(struct model *m, const struct heap_copy *copy)
{
	for (size_t i = 0; i < copy->nr_parked; i++) {
		struct model_object o;

		if (!model_find(m, copy->parked[i], &o) || copy->parked[i] != m->base + o.offset) {
			m->nr_damaged++;
			continue;
		}
		m->nr_parked++;
		/* Listed twice while it moves from one place to another, or of an ignored cache. */
		if (!model_is_white(m, o.number))
			continue;
		model_clear_white(m, o.number);
		m->nr_objects--;
		m->object_bytes -= m->blocks[o.block].bytes;
	}
}

int model_build(struct model *m, const struct heap_copy *copy)
{
	uint64_t index = 0;
	struct head h;
	int err;

	memset(m, 0, sizeof(*m));
	err = allocate(m, copy);
	if (err)
		return err;
	m->nr_blocks = 1;
	while (next_head(copy, &index, &h, &m->nr_damaged))
		add_block(m, copy, &h);
	remove_parked(m, copy);
	memcpy(m->live, m->white, m->nr_numbers / 8);
	return 0;
}

static void unmap(void *p, size_t bytes)
{
	if (p)
		munmap(p, bytes);
}

void model_free(struct model *m)
{
	unmap(m->block_of, m->block_of_bytes);
	unmap(m->blocks, m->blocks_bytes);
	unmap(m->white, m->white_bytes);
	unmap(m->live, m->white_bytes);
	memset(m, 0, sizeof(*m));
}
