/* SPDX-License-Identifier: BSD-2-Clause */
/* synthetic.h - a small made-up heap for tests: what a copy of a real one would contain. */
#ifndef TEST_SYNTHETIC_H
#define TEST_SYNTHETIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemleak/leaks.h"
#include "kmemleak/mark.h"
#include "kmemleak/model.h"

#define SYN_PAGES  64
#define SYN_CACHES 8
#define SYN_BASE   UINT64_C(0x7e0000000000)

enum { SYN_64 = 1, SYN_24, SYN_NOTRACE, SYN_ROOMY }; /* cache ids; SYN_ROOMY: 40 bytes every 64 */

struct synthetic {
	struct heap_copy copy;
	struct page pages[KMEM_ARENA_BLOCK_PAGES]; /* syn_page() */
	uint64_t bitmap[KMEM_ARENA_BLOCK_PAGES * 8];
	uint16_t idmap[SYN_PAGES];
	struct kmem_cache caches[SYN_CACHES];
	uint64_t parked[64];
	uint64_t memory[SYN_PAGES * 512];
	uint64_t next_page;

	/* filled by syn_mark() */
	struct model model;
	struct mark mark;
	struct mark_entry stack[4096];
};

/* A heap without a block; page 0 is never used. From malloc, to be given to syn_free(). */
struct synthetic *syn_new(void);
void syn_free(struct synthetic *s);

/* The descriptor of a page. */
struct page *syn_page(struct synthetic *s, uint64_t index);

/* Blocks at the next free page. Return: address. */
uint64_t syn_slab(struct synthetic *s, uint16_t cache, uint32_t nr_pages);
uint64_t syn_large(struct synthetic *s, uint64_t bytes);
uint64_t syn_pages(struct synthetic *s, uint32_t nr_pages);

/* Allocate object `index` of a slab. Return: its address. */
uint64_t syn_take(struct synthetic *s, uint64_t slab, uint32_t index);

/* Note that the object is free, in a slot or sheaf. */
void syn_park(struct synthetic *s, uint64_t object);

/* Store a word at an address of the heap. */
void syn_poke(struct synthetic *s, uint64_t address, uint64_t word);

/* Build the model and mark from these root words. */
void syn_mark(struct synthetic *s, const uint64_t *roots, size_t nr);
void syn_mark_exact(struct synthetic *s, const uint64_t *roots, size_t nr);

/* After syn_mark(): is the object unreferenced? */
bool syn_leaked(const struct synthetic *s, uint64_t object);

#endif
