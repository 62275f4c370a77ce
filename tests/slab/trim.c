/* SPDX-License-Identifier: BSD-2-Clause */
/* What caches hold without need goes back, and nothing that is in use: the kernel is asked what is resident. */
#include "support.h"

#include <kmem/debug.h>

#include <sys/mman.h>

#include "page/alloc.h"
#include "page/purge.h"
#include "page/vmstat.h"
#include "slab/slub.h"
#include "slab/trim.h"

enum { NR = 4000 };

static void *object[NR];

static void setup(void)
{
	pin_to(0);
	purge_init(KMEM_PURGE_DECAY, 1000000, false);
	page_set_purge_on_free(true);
	trim_init(true, 1000000);
}

/* Objects filled with their number. */
static void fill(struct kmem_cache *s, int from, int to)
{
	int i;

	for (i = from; i < to; i++) {
		object[i] = kmem_cache_alloc(s, GFP_KERNEL);
		cr_assert_not_null(object[i]);
		memset(object[i], i, s->object_size);
	}
}

static void check(const struct kmem_cache *s, int i)
{
	cr_expect(all_bytes(object[i], s->object_size, (uint8_t)i), "object %d", i);
}

static size_t registry_trim_slab(struct kmem_cache *s, struct page *slab)
{
	size_t bytes;

	cr_assert(cache_registry_try());
	bytes = trim_slab(s, slab);
	cache_registry_unlock();
	return bytes;
}

/* A slab of order 3 with one object left in its second page. */
static struct page *one_left(struct kmem_cache *s)
{
	struct page *slab;
	int i;

	fill(s, 0, s->objects);
	slab = slab_of(object[0]);
	for (i = 0; i < s->objects; i++)
		if (i != 2)
			kmem_cache_free(s, object[i]);
	slub_trim(s);
	return slab;
}

Test(trim, pages_without_an_object_leave_a_slab_in_use, .init = setup)
{
	struct kmem_cache *s = kmem_cache_create("trim", 2048, 0, 0, NULL);
	struct page *slab = one_left(s);

	cr_assert_eq(slab->nr_pages, 8);
	cr_expect_eq(registry_trim_slab(s, slab), 7 * PAGE_SIZE);
	cr_expect_eq(resident_pages(page_to_addr(slab), 8 * PAGE_SIZE), 1);
	cr_expect_eq(__builtin_popcountll(slab->emptied), 7);
	check(s, 2);
	cr_expect_eq(registry_trim_slab(s, slab), 0, "nothing is emptied twice");
	cr_expect_eq(slab->inuse, 1);
	cr_expect_eq(node_of(s, 0)->nr_taken, 1);
	cr_expect_eq(kmem_prefill_held(s->prefill), 0);
	cr_expect_eq(vmstat_event(KMEM_VM_SLAB_PURGE), 7);
}

Test(trim, taken_objects_unmark_their_pages, .init = setup)
{
	struct kmem_cache *s = kmem_cache_create("trim", 2048, 0, 0, NULL);
	struct page *slab = one_left(s);
	uint64_t before = slab_refaults();

	registry_trim_slab(s, slab);
	fill(s, 100, 101 + s->sheaf_capacity);
	cr_expect_lt(__builtin_popcountll(slab->emptied), 7);
	cr_expect_eq(slab_refaults() - before, 7 - (unsigned int)__builtin_popcountll(slab->emptied));
	check(s, 2);
	for (uint32_t i = 100; i < 101 + s->sheaf_capacity; i++)
		check(s, (int)i);
}

Test(trim, an_object_across_two_pages_keeps_both, .init = setup)
{
	struct kmem_cache *s = kmem_cache_create("trim", 3000, 0, 0, NULL);
	struct page *slab;

	/* The object at 3000 .. 6000 stays. */
	fill(s, 0, s->objects);
	slab = slab_of(object[0]);
	for (int i = 0; i < s->objects; i++)
		if (object[i] != slab_object(s, slab, 1))
			kmem_cache_free(s, object[i]);
	slub_trim(s);
	cr_expect_eq(registry_trim_slab(s, slab), (slab->nr_pages - 2) * PAGE_SIZE);
	for (int i = 0; i < s->objects; i++)
		if (object[i] == slab_object(s, slab, 1))
			check(s, i);
}

static void ctor(void *p)
{
	memset(p, 7, 2048);
}

Test(trim, constructed_and_typesafe_objects_keep_their_contents, .init = setup)
{
	struct kmem_cache *built = kmem_cache_create("built", 2048, 0, 0, ctor);
	struct kmem_cache *safe = kmem_cache_create("safe", 2048, 0, SLAB_TYPESAFE_BY_RCU, NULL);

	cr_expect_eq(registry_trim_slab(built, one_left(built)), 0);
	cr_expect_eq(registry_trim_slab(safe, one_left(safe)), 0);
}

Test(trim, debug_caches_are_left_alone, .init = setup)
{
	struct kmem_cache *s = kmem_cache_create("debug", 2048, 0, SLAB_POISON, NULL);
	struct page *slab;

	fill(s, 0, s->objects);
	slab = slab_of(object[0]);
	for (int i = 1; i < s->objects; i++)
		kmem_cache_free(s, object[i]);
	cr_expect_eq(registry_trim_slab(s, slab), 0);
	trim_look();
	cr_expect_eq(kmem_cache_validate(s), 0);
}

Test(trim, fresh_pages_of_a_new_slab_count_as_empty, .init = setup)
{
	struct kmem_cache *s = kmem_cache_create("trim", 2048, 0, 0, NULL);
	struct page *slab;

	kmem_page_purge(0);
	object[0] = kmem_cache_alloc(s, GFP_KERNEL);
	slab = slab_of(object[0]);
	cr_expect_neq(slab->emptied, 0);
	slub_trim(s);
	cr_expect_leq(registry_trim_slab(s, slab), 7 * PAGE_SIZE);
	cr_expect_eq(slab->emptied & 1, 0);
}

Test(trim, barn_and_slot_go_back_into_slabs, .init = setup)
{
	struct kmem_cache *s = kmem_cache_create("trim", 64, 0, 0, NULL);
	struct kmem_cache_stat stat;

	fill(s, 0, NR);
	for (int i = 0; i < NR; i++)
		kmem_cache_free(s, object[i]);
	kmem_cache_stat(s, &stat);
	cr_expect_gt(stat.cached, 600);
	slub_trim(s);
	kmem_cache_stat(s, &stat);
	cr_expect_eq(stat.cached, 0);
	cr_expect_eq(stat.frees, NR);
	cr_expect_leq(node_of(s, 0)->nr_slabs, s->min_partial);
}

/* Looks until the time that they may take has been saved up. */
static void look_for(int ms)
{
	while (ms-- > 0) {
		usleep(1000);
		trim_look();
	}
}

Test(trim, a_heap_that_became_sparse_leaves, .init = setup)
{
	struct kmem_cache *s = kmem_cache_create("trim", 4096, 0, 0, NULL);
	size_t resident = 0;

	fill(s, 0, NR);
	look_for(5);
	cr_expect_eq(vmstat_event(KMEM_VM_SLAB_PURGE), 0, "what is in use stays");
	for (int i = 0; i < NR; i++)
		if (i % 10)
			kmem_cache_free(s, object[i]);
	look_for(300);
	for (int i = 0; i < NR; i += 10)
		check(s, i);
	for (int i = 0; i < NR; i += 80)
		resident += resident_pages(page_to_addr(slab_of(object[i])), PAGE_SIZE << slab_of(object[i])->order);
	/* Of every slab of 8 about one object is left. */
	cr_expect_leq(resident, NR / 80 * 3, "%zu", resident);
	page_validate();
}

Test(trim, off_means_off, .init = setup)
{
	struct kmem_cache *s = kmem_cache_create("trim", 4096, 0, 0, NULL);

	trim_init(false, 1000);
	fill(s, 0, NR);
	for (int i = 0; i < NR; i++)
		if (i % 10)
			kmem_cache_free(s, object[i]);
	look_for(50);
	cr_expect_eq(vmstat_event(KMEM_VM_SLAB_PURGE), 0);
}

Test(trim, what_is_taken_again_soon_is_regretted, .init = setup)
{
	struct kmem_cache *s = kmem_cache_create("trim", 4096, 0, 0, NULL);
	uint64_t purged;

	fill(s, 0, NR);
	for (int round = 0; round < 12; round++) {
		purged = vmstat_event(KMEM_VM_SLAB_PURGE);
		for (int i = 0; i < NR; i++)
			if (i % 10)
				kmem_cache_free(s, object[i]);
		look_for(100);
		purged = vmstat_event(KMEM_VM_SLAB_PURGE) - purged;
		if (!round)
			cr_expect_gt(purged, NR / 2);
		for (int i = 0; i < NR; i++)
			if (i % 10)
				fill(s, i, i + 1);
		look_for(2);
	}
	cr_expect_eq(purged, 0, "%lu", purged);
}

Test(trim, caches_that_rest_for_half_a_period_park_nothing, .init = setup)
{
	struct kmem_cache *s = kmem_cache_create("trim", 64, 0, 0, NULL);
	struct kmem_cache_stat stat;

	trim_init(true, 20);
	fill(s, 0, 100);
	for (int i = 0; i < 100; i++)
		kmem_cache_free(s, object[i]);
	look_for(200);
	kmem_cache_stat(s, &stat);
	cr_expect_eq(stat.cached, 0);
	cr_expect_eq(stat.slabs, 0);
}

static uint64_t held_pages(void)
{
	return zones[0].present_pages - zones[0].free_pages + zones[0].dirty_pages;
}

/* kmem_cache_free() may make no system call: what it leaves is given back by the next allocation that may block. */
Test(trim, what_frees_leave_the_next_allocations_give_back, .init = setup)
{
	enum { MANY = 200000 };
	struct kmem_cache *s = kmem_cache_create("trim", 64, 0, 0, NULL);
	void **p = mmap(NULL, MANY * sizeof(*p), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t before, purged;

	page_set_purge_on_free(false);
	for (int i = 0; i < MANY; i++)
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
	before = held_pages();
	cr_assert_geq(before, MANY / 64);
	purged = zones[0].purged_pages;
	for (int i = 0; i < MANY; i++)
		kmem_cache_free(s, p[i]);
	cr_expect_eq(zones[0].purged_pages, purged, "a free makes no system call");
	kmem_cache_free(s, kmem_cache_alloc(s, GFP_ATOMIC));
	cr_expect_eq(zones[0].purged_pages, purged, "nor does who may not block");
	/* A look spends what time was saved up since the last. */
	for (int i = 0; i < 2000 && held_pages() > before / 4; i++) {
		usleep(1000);
		kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	}
	cr_expect_leq(held_pages(), before / 4);
}
