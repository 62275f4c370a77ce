/* SPDX-License-Identifier: BSD-2-Clause */
/* arena.h - a small arena made by hand, as the allocator would show it, for the tests of alloc/text. */
#ifndef TESTS_TEXT_ARENA_H
#define TESTS_TEXT_ARENA_H

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "text/text.h"

#define ARENA_PAGES 8192u /* 8 blocks of 4 MiB, the first reserved */

static struct kmem_observe root;
static struct page pages[ARENA_PAGES];
static uint8_t pageblocks[ARENA_PAGES / 512];
static uint8_t blocks_of_arena[ARENA_PAGES / 1024];
static struct kmem_zone zones[2];
static struct kmem_cache caches[4];
static struct kmem_cache_node nodes[4][2];
static unsigned int reads_left = 1000000; /* then reading fails */

static inline int read_arena(void *context, uint64_t addr, void *buf, size_t len)
{
	(void)context;
	if (!reads_left)
		return -ESRCH;
	reads_left--;
	memcpy(buf, (const void *)(uintptr_t)addr, len);
	return 0;
}

static const struct text_source source = { &root, read_arena, NULL, NULL };

static inline void arena_setup(unsigned int nr_nodes)
{
	root = (struct kmem_observe){
		.nr_nodes = nr_nodes, .nr_zones = nr_nodes, .nr_cpus = 2, .nr_caches = 4, .percpu_shift = 10,
		.arena_base = UINT64_C(1) << 40, .arena_end = (UINT64_C(1) << 40) + ((uint64_t)ARENA_PAGES << 12),
		.pages = (uintptr_t)pages, .pageblocks = (uintptr_t)pageblocks, .zones = (uintptr_t)zones,
		.blocks = (uintptr_t)blocks_of_arena,
		.caches = (uintptr_t)caches, .nodes = (uintptr_t)nodes,
	};
	memset(pages, 0, sizeof(pages));
	memset(pageblocks, 0, sizeof(pageblocks));
	memset(blocks_of_arena, 0, sizeof(blocks_of_arena));
	memset(zones, 0, sizeof(zones));
	zones[1].node = 1;
	memcpy(zones[0].name, "Normal", 6);
	memcpy(zones[1].name, "Normal", 6);
	memset(caches, 0, sizeof(caches));
	memset(nodes, 0, sizeof(nodes));
}

/* The 4 MiB around a page belong to a zone. */
static inline void set_zone(uint32_t index, unsigned int zone)
{
	blocks_of_arena[index / 1024] = (uint8_t)(KMEM_BLOCK_BUDDY | zone << 4);
}

/* The head of a block. What is behind it stays as it is. */
static inline struct page *put_block(uint32_t index, enum kmem_page_type type, uint8_t order)
{
	struct page *page = &pages[kmem_page_place(index)];

	page->type = (uint8_t)type;
	page->order = order;
	page->nr_pages = 1u << order;
	return page;
}

#endif
