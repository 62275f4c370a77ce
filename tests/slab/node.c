/* SPDX-License-Identifier: BSD-2-Clause */
/* Partial slabs: what is kept, what is given back, and in which order it is used. */
#include "support.h"

#include "page/buddy.h"
#include "slab/node.h"

enum { PER_SLAB = 64 }; /* objects of 64 bytes */

static struct kmem_cache *s;
static struct kmem_cache_node *n;

static void setup(void)
{
	s = kmem_cache_create("node", 64, 0, 0, NULL);
	cr_assert_not_null(s);
	cr_assert_eq(s->objects, PER_SLAB);
	n = node_of(s, 0);
}

TestSuite(node, .init = setup);

static void add_slab(void)
{
	bool fell_back;
	struct page *slab = slab_new(s, GFP_KERNEL, -1, &fell_back);

	cr_assert_not_null(slab);
	node_lock(n);
	node_add_slab(s, slab);
	node_unlock(n);
}

static uint32_t take(void **object, uint32_t max)
{
	uint32_t taken;

	node_lock(n);
	taken = node_take(s, n, object, max);
	node_unlock(n);
	return taken;
}

/* Return: number of slabs given back. */
static unsigned int put(void **object, uint32_t count)
{
	struct page *empty = NULL, *at;
	unsigned int nr = 0;

	node_lock(n);
	node_put(s, object, count, &empty);
	node_unlock(n);
	for (at = empty; at; at = at->next ? page_at(at->next) : NULL)
		nr++;
	node_release(s, empty);
	return nr;
}

static void shrink(void)
{
	struct page *empty = NULL;

	node_lock(n);
	node_shrink(n, &empty);
	node_unlock(n);
	node_release(s, empty);
}

/* The list is sound in both directions, and nr_partial its length. */
static void check_list(void)
{
	uint32_t at, prev = 0, nr = 0;

	for (at = n->partial_head; at; prev = at, at = page_at(at)->next) {
		cr_assert_eq(page_at(at)->prev, prev);
		cr_assert(page_at(at)->flags & KMEM_PG_PARTIAL);
		cr_assert_lt(page_at(at)->inuse, page_at(at)->objects);
		nr++;
	}
	cr_assert_eq(n->partial_tail, prev);
	cr_assert_eq(n->nr_partial, nr);
	cr_assert_eq(bitmap_objects(s), n->nr_taken);
}

Test(node, a_new_slab_is_counted_and_partial)
{
	add_slab();
	cr_expect_eq(n->nr_slabs, 1);
	cr_expect_eq(n->nr_objects, PER_SLAB);
	cr_expect_eq(n->nr_partial, 1);
	cr_expect_eq(n->nr_taken, 0);
	cr_expect_eq(n->stat.slab_alloc, 1);
	check_list();
}

Test(node, a_full_slab_leaves_the_list_and_comes_back)
{
	void *object[PER_SLAB];

	add_slab();
	cr_expect_eq(take(object, PER_SLAB), PER_SLAB);
	cr_expect_eq(n->nr_partial, 0);
	cr_expect_eq(n->nr_taken, PER_SLAB);
	check_list();
	cr_expect_eq(put(object, 1), 0);
	cr_expect_eq(n->nr_partial, 1);
	check_list();
}

Test(node, taking_goes_on_to_the_next_slab_and_stops_at_the_end)
{
	void *object[4 * PER_SLAB];

	add_slab();
	add_slab();
	add_slab();
	cr_expect_eq(take(object, PER_SLAB + 10), PER_SLAB + 10);
	check_list();
	cr_expect_eq(take(object, 4 * PER_SLAB), 2 * PER_SLAB - 10);
	cr_expect_eq(take(object, 1), 0);
	check_list();
}

Test(node, min_partial_empty_slabs_stay)
{
	enum { SLABS = 20 };
	void *object[SLABS * PER_SLAB];
	int i;

	for (i = 0; i < SLABS; i++)
		add_slab();
	take(object, SLABS * PER_SLAB);
	cr_expect_eq(put(object, SLABS * PER_SLAB), SLABS - s->min_partial);
	cr_expect_eq(n->nr_partial, s->min_partial);
	cr_expect_eq(n->nr_slabs, s->min_partial);
	cr_expect_eq(n->nr_objects, s->min_partial * PER_SLAB);
	cr_expect_eq(n->stat.slab_free, SLABS - s->min_partial);
	check_list();
}

Test(node, shrink_drops_the_empty_and_sorts_the_fullest_first)
{
	enum { SLABS = 8 };
	static const unsigned int keep[SLABS] = { 3, 0, 60, 50, 0, 40, 63, 45 };
	void *object[SLABS * PER_SLAB];
	unsigned int i, j;
	uint32_t at, last = PER_SLAB;

	for (i = 0; i < SLABS; i++)
		add_slab();
	take(object, SLABS * PER_SLAB);
	s->min_partial = SLABS; /* nothing leaves before the shrink */
	for (i = 0; i < SLABS; i++)
		for (j = keep[i]; j < PER_SLAB; j++)
			put(&object[i * PER_SLAB + j], 1);
	cr_expect_eq(n->nr_partial, SLABS);
	shrink();
	check_list();
	cr_expect_eq(n->nr_partial, SLABS - 2);
	cr_expect_eq(n->nr_slabs, SLABS - 2);
	for (at = n->partial_head; at && page_at(at)->inuse >= 32; at = page_at(at)->next) {
		cr_expect_leq(page_at(at)->inuse, last);
		last = page_at(at)->inuse;
	}
	cr_expect_eq(page_at(n->partial_head)->inuse, 63);
	/* More than 32 free: behind the sorted ones. */
	cr_expect_eq(at, n->partial_tail);
	cr_expect_eq(page_at(at)->inuse, 3);
}

Test(node, released_slabs_go_back_to_the_pages)
{
	void *object[PER_SLAB];

	add_slab();
	take(object, PER_SLAB);
	put(object, PER_SLAB);
	shrink();
	cr_expect_eq(n->nr_slabs, 0);
	cr_expect_eq(n->partial_head, 0);
	cr_expect_eq(n->partial_tail, 0);
	drain_all_pages();
	cr_expect_eq(zones[0].free_pages, zones[0].present_pages);
}

Test(node, what_is_no_object_is_reported_and_left_alone)
{
	struct kmem_cache *other = kmem_cache_create("other", 64, 0, 0, NULL);
	void *object[2], *foreign = kmem_cache_alloc(other, GFP_KERNEL);
	void *interior, *local = &object;
	const char *out;

	add_slab();
	take(object, 2);
	interior = (uint8_t *)object[0] + 8;
	capture_start();
	put(&foreign, 1);
	put(&interior, 1);
	put(&local, 1);
	put(&object[1], 1);
	put(&object[1], 1);
	out = capture_end();
	cr_expect_not_null(strstr(out, "BUG node: kmem_cache_free("));
	cr_expect_not_null(strstr(out, "no object of this cache; it was left alone\n"));
	cr_expect_not_null(strstr(out, "BUG node: Invalid object pointer"));
	cr_expect_not_null(strstr(out, "8 bytes into the slab"));
	cr_expect_not_null(strstr(out, "BUG node: Object already free"));
	cr_expect_eq(n->nr_taken, 1);
	check_list();
	ASSERT_BALANCED(other, 1);
}
