/* SPDX-License-Identifier: BSD-2-Clause */
/* node.c - partial lists; see node.h. */
#include "slab/node.h"

#include "slab/bad_free.h"

struct kmem_cache_node *node_array KMEM_STATE;

/* ---- partial list: pages linked by index through next and prev ---- */

static void list_add(struct kmem_cache_node *n, struct page *slab, bool front)
{
	uint32_t index = page_index(slab);

	slab->next = front ? n->partial_head : 0;
	slab->prev = front ? 0 : n->partial_tail;
	if (slab->next)
		page_at(slab->next)->prev = index;
	else
		n->partial_tail = index;
	if (slab->prev)
		page_at(slab->prev)->next = index;
	else
		n->partial_head = index;
	slab->flags |= KMEM_PG_PARTIAL;
	WRITE_ONCE(n->nr_partial, n->nr_partial + 1);
}

static void list_del(struct kmem_cache_node *n, struct page *slab)
{
	if (slab->next)
		page_at(slab->next)->prev = slab->prev;
	else
		n->partial_tail = slab->prev;
	if (slab->prev)
		page_at(slab->prev)->next = slab->next;
	else
		n->partial_head = slab->next;
	slab->flags &= (uint16_t)~KMEM_PG_PARTIAL;
	WRITE_ONCE(n->nr_partial, n->nr_partial - 1);
}

/* An empty slab leaves the node: off the list, and into the caller's chain. */
static void retire(struct kmem_cache_node *n, struct page *slab, struct page **empty)
{
	list_del(n, slab);
	slab->debug_id = 0;
	WRITE_ONCE(n->nr_slabs, n->nr_slabs - 1);
	WRITE_ONCE(n->nr_objects, n->nr_objects - slab->objects);
	n->stat.slab_free++;
	slab->next = *empty ? page_index(*empty) : 0;
	*empty = slab;
}

void node_release(const struct kmem_cache *s, struct page *empty)
{
	while (empty) {
		struct page *next = empty->next ? page_at(empty->next) : NULL;

		slab_release(s, empty);
		empty = next;
	}
}

void node_add_slab(const struct kmem_cache *s, struct page *slab)
{
	struct kmem_cache_node *n = node_of_slab(s, slab);

	WRITE_ONCE(n->nr_slabs, n->nr_slabs + 1);
	WRITE_ONCE(n->nr_objects, n->nr_objects + slab->objects);
	n->stat.slab_alloc++;
	list_add(n, slab, true);
}

uint32_t node_take(const struct kmem_cache *s, struct kmem_cache_node *n, void **object, uint32_t max)
{
	uint32_t taken = 0;

	while (taken < max && n->partial_head) {
		struct page *slab = page_at(n->partial_head);

		taken += slab_take(s, slab, object + taken, max - taken);
		if (slab->inuse == slab->objects)
			list_del(n, slab);
	}
	WRITE_ONCE(n->nr_taken, n->nr_taken + taken);
	return taken;
}

void node_take_object(const struct kmem_cache *s, struct kmem_cache_node *n, struct page *slab, const void *object)
{
	slab_take_object(s, slab, object);
	n->nr_taken++;
	if (slab->inuse == slab->objects)
		list_del(n, slab);
}

/* Why an object could not be put back. */
static cold void report_put(const struct kmem_cache *s, struct page *slab, const void *object)
{
	if (slab && slab->cache_id == s->root_id && slab_put(s, slab, object) == SLAB_PUT_DOUBLE_FREE)
		bad_free_again(s, object);
	else
		bad_free_pointer(s, object);
}

/* As many objects from the front as share a slab. Return: how many are dealt with, at least 1. */
static uint32_t put_run(const struct kmem_cache *s, void **object, uint32_t count, struct page **empty)
{
	struct kmem_cache_node *n;
	struct page *slab = slab_of_cache(s, object[0]);
	bool was_full = slab && slab->inuse == slab->objects;
	uint32_t put = 0;

	if (likely(slab && slab->cache_id == s->root_id))
		put = slab_put_run(s, slab, object, count);
	if (unlikely(!put)) {
		report_put(s, slab, object[0]);
		return 1;
	}
	n = node_of_slab(s, slab);
	WRITE_ONCE(n->nr_taken, n->nr_taken - put);
	if (was_full)
		list_add(n, slab, false);
	if (empty && !slab->inuse && n->nr_partial > s->min_partial)
		retire(n, slab, empty);
	return put;
}

void node_put(const struct kmem_cache *s, void **object, uint32_t count, struct page **empty)
{
	while (count) {
		uint32_t put = put_run(s, object, count, empty);

		object += put;
		count -= put;
	}
}

void node_hold(struct kmem_cache *s, struct page *slab, uint64_t *held)
{
	struct kmem_cache_node *n = node_of_slab(s, slab);
	uint32_t nr = slab_hold(slab, held);

	WRITE_ONCE(n->nr_taken, n->nr_taken + nr);
	__atomic_fetch_add(&s->prefill, nr, __ATOMIC_RELAXED);
	list_del(n, slab);
}

void node_unhold(struct kmem_cache *s, struct page *slab, const uint64_t *held, struct page **empty)
{
	struct kmem_cache_node *n = node_of_slab(s, slab);
	bool was_full = slab->inuse == slab->objects;
	uint32_t nr = slab_unhold(slab, held);

	WRITE_ONCE(n->nr_taken, n->nr_taken - nr);
	__atomic_fetch_sub(&s->prefill, nr, __ATOMIC_RELAXED);
	if (was_full)
		list_add(n, slab, false);
	if (!slab->inuse && n->nr_partial > s->min_partial)
		retire(n, slab, empty);
}

void node_shrink(struct kmem_cache_node *n, struct page **empty)
{
	enum { CLASSES = 32 };
	uint32_t by_free[CLASSES] = { 0 }; /* slabs with i + 1 free objects, chained by next */
	uint32_t at, next, i;

	for (at = n->partial_head; at; at = next) {
		struct page *slab = page_at(at);
		uint32_t free = (uint32_t)slab->objects - slab->inuse;

		next = slab->next;
		if (!slab->inuse) {
			retire(n, slab, empty);
		} else if (free <= CLASSES) {
			list_del(n, slab);
			slab->next = by_free[free - 1];
			by_free[free - 1] = at;
		}
	}
	/* Emptiest class first to the front, so that the fullest ends up first. */
	for (i = CLASSES; i-- > 0;) {
		for (at = by_free[i]; at; at = next) {
			next = page_at(at)->next;
			list_add(n, page_at(at), true);
		}
	}
}
