/* SPDX-License-Identifier: BSD-2-Clause */
/* The eight bulk operations on a slot, and the two single ones, against a model. */
#include "support.h"

#include "slab/slot.h"

/* What a slot must hold after the same operations: a stack and three counters. */
struct model {
	uint32_t capacity, count;
	uint64_t allocs, frees;
	int64_t net;
	void *object[256];
};

/* The operations under one signature, for a slot of the running CPU and for a locked one. */
struct ops {
	uint32_t (*alloc)(void **object, uint32_t max);
	uint32_t (*free)(void **object, uint32_t count);
	uint32_t (*flush)(void **object, uint32_t max);
	uint32_t (*refill)(void **object, uint32_t count);
};

static struct kmem_cache *s;
static struct kmem_slot *slot;

#define BOTH(op)                                                                          \
	static uint32_t cpu_##op(void **object, uint32_t count)                           \
	{                                                                                 \
		return slot_##op##_CPU(s, object, count);                                 \
	}                                                                                 \
	static uint32_t locked_##op(void **object, uint32_t count)                        \
	{                                                                                 \
		return slot_locked_##op(slot, object, count);                             \
	}
#define slot_alloc_CPU  slot_alloc_many
#define slot_free_CPU   slot_free_many
#define slot_flush_CPU  slot_flush
#define slot_refill_CPU slot_refill
BOTH(alloc)
BOTH(free)
BOTH(flush)
BOTH(refill)

static const struct ops cpu_ops = { cpu_alloc, cpu_free, cpu_flush, cpu_refill };
static const struct ops locked_ops = { locked_alloc, locked_free, locked_flush, locked_refill };

static void use_cpu_slot(uint32_t capacity)
{
	struct kmem_cache_args args = { .sheaf_capacity = 100 };

	if (percpu_mode() == PERCPU_NONE)
		cr_skip("no rseq here");
	pin_to(0);
	s = kmem_cache_create("slot", 64, &args, 0);
	cr_assert_not_null(s);
	slot = slot_of(s, percpu_this_cpu());
	slot->capacity = slot->limit = capacity;
}

static void use_locked_slot(uint32_t capacity)
{
	slot = calloc(1, slot_bytes(256));
	slot->capacity = slot->limit = capacity;
}

static void compare(const struct model *m)
{
	cr_assert_eq(kmem_slot_count(slot), m->count);
	cr_assert_eq(kmem_slot_allocs(slot), m->allocs);
	cr_assert_eq(kmem_slot_frees(slot), m->frees);
	cr_assert_eq(slot->net, m->net);
	cr_assert_eq(memcmp(slot->object, m->object, m->count * sizeof(void *)), 0);
}

static void model_put(struct model *m, void **object, uint32_t nr)
{
	memcpy(&m->object[m->count], object, nr * sizeof(void *));
	m->count += nr;
}

static void random_ops(const struct ops *ops)
{
	struct model m = { .capacity = slot->capacity };
	uint64_t seed = 1, next = 0x1000;
	int step;

	for (step = 0; step < 20000; step++) {
		uint32_t want = random_next(&seed) % 120 + 1, room = m.capacity - m.count, i, nr;
		uint32_t op = random_next(&seed) % 4;
		void *object[128];

		for (i = 0; i < want; i++)
			object[i] = (void *)(uintptr_t)(next += 8);
		object[want] = (void *)0xdead;
		nr = (op == 0 ? ops->alloc : op == 1 ? ops->free : op == 2 ? ops->flush : ops->refill)(object, want);
		if (op == 0 || op == 2) {
			cr_assert_eq(nr, MIN(want, m.count));
			m.count -= nr;
			cr_assert_eq(memcmp(object, &m.object[m.count], nr * sizeof(void *)), 0);
			m.allocs += op == 0 ? nr : 0;
			m.net -= op == 2 ? nr : 0;
		} else {
			cr_assert_eq(nr, MIN(want, room));
			model_put(&m, object, nr);
			m.frees += op == 1 ? nr : 0;
			m.net += op == 3 ? nr : 0;
		}
		cr_assert_eq(object[want], (void *)0xdead, "it wrote beyond the caller's array");
		compare(&m);
	}
}

Test(slot, restartable_operations_match_the_model)
{
	use_cpu_slot(200);
	random_ops(&cpu_ops);
}

Test(slot, locked_operations_match_the_model)
{
	use_locked_slot(200);
	random_ops(&locked_ops);
}

/* Its limit was lowered while objects were in it. */
Test(slot, one_that_holds_more_than_it_may_takes_nothing)
{
	void *object[64] = { NULL };

	use_cpu_slot(200);
	cr_assert_eq(cpu_refill(object, 60), 60);
	slot->limit = 30;
	cr_expect_eq(cpu_free(object, 4), 0);
	cr_expect_eq(cpu_refill(object, 64), 0);
	cr_expect_eq(kmem_slot_count(slot), 60);
	cr_expect_eq(cpu_flush(object, 40), 40);
	cr_expect_eq(cpu_refill(object, 64), 10);
	cr_expect_eq(cpu_flush(object, 64), 30);
}

static void capacity_0(const struct ops *ops)
{
	void *object[4] = { (void *)8, (void *)16, (void *)24, (void *)32 };

	cr_expect_eq(ops->alloc(object, 4), 0);
	cr_expect_eq(ops->free(object, 4), 0);
	cr_expect_eq(ops->flush(object, 4), 0);
	cr_expect_eq(ops->refill(object, 4), 0);
	cr_expect_eq(slot->word, 0);
	cr_expect_eq(slot->net, 0);
	cr_expect_eq(slot->object[0], 0);
}

Test(slot, capacity_0_serves_nothing)
{
	use_cpu_slot(0);
	capacity_0(&cpu_ops);
}

Test(slot, capacity_0_serves_nothing_locked)
{
	use_locked_slot(0);
	capacity_0(&locked_ops);
}

static void boundaries(const struct ops *ops)
{
	void *object[16] = { NULL };

	cr_expect_eq(ops->free(object, 9), 8, "room for eight");
	cr_expect_eq(ops->free(object, 1), 0, "full");
	cr_expect_eq(ops->refill(object, 1), 0, "full");
	cr_expect_eq(ops->alloc(object, 9), 8);
	cr_expect_eq(ops->alloc(object, 1), 0, "empty");
	cr_expect_eq(ops->flush(object, 1), 0, "empty");
	cr_expect_eq(kmem_slot_allocs(slot), 8);
	cr_expect_eq(kmem_slot_frees(slot), 8);
}

Test(slot, full_and_empty_are_exact)
{
	use_cpu_slot(8);
	boundaries(&cpu_ops);
}

Test(slot, full_and_empty_are_exact_locked)
{
	use_locked_slot(8);
	boundaries(&locked_ops);
}

Test(slot, a_push_refuses_the_object_on_top_and_addresses_of_no_object)
{
	void *object = NULL;

	use_cpu_slot(10);
	cr_expect_neq(kmem_slot_push(s, percpu_tls.rseq, percpu_tls.id, (void *)64), 0);
	cr_expect_eq(kmem_slot_push(s, percpu_tls.rseq, percpu_tls.id, (void *)64), 0, "twice");
	cr_expect_eq(kmem_slot_push(s, percpu_tls.rseq, percpu_tls.id, (void *)(128 + 8)), 0, "interior");
	cr_expect_eq(kmem_slot_push(s, percpu_tls.rseq, percpu_tls.id, (void *)(128 + 1)), 0, "unaligned");
	cr_expect_neq(kmem_slot_push(s, percpu_tls.rseq, percpu_tls.id, (void *)128), 0);
	cr_expect_neq(kmem_slot_pop(s, percpu_tls.rseq, percpu_tls.id, &object), 0);
	cr_expect_neq(kmem_slot_push(s, percpu_tls.rseq, percpu_tls.id, object), 0, "what left may come back");
	cr_expect_eq(kmem_slot_count(slot), 2);
}

Test(slot, the_single_operations_are_a_stack)
{
	void *object = NULL;
	uintptr_t i;

	use_cpu_slot(10);
	cr_expect_eq(kmem_slot_pop(s, percpu_tls.rseq, percpu_tls.id, &object), 0);
	for (i = 1; i <= 10; i++)
		cr_expect_neq(kmem_slot_push(s, percpu_tls.rseq, percpu_tls.id, (void *)(i * 64)), 0);
	cr_expect_eq(kmem_slot_push(s, percpu_tls.rseq, percpu_tls.id, (void *)704), 0, "full");
	for (i = 10; i >= 1; i--) {
		cr_expect_neq(kmem_slot_pop(s, percpu_tls.rseq, percpu_tls.id, &object), 0);
		cr_expect_eq(object, (void *)(i * 64));
	}
	cr_expect_eq(kmem_slot_pop(s, percpu_tls.rseq, percpu_tls.id, &object), 0);
	cr_expect_eq(kmem_slot_allocs(slot), 10);
	cr_expect_eq(kmem_slot_frees(slot), 10);
	cr_expect_eq(slot->net, 0);
}

Test(slot, a_refill_is_no_free_and_a_flush_no_allocation)
{
	void *object[8] = { NULL };

	use_cpu_slot(8);
	cr_expect_eq(slot_refill(s, object, 5), 5);
	cr_expect_eq(kmem_slot_frees(slot), 0);
	cr_expect_eq(slot_flush(s, object, 3), 3);
	cr_expect_eq(kmem_slot_allocs(slot), 0);
	cr_expect_eq(slot->net, 2);
	cr_expect_eq(kmem_slot_count(slot), 2);
}

Test(slot, bytes_hold_header_and_objects)
{
	cr_expect_eq(slot_bytes(0), sizeof(struct kmem_slot));
	cr_expect_eq(slot_bytes(120), 32 + 120 * 8);
}
