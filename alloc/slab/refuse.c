/* SPDX-License-Identifier: BSD-2-Clause */
/* refuse.c - which frees are wrong at first sight; see refuse.h. */
#include "slab/refuse.h"

#include "base/numa.h"
#include "slab/bad_free.h"
#include "slab/slub.h"

/*
 * Not atomic, and need not be: who puts an object in stores it before the count, and
 * no other thread has this one, so it is not taken for what lay there before.
 */
__attribute__((no_sanitize("thread"))) static bool is_on_top(const struct kmem_slot *slot, const void *object)
{
	uint64_t held = __atomic_load_n(&slot->word, __ATOMIC_ACQUIRE) & 0xffff;

	return held && READ_ONCE(slot->object[held - 1]) == (uintptr_t)object;
}

static bool freed_last(const struct kmem_cache *s, const void *object)
{
	const struct kmem_cache_node *n = node_of(s, numa_this_node());

	if (n->shared)
		return is_on_top((const struct kmem_slot *)(uintptr_t)n->shared, object);
	return s->slot_offset && is_on_top(slot_of(s, percpu_this_cpu()), object);
}

bool refuse_free(const struct kmem_cache *s, const void *object)
{
	if (unlikely((uintptr_t)object & s->address_mask))
		bad_free_pointer(s, object);
	else if (unlikely(freed_last(s, object)))
		bad_free_again(s, object);
	else
		return false;
	return true;
}
