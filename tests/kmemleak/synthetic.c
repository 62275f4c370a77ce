/* SPDX-License-Identifier: BSD-2-Clause */
/* synthetic.c - see synthetic.h. */
#include "kmemleak/synthetic.h"

#include <stdlib.h>
#include <string.h>
#include <criterion/criterion.h>
#include <kmem/slab.h>

static void make_cache(struct synthetic *s, uint16_t id, const char *name, uint32_t object_size, uint32_t size)
{
	struct kmem_cache *c = &s->caches[id];

	c->id = id;
	c->state = KMEM_CACHE_LIVE;
	c->object_size = object_size;
	c->size = size;
	strcpy(c->name, name);
}

struct synthetic *syn_new(void)
{
	struct synthetic *s = calloc(1, sizeof(*s));

	s->copy = (struct heap_copy){
		.base = SYN_BASE, .nr_pages = SYN_PAGES, .pages = s->pages, .bitmap = s->bitmap,
		.idmap = s->idmap, .caches = s->caches, .nr_caches = SYN_CACHES, .parked = s->parked,
	};
	make_cache(s, SYN_64, "sixty-four", 64, 64);
	make_cache(s, SYN_24, "twenty-four", 24, 24);
	make_cache(s, SYN_NOTRACE, "notrace", 64, 64);
	s->caches[SYN_NOTRACE].flags = SLAB_NOLEAKTRACE;
	make_cache(s, SYN_ROOMY, "roomy", 40, 64);
	s->next_page = 1;
	return s;
}

void syn_free(struct synthetic *s)
{
	model_free(&s->model);
	free(s);
}

struct page *syn_page(struct synthetic *s, uint64_t index)
{
	return &s->pages[kmem_page_place(index)];
}

static uint64_t add_block(struct synthetic *s, uint8_t type, uint32_t nr_pages)
{
	uint64_t index = s->next_page;

	cr_assert(index + nr_pages <= SYN_PAGES);
	syn_page(s, index)->type = type;
	syn_page(s, index)->nr_pages = nr_pages;
	s->next_page += nr_pages;
	return SYN_BASE + (index << KMEM_PAGE_SHIFT);
}

static struct page *page_of(struct synthetic *s, uint64_t address)
{
	return syn_page(s, (address - SYN_BASE) >> KMEM_PAGE_SHIFT);
}

uint64_t syn_slab(struct synthetic *s, uint16_t cache, uint32_t nr_pages)
{
	uint64_t address = add_block(s, KMEM_PAGE_SLAB, nr_pages);
	struct page *page = page_of(s, address);

	page->cache_id = cache;
	page->objects = (uint16_t)((nr_pages << KMEM_PAGE_SHIFT) / s->caches[cache].size);
	page->fresh = page->objects; /* all of them came back */
	for (uint32_t word = 0; word < nr_pages * 8; word++)
		s->bitmap[kmem_bitmap_word((address - SYN_BASE) >> KMEM_PAGE_SHIFT, word)] = ~UINT64_C(0);
	return address;
}

uint64_t syn_large(struct synthetic *s, uint64_t bytes)
{
	uint64_t address = add_block(s, KMEM_PAGE_LARGE, (uint32_t)((bytes + 4095) >> KMEM_PAGE_SHIFT));

	page_of(s, address)->size = bytes;
	s->idmap[(address - SYN_BASE) >> KMEM_PAGE_SHIFT] = KMEM_ID_LARGE;
	return address;
}

uint64_t syn_pages(struct synthetic *s, uint32_t nr_pages)
{
	return add_block(s, KMEM_PAGE_PAGES, nr_pages);
}

uint64_t syn_take(struct synthetic *s, uint64_t slab, uint32_t index)
{
	struct page *page = page_of(s, slab);
	uint64_t first = (slab - SYN_BASE) >> KMEM_PAGE_SHIFT;

	s->bitmap[kmem_bitmap_word(first, index / 64)] &= ~(UINT64_C(1) << (index % 64));
	page->inuse++;
	return slab + (uint64_t)index * s->caches[page->cache_id].size;
}

void syn_park(struct synthetic *s, uint64_t object)
{
	s->parked[s->copy.nr_parked++] = object;
}

void syn_poke(struct synthetic *s, uint64_t address, uint64_t word)
{
	memcpy((uint8_t *)s->memory + (address - SYN_BASE), &word, sizeof(word));
}

static void run(struct synthetic *s, const uint64_t *roots, size_t nr, bool exact)
{
	cr_assert_eq(model_build(&s->model, &s->copy), 0);
	cr_assert_leq(mark_stack_entries(&s->model), sizeof(s->stack) / sizeof(s->stack[0]));
	s->mark = (struct mark){ .model = &s->model, .memory = (const uint8_t *)s->memory, .stack = s->stack,
				 .exact = exact };
	mark_words(&s->mark, roots, nr);
	mark_drain(&s->mark);
	mark_root_blocks(&s->mark);
	cr_assert_eq(s->mark.depth, 0);
}

void syn_mark(struct synthetic *s, const uint64_t *roots, size_t nr)
{
	run(s, roots, nr, false);
}

void syn_mark_exact(struct synthetic *s, const uint64_t *roots, size_t nr)
{
	run(s, roots, nr, true);
}

bool syn_leaked(const struct synthetic *s, uint64_t object)
{
	struct model_object o = { 0 };

	cr_assert(model_find(&s->model, object, &o), "no object at %llx", (unsigned long long)object);
	return model_is_white(&s->model, o.number);
}
