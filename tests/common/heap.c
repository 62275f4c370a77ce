/* SPDX-License-Identifier: BSD-2-Clause */
/* heap.c - tests of tools/common/heap.c: the numbers of the fake, torn rows, other states. */
#include <criterion/criterion.h>
#include <errno.h>
#include <time.h>

#include "common/heap.h"
#include "fake.h"

static struct target t;
static struct heap h;
static pid_t pid;

static void start(const char *mode)
{
	pid = fake_start(mode);
	cr_assert_gt(pid, 0);
	cr_assert_eq(target_open(&t, pid), 0, "%s", t.message);
	cr_assert_eq(target_find_roots(&t), 0, "%s", t.message);
	heap_init(&h, &t, t.roots[0].addr);
}

static void stop(void)
{
	heap_close(&h);
	target_close(&t);
	fake_stop(pid);
}

Test(heap, main_cache_adds_up)
{
	const struct heap_cache *c;

	start("normal");
	cr_assert_eq(heap_read(&h), 0, "%s", t.message);
	c = heap_cache_by_id(&h, FAKE_MAIN);
	cr_assert_not_null(c);
	cr_expect_str_eq(c->cache.name, "fake-64");
	cr_expect_eq(c->slabs, FAKE_SLABS);
	cr_expect_eq(c->objects, FAKE_TOTAL);
	cr_expect_eq(c->taken, FAKE_TAKEN);
	cr_expect_eq(c->cached_slots, FAKE_IN_SLOTS);
	cr_expect_eq(c->cached_barn, FAKE_IN_BARN);
	cr_expect_eq(c->active, FAKE_ACTIVE);
	cr_expect_eq(c->partial_slabs, FAKE_PARTIAL);
	cr_expect_eq(c->allocs, FAKE_ALLOCS);
	cr_expect_eq(c->frees, FAKE_FREES);
	cr_expect_eq(c->stat.refill, 42);
	cr_expect_not(c->torn);
	stop();
}

Test(heap, only_used_ids_are_listed)
{
	start("normal");
	cr_assert_eq(heap_read(&h), 0);
	cr_expect_eq(h.nr_caches, 4);
	cr_expect_null(heap_cache_by_id(&h, FAKE_UNUSED));
	cr_expect_eq(heap_cache_by_id(&h, FAKE_DEAD)->cache.state, KMEM_CACHE_DEAD);
	cr_expect_eq(heap_cache_by_id(&h, FAKE_DEAD)->active, 2);
	stop();
}

/* What two names share is counted for the first; what each has in use by its own counters. */
Test(heap, merged_caches_have_their_own_objects_and_one_of_them_the_slabs)
{
	const struct heap_cache *c;

	start("merged");
	cr_assert_eq(heap_read(&h), 0, "%s", t.message);
	c = heap_cache_by_id(&h, FAKE_ALIAS);
	cr_assert_not_null(c);
	cr_expect_eq(c->active, FAKE_ALIAS_ACTIVE);
	cr_expect_eq(c->allocs, 60 + 3);
	cr_expect_eq(c->frees, 10 + 1);
	cr_expect_eq(c->cached_slots, 4);
	cr_expect_eq(c->cached_barn, 0);
	cr_expect_eq(c->slabs, 0);
	cr_expect_eq(c->objects, 0);
	cr_expect_eq(c->taken, 0);
	cr_expect_eq(c->stat.refill, 5);
	c = heap_cache_by_id(&h, FAKE_MAIN);
	cr_expect_eq(c->active, FAKE_ALLOCS - FAKE_FREES, "by its counters: the bits are those of both");
	cr_expect_eq(c->slabs, FAKE_SLABS);
	cr_expect_eq(c->objects, FAKE_TOTAL);
	cr_expect_eq(c->taken, FAKE_TAKEN);
	stop();
}

Test(heap, moving_cache_is_marked_torn)
{
	start("normal");
	cr_assert_eq(heap_read(&h), 0);
	cr_expect(heap_cache_by_id(&h, FAKE_BUSY)->torn);
	cr_expect_eq(heap_cache_by_id(&h, FAKE_BUSY)->active, 4);
	cr_expect_eq(h.nr_torn, 1);
	stop();
}

Test(heap, shared_slot_counts)
{
	const struct heap_cache *c;

	start("normal");
	cr_assert_eq(heap_read(&h), 0);
	c = heap_cache_by_id(&h, FAKE_SHARED);
	cr_expect_eq(c->cached_slots, 6);
	cr_expect_eq(c->active, 14);
	cr_expect_eq(c->allocs - c->frees, 14);
	stop();
}

Test(heap, zones_are_read)
{
	start("normal");
	cr_assert_eq(heap_read(&h), 0);
	cr_expect_eq(heap_present_pages(&h), 1024);
	cr_expect_eq(heap_free_pages(&h), 1000);
	cr_expect_eq(h.zones[0].free_list[3][KMEM_NR_MIGRATETYPES - 1].nr, 125);
	stop();
}

Test(heap, uninitialised_library_has_no_caches)
{
	start("early");
	cr_assert_eq(heap_read(&h), 0);
	cr_expect_eq(h.nr_caches, 0);
	cr_expect_eq(heap_present_pages(&h), 0);
	stop();
}

Test(heap, process_that_ended)
{
	start("normal");
	cr_assert_eq(heap_read(&h), 0);
	fake_stop(pid);
	cr_expect_eq(heap_read(&h), -ESRCH);
	cr_expect_eq(h.nr_caches, 0);
	stop();
}

/* Whatever stands in the target: an error or numbers, never a crash, never an endless loop. */
Test(heap, damaged_tables_do_no_harm)
{
	unsigned int refused = 0;

	for (int seed = 0; seed < 120; seed++) {
		char mode[32];

		snprintf(mode, sizeof(mode), "damage=%d", seed);
		pid = fake_start(mode);
		cr_assert_gt(pid, 0);
		cr_assert_eq(target_open(&t, pid), 0, "%s", t.message);
		if (target_find_roots(&t) == 0) {
			struct heap_slabs slabs;

			heap_init(&h, &t, t.roots[0].addr);
			if (heap_read(&h))
				refused++;
			else
				heap_read_slabs(&h, FAKE_MAIN, &slabs);
		} else {
			refused++;
		}
		stop();
	}
	cr_expect_gt(refused, 0);
	cr_expect_lt(refused, 120);
}

/* Nothing is left behind by a snapshot that changes the next one. */
Test(heap, snapshots_repeat)
{
	start("normal");
	for (int i = 0; i < 200; i++)
		cr_assert_eq(heap_read(&h), 0);
	cr_expect_eq(h.nr_caches, 4);
	cr_expect_eq(heap_cache_by_id(&h, FAKE_MAIN)->active, FAKE_ACTIVE);
	stop();
}
