/* SPDX-License-Identifier: BSD-2-Clause */
/* Fragments share a block, keep it while one is in use, and give it back. */
#include "support.h"

#include <pthread.h>

#include "page/alloc.h"

static uint64_t in_use(void)
{
	drain_all_pages();
	page_validate();
	return zones[0].present_pages - zones[0].free_pages;
}

Test(frag, pieces_of_a_block_are_apart)
{
	struct page_frag_cache nc = { .va = NULL };
	uint8_t *piece[32];
	int i;

	for (i = 0; i < 32; i++) {
		piece[i] = page_frag_alloc(&nc, 1000, GFP_KERNEL);
		cr_assert_not_null(piece[i]);
		memset(piece[i], i, 1000);
		cr_expect_eq(compound_head(virt_to_page(piece[i])), virt_to_page(nc.va));
	}
	for (i = 0; i < 32; i++)
		cr_expect(all_bytes(piece[i], 1000, (uint8_t)i));
	cr_expect_eq(in_use(), 8);
	for (i = 0; i < 32; i++)
		page_frag_free(piece[i]);
	cr_expect_eq(in_use(), 8, "the cache still has it");
	page_frag_cache_drain(&nc);
	cr_expect_eq(in_use(), 0);
	page_frag_cache_drain(&nc);
}

Test(frag, a_piece_outlives_its_cache)
{
	struct page_frag_cache nc = { .va = NULL };
	uint8_t *piece = page_frag_alloc(&nc, 100, GFP_KERNEL);

	memset(piece, 7, 100);
	page_frag_cache_drain(&nc);
	cr_expect_eq(in_use(), 8);
	cr_expect(all_bytes(piece, 100, 7));
	page_frag_free(piece);
	cr_expect_eq(in_use(), 0);
	page_frag_free(NULL);
}

Test(frag, a_block_whose_pieces_are_back_is_used_again)
{
	struct page_frag_cache nc = { .va = NULL };
	void *block;
	int i;

	page_frag_free(page_frag_alloc(&nc, 32768, GFP_KERNEL));
	block = nc.va;
	for (i = 0; i < 1000; i++)
		page_frag_free(page_frag_alloc(&nc, 20000, GFP_KERNEL));
	cr_expect_eq(nc.va, block);
	page_frag_cache_drain(&nc);
	cr_expect_eq(in_use(), 0);
}

Test(frag, sizes_and_alignment)
{
	struct page_frag_cache nc = { .va = NULL };
	unsigned int align;

	cr_expect_null(page_frag_alloc(&nc, 0, GFP_KERNEL));
	cr_expect_null(page_frag_alloc(&nc, 32769, GFP_KERNEL));
	cr_expect_null(page_frag_alloc_align(&nc, 10, GFP_KERNEL, 3));
	for (align = 1; align <= 4096; align *= 2) {
		void *p = page_frag_alloc_align(&nc, 33, GFP_KERNEL, align);

		cr_expect_eq((uintptr_t)p % align, 0);
		page_frag_free(p);
	}
	page_frag_cache_drain(&nc);
}

static void *pieces[4096];

static void *free_half(void *from)
{
	size_t i;

	for (i = (size_t)from; i < ARRAY_LEN(pieces); i += 2)
		page_frag_free(pieces[i]);
	return NULL;
}

Test(frag, freed_by_others_nothing_is_lost, .timeout = 30)
{
	struct page_frag_cache nc = { .va = NULL };
	uint64_t seed = 1;
	pthread_t thread;
	size_t i;

	for (i = 0; i < ARRAY_LEN(pieces); i++)
		cr_assert_not_null(pieces[i] = page_frag_alloc(&nc, 1 + random_next(&seed) % 3000, GFP_KERNEL));
	pthread_create(&thread, NULL, free_half, (void *)1);
	free_half((void *)0);
	pthread_join(thread, NULL);
	page_frag_cache_drain(&nc);
	cr_expect_eq(in_use(), 0);
}
