/* SPDX-License-Identifier: BSD-2-Clause */
/* A slab's chain, counts and padding: damage is reported and repaired. */
#include "support.h"

#include <kmem/debug.h>

#include "slab/debug.h"
#include "slab/debug_slab.h"

static struct kmem_cache *s;
static struct page *slab;
static uint8_t *object;

static void make(unsigned int size, slab_flags_t flags)
{
	s = kmem_cache_create("chained", size, 0, flags | SLAB_NO_USER_FLAGS, NULL);
	object = kmem_cache_alloc(s, GFP_KERNEL);
	slab = slab_of(object);
}

static const char *validate(size_t errors)
{
	size_t before = kmem_cache_errors(s);
	const char *said;

	capture_start();
	debug_slab_validate(s, slab);
	said = capture_end();
	cr_expect_eq(kmem_cache_errors(s) - before, errors, "%zu errors, not %zu:\n%s",
		     kmem_cache_errors(s) - before, errors, said);
	return said;
}

#define SAYS(said, text) cr_expect(strstr(said, text), "\"%s\" is not in:\n%s", text, said)

Test(debug_slab, the_chain_holds_what_the_bitmap_calls_free)
{
	unsigned int nr = 0;
	const void *at;

	make(100, SLAB_CONSISTENCY_CHECKS);
	for (at = debug_chain_first(slab); at; at = debug_get_free(s, at), nr++)
		cr_expect_not(slab_object_taken(s, slab, at));
	cr_expect_eq(nr, slab->objects - 1);
	cr_expect_eq(slab->chain_inuse, 1);
	cr_expect(debug_on_freelist(s, slab, debug_chain_first(slab)));
	cr_expect_not(debug_on_freelist(s, slab, object));
	validate(0);
}

Test(debug_slab, a_wrong_head_clears_the_chain)
{
	make(100, SLAB_CONSISTENCY_CHECKS);
	slab->freelist += 3;
	SAYS(validate(2), "Freepointer corrupt");
	cr_expect_null(debug_chain_first(slab));
	cr_expect_eq(slab->chain_inuse, slab->objects);
	cr_expect_not_null(kmem_cache_alloc(s, GFP_KERNEL), "the bitmap knows the free objects");
}

Test(debug_slab, a_ring_ends)
{
	void *first;

	make(100, SLAB_CONSISTENCY_CHECKS);
	first = debug_chain_first(slab);
	debug_set_free(s, first, first);
	SAYS(validate(2), "Wrong object count. Counter is 1 but counted were 0");
}

Test(debug_slab, wrong_number_of_objects)
{
	uint16_t objects;

	make(100, SLAB_CONSISTENCY_CHECKS);
	objects = slab->objects;
	slab->objects--;
	/* The chain seems to leave the slab, too. */
	SAYS(validate(5), "Wrong number of objects. Found ");
	cr_expect_eq(slab->objects, objects);
	validate(0);
}

Test(debug_slab, more_than_fits)
{
	make(100, SLAB_CONSISTENCY_CHECKS);
	slab->objects = 1000;
	SAYS(validate(1), "objects 1000 > max ");
}

Test(debug_slab, more_in_use_than_there_are)
{
	make(100, SLAB_CONSISTENCY_CHECKS);
	slab->inuse = 999;
	SAYS(validate(1), "inuse 999 > max ");
}

Test(debug_slab, no_slab_any_more)
{
	make(100, SLAB_CONSISTENCY_CHECKS);
	slab->type = KMEM_PAGE_PAGES;
	SAYS(validate(1), "Not a valid slab page");
}

Test(debug_slab, padding_behind_the_last_object)
{
	uint8_t *last;

	make(100, SLAB_POISON);
	last = (uint8_t *)page_to_addr(slab) + ((size_t)slab->nr_pages << PAGE_SHIFT) - 1;
	cr_assert_neq(((size_t)slab->nr_pages << PAGE_SHIFT) % s->size, 0);
	*last = 1;
	SAYS(validate(2), "Padding overwritten. ");
	cr_expect_eq(*last, POISON_INUSE);
	validate(0);
}
