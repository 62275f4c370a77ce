/* SPDX-License-Identifier: BSD-2-Clause */
/* The watched path: the same objects and the same counters as the fast one. */
#include "support.h"

#include <kmem/fastpath.h>

#include "base/trace.h"
#include "slab/watch.h"

static struct kmem_cache *cache(void)
{
	struct kmem_cache *s = kmem_cache_create("watched", 96, 0, 0, NULL);

	cr_assert(s);
	return s;
}

Test(watch, alloc_and_free_are_those_of_the_cache)
{
	struct kmem_cache *s = cache();
	const struct slab_request request = { GFP_KERNEL | __GFP_ZERO, -1, 96, __builtin_return_address(0) };
	struct kmem_cache_stat stat;
	uint8_t *object = watch_alloc(s, &request);
	unsigned int i;

	cr_assert(object);
	for (i = 0; i < 96; i++)
		cr_assert_eq(object[i], 0);
	kmem_cache_stat(s, &stat);
	cr_expect_eq(stat.active, 1);
	watch_free(s, object, NULL);
	kmem_cache_stat(s, &stat);
	cr_expect_eq(stat.active, 0);
	cr_expect_eq(stat.allocs, 1);
	cr_expect_eq(stat.frees, 1);
	cr_expect_eq(kmem_cache_destroy(s), 0);
}

Test(watch, inline_calls_are_diverted_while_it_is_on)
{
	struct kmem_cache *s = cache();
	void *object;

	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	trace_watch(true);
	/* There is an object in the slot; pop and push leave it alone. */
	cr_expect(!kmem_slot_pop_dormant(s, &object));
	cr_expect(!kmem_slot_push_dormant(s, s));
	trace_watch(true);
	trace_watch(false);
	cr_expect(!kmem_slot_pop_dormant(s, &object));
	trace_watch(false);
	cr_assert(kmem_slot_pop_dormant(s, &object));
	cr_assert(kmem_slot_push_dormant(s, object));
	cr_expect_eq(kmem_cache_destroy(s), 0);
}
