/* SPDX-License-Identifier: BSD-2-Clause */
/* walk.c - descriptors are read in pieces that fit a small stack; see walk.h. */
#include "text/walk.h"

#define PIECE        64u   /* descriptors: 4 KiB */
#define STRIPES      8u    /* so many of them lie in a row, and so many rows are a piece */
#define ARENA_BLOCK  KMEM_ARENA_BLOCK_PAGES
#define PAGEBLOCK    512u

struct window {
	const struct text_source *src;
	uint64_t first, nr; /* pages[] holds these */
	struct page pages[STRIPES][PIECE / STRIPES];
};

static uint64_t arena_pages(const struct kmem_observe *root)
{
	return ALIGN_DOWN((root->arena_end - root->arena_base) >> KMEM_PAGE_SHIFT, (uint64_t)ARENA_BLOCK);
}

static int window_at(struct window *w, uint64_t index, const struct page **page)
{
	unsigned int i;
	int rc = 0;

	if (index - w->first >= w->nr) {
		w->first = index - index % PIECE;
		w->nr = PIECE;
		for (i = 0; !rc && i < STRIPES; i++)
			rc = w->src->read(w->src->context, w->src->root->pages +
					  kmem_page_place(w->first + i) * sizeof(struct page), w->pages[i],
					  sizeof(w->pages[i]));
	}
	*page = &w->pages[index % STRIPES][(index - w->first) / STRIPES];
	return rc;
}

/* Pages to the next head: over a block, over a free arena block, or over one descriptor that says nothing. */
static uint64_t step(const struct page *page, uint64_t index)
{
	if (page->type == KMEM_PAGE_RESERVED && index % ARENA_BLOCK == 0)
		return ARENA_BLOCK;
	if (page->type == KMEM_PAGE_RESERVED || page->type == KMEM_PAGE_TAIL || page->type >= KMEM_PAGE_NR_TYPES)
		return 1;
	return MAX(page->nr_pages, 1u);
}

/* Index of the zone that an arena block belongs to. */
static int zone_at(const struct text_source *src, uint64_t index, unsigned int *zone)
{
	uint8_t state = 0;
	int rc = 0;

	if (src->root->blocks)
		rc = src->read(src->context, src->root->blocks + index / ARENA_BLOCK, &state, sizeof(state));
	*zone = state >> 4;
	return rc;
}

int walk_blocks(const struct text_source *src,
		void (*visit)(void *context, const struct page *head, unsigned int zone), void *context)
{
	struct window w = { .src = src };
	uint64_t index = 0, end = arena_pages(src->root), block = UINT64_MAX;
	unsigned int zone = 0;

	while (index < end) {
		const struct page *page;
		int rc = window_at(&w, index, &page);

		if (!rc && index / ARENA_BLOCK != block)
			rc = zone_at(src, index, &zone);
		if (rc)
			return rc;
		block = index / ARENA_BLOCK;
		if (page->type != KMEM_PAGE_RESERVED && page->type != KMEM_PAGE_TAIL)
			visit(context, page, zone);
		index += step(page, index);
	}
	return 0;
}

/* The two pageblocks of an arena block. */
static int visit_pageblocks(const struct text_source *src, uint64_t index,
			    void (*visit)(void *context, unsigned int zone, unsigned int type), void *context)
{
	uint8_t type[ARENA_BLOCK / PAGEBLOCK];
	unsigned int i, zone = 0;
	int rc = src->read(src->context, src->root->pageblocks + index / PAGEBLOCK, type, sizeof(type));

	if (!rc)
		rc = zone_at(src, index, &zone);

	for (i = 0; !rc && i < ARRAY_LEN(type); i++)
		visit(context, zone, type[i] & KMEM_PAGEBLOCK_TYPE);
	return rc;
}

int walk_pageblocks(const struct text_source *src, void (*visit)(void *context, unsigned int zone, unsigned int type),
		    void *context)
{
	uint64_t index = ARENA_BLOCK, end = arena_pages(src->root);

	while (index < end) {
		struct page head;
		int rc = src->read(src->context, src->root->pages + index * sizeof(head), &head, sizeof(head));

		if (!rc && head.type != KMEM_PAGE_RESERVED && !(head.flags & KMEM_PG_MAPPED))
			rc = visit_pageblocks(src, index, visit, context);
		if (rc)
			return rc;
		index += head.flags & KMEM_PG_MAPPED ? ALIGN_UP(MAX(head.nr_pages, 1u), ARENA_BLOCK) : ARENA_BLOCK;
	}
	return 0;
}
