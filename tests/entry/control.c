/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests from outside are checked, done by the next slow allocation, and never twice. */
#include "support.h"

#include <errno.h>

#include <kmem/fastpath.h>

#include "base/observe.h"
#include "base/trace.h"
#include "entry/control.h"
#include "text/slab.h"

static struct kmem_cache *cache(void)
{
	struct kmem_cache *s = kmem_cache_create("controlled", 100, 0, 0, NULL);

	cr_assert_not_null(s);
	return s;
}

Test(control, writes_are_checked)
{
	struct kmem_cache *s = cache();

	cr_expect_eq(control_write(s->id, "min_partial", 9), 0);
	cr_expect_eq(s->min_partial, 9);
	cr_expect_eq(control_write(s->id, "min_partial", -1), -EINVAL);
	cr_expect_eq(control_write(s->id, "min_partial", INT64_MAX), -EINVAL);
	cr_expect_eq(control_write(s->id, "failslab", 2), -EINVAL);
	cr_expect_eq(control_write(s->id, "failslab", 1), 0);
	cr_expect(s->flags & SLAB_FAILSLAB);
	cr_expect_eq(control_write(s->id, "failslab", 0), 0);
	cr_expect_not(s->flags & SLAB_FAILSLAB);
	cr_expect_eq(control_write(s->id, "shrink", 0), -EINVAL);
	cr_expect_eq(control_write(s->id, "size", 1), -ENOENT);
	cr_expect_eq(control_write(s->id, "slab_size", 1), -EACCES);
	cr_expect_eq(s->min_partial, 9);
}

Test(control, only_live_caches)
{
	struct kmem_cache *s = cache();
	uint16_t id = s->id;

	kmem_cache_destroy(s);
	cr_expect_eq(control_write(id, "min_partial", 9), -ENOENT);
	cr_expect_eq(control_write(0, "min_partial", 9), -ENOENT);
	cr_expect_eq(control_write(UINT32_MAX, "shrink", 1), -ENOENT);
}

Test(control, tunables_of_the_cache)
{
	struct kmem_cache *s = cache();

	cr_expect_eq(control_write(s->id, "order", 3), 0);
	cr_expect_eq(s->order, 3);
	cr_expect_eq(control_write(s->id, "sheaf_capacity", 8), 0);
	cr_expect_eq(s->sheaf_capacity, 8);
	cr_expect_eq(control_write(s->id, "barn_full", 11), -EINVAL);
	cr_expect_eq(control_write(s->id, "barn_full", 2), 0);
	cr_expect_eq(s->barn_full, 2);
	cr_expect_eq(control_write(s->id, "remote_node_defrag_ratio", 7), 0);
	cr_expect_eq(s->remote_node_defrag_ratio, 70);
}

Test(control, validate_is_for_debug_caches)
{
	struct kmem_cache *s = kmem_cache_create("checked", 100, 0, SLAB_RED_ZONE, NULL);

	cr_expect_eq(control_write(cache()->id, "validate", 1), -EINVAL);
	cr_expect_eq(control_write(s->id, "validate", 0), -EINVAL);
	cr_expect_eq(control_write(s->id, "validate", 1), 0);
}

/* The table of names that may be written is the one that readers are told. */
Test(control, what_is_said_to_be_writable_is)
{
	struct kmem_cache *s = cache();
	enum text_mode mode;
	const char *name;
	unsigned int nth;

	for (nth = 0; (name = text_attribute_name(nth, &mode)); nth++) {
		int rc = control_write(s->id, name, -1);

		cr_expect_eq(rc, mode & TEXT_WRITE ? -EINVAL : -EACCES, "%s: %d", name, rc);
	}
}

Test(control, shrink_gives_slabs_back)
{
	struct kmem_cache *s = cache();

	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	cr_expect_eq(node_of(s, 0)->nr_slabs, 1);
	cr_expect_eq(control_write(s->id, "shrink", 1), 0);
	cr_expect_eq(node_of(s, 0)->nr_slabs, 0);
}

static void ask(const struct kmem_cache *s, const char *attribute, int64_t value)
{
	observe_control.cache_id = s->id;
	observe_control.value = value;
	memcpy(observe_control.attribute, attribute, strlen(attribute) + 1);
	observe_control.token = ++observe_control.request;
	*(uint16_t *)(uintptr_t)observe_root.attention[0] = UINT16_MAX;
	*(uint16_t *)(uintptr_t)observe_root.attention[1] = UINT16_MAX;
}

static void expect_quiet(void)
{
	cr_expect_eq(*(uint16_t *)(uintptr_t)observe_root.attention[0], 0);
	cr_expect_eq(*(uint16_t *)(uintptr_t)observe_root.attention[1], 0);
	cr_expect_not(trace_on(TRACE_KMEM_CACHE_ALLOC));
}

Test(control, the_next_allocation_that_may_block_takes_it)
{
	struct kmem_cache *s = cache();
	uint32_t done = observe_control.done;
	void *object = kmem_cache_alloc(s, GFP_KERNEL);

	kmem_cache_free(s, object); /* the slot is full: nothing leaves the fast path by itself */
	ask(s, "min_partial", 6);
	kmem_cache_free(s, kmem_cache_alloc(s, GFP_NOWAIT));
	cr_expect_eq(observe_control.done, done, "it may not wait for the registry");
	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	cr_expect_eq(observe_control.done, done + 1);
	cr_expect_eq(observe_control.result, 0);
	cr_expect_eq(s->min_partial, 6);
	expect_quiet();
	s->min_partial = 5;
	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	cr_expect_eq(s->min_partial, 5, "done once");
}

Test(control, inline_allocation_and_kmalloc_take_it)
{
	struct kmem_cache *s = cache();

	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	ask(s, "min_partial", 6);
	kmem_cache_free_inline(s, kmem_cache_alloc_inline(s, GFP_KERNEL));
	cr_expect_eq(s->min_partial, 6);
	expect_quiet();
	ask(s, "min_partial", 7);
	kfree(kmalloc(64, GFP_KERNEL));
	cr_expect_eq(s->min_partial, 7);
	expect_quiet();
}

Test(control, nonsense_in_the_mailbox_is_answered)
{
	struct kmem_cache *s = cache();

	memset(observe_control.attribute, 'x', sizeof(observe_control.attribute));
	observe_control.cache_id = UINT32_MAX;
	observe_control.request = observe_control.token = 77;
	*(uint16_t *)(uintptr_t)observe_root.attention[0] = UINT16_MAX;
	cr_assert_not_null(kmem_cache_alloc(s, GFP_KERNEL));
	cr_expect_eq(observe_control.done, 77);
	cr_expect_eq(observe_control.result, -ENOENT);
}

Test(control, fields_of_another_request_are_left_alone)
{
	struct kmem_cache *s = cache();

	ask(s, "min_partial", 6);
	observe_control.token++;
	cr_assert_not_null(kmem_cache_alloc(s, GFP_KERNEL));
	cr_expect_eq(observe_control.done, observe_control.request);
	cr_expect_eq(observe_control.result, -EAGAIN);
	cr_expect_eq(s->min_partial, 5);
	expect_quiet();
}
