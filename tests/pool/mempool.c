/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mempools over an allocator of the test's that fails as it is told, and logs
 * how it was called: the kernel's order of attempts, the reserve, waiting,
 * resizing, and many threads of which none may starve and nothing may be lost.
 */
#include "below.h"

#include <errno.h>

#include <kmem/fault.h>

#include "base/os.h"
#include "base/trace.h"
#include "pool/table.h"
#include "slab/kmalloc.h"

/* ---- the order of attempts ---- */

#define ADDED (__GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN)

Test(mempool, the_first_try_is_without_effort)
{
	mempool_t *pool = make(1);

	mempool_free(mempool_alloc(pool, GFP_KERNEL), pool);
	cr_expect_eq(below.nr_calls, 1);
	cr_expect_eq(below.call[0], (GFP_KERNEL | ADDED) & ~(__GFP_DIRECT_RECLAIM | __GFP_IO));
	cr_expect_eq(stat_of(pool).reserve_hits, 0);
}

Test(mempool, then_the_reserve)
{
	mempool_t *pool = make(2);
	void *element;

	below.fail_without = __GFP_DIRECT_RECLAIM;
	element = mempool_alloc(pool, GFP_KERNEL);
	cr_expect_not_null(element);
	cr_expect_eq(below.nr_calls, 1, "the reserve comes before the effort");
	cr_expect_eq(stat_of(pool).curr_nr, 1);
	cr_expect_eq(stat_of(pool).reserve_hits, 1);
	cr_expect_eq(stat_of(pool).low_water, 1);
	cr_expect_not(mempool_is_saturated(pool));
	mempool_free(element, pool);
	cr_expect_eq(stat_of(pool).refills, 1);
	cr_expect(mempool_is_saturated(pool));
}

Test(mempool, then_all_that_the_caller_allows)
{
	mempool_t *pool = make(1);
	void *reserve, *element;

	below.fail_without = __GFP_DIRECT_RECLAIM;
	reserve = mempool_alloc(pool, GFP_KERNEL);
	element = mempool_alloc(pool, GFP_KERNEL);
	cr_expect(reserve && element);
	cr_expect_eq(below.nr_calls, 3);
	cr_expect_eq(below.call[2], GFP_KERNEL | ADDED);
	mempool_free(reserve, pool);
	mempool_free(element, pool);
}

Test(mempool, who_cannot_sleep_gets_null_after_one_try)
{
	mempool_t *pool = make(1);
	void *reserve;

	below.fail = true;
	reserve = mempool_alloc(pool, GFP_ATOMIC);
	cr_expect_not_null(reserve);
	cr_expect_null(mempool_alloc(pool, GFP_ATOMIC));
	cr_expect_eq(below.nr_calls, 2, "the flags had nothing to add");
	cr_expect_null(mempool_alloc(pool, __GFP_IO));
	cr_expect_eq(below.nr_calls, 4, "they had");
	cr_expect_eq(stat_of(pool).failures, 2);
	mempool_free(reserve, pool);
}

Test(mempool, preallocated_and_noreserve_use_one_source_each)
{
	mempool_t *pool = make(1);
	void *element = mempool_alloc_preallocated(pool);

	cr_expect_not_null(element);
	cr_expect_null(mempool_alloc_preallocated(pool));
	cr_expect_eq(below.nr_calls, 0);
	mempool_free(element, pool);
	element = mempool_alloc_noreserve(pool, GFP_KERNEL);
	cr_expect_eq(below.call[0], GFP_KERNEL);
	mempool_free(element, pool);
	below.fail = true;
	cr_expect_null(mempool_alloc_noreserve(pool, GFP_KERNEL));
	cr_expect_eq(stat_of(pool).curr_nr, 1);
	mempool_destroy(pool);
	cr_expect_eq(below.live, 0);
}

Test(mempool, zeroed_elements_are_refused_once)
{
	mempool_t *pool = make(1);

	capture_start();
	mempool_free(mempool_alloc(pool, GFP_KERNEL | __GFP_ZERO), pool);
	mempool_free(mempool_alloc(pool, GFP_KERNEL | __GFP_ZERO), pool);
	cr_expect_str_eq(capture_end(), "kmem: mempool_alloc(mempool-0): __GFP_ZERO is ignored: elements in reserve are not "
					"cleared; clear them yourself\n");
	cr_expect_not(below.call[0] & __GFP_ZERO);
}

Test(mempool, free_fills_the_reserve_first)
{
	mempool_t *pool = make(2);
	void *a = mempool_alloc(pool, GFP_KERNEL), *b = mempool_alloc_preallocated(pool);

	cr_expect_eq(below.live, 3);
	mempool_free(a, pool);
	cr_expect_eq(below.live, 3, "it is in the reserve now");
	mempool_free(b, pool);
	cr_expect_eq(below.live, 2);
	mempool_free(NULL, pool);
}

/* ---- waiting ---- */

Test(mempool, a_free_wakes_those_who_wait_in_their_order)
{
	enum { WAITERS = 5 };
	mempool_t *pool = make(1);
	uint64_t start = os_now_ns();
	pthread_t thread[WAITERS];
	void *element, *got;
	int i;

	below.fail = true;
	element = mempool_alloc(pool, GFP_KERNEL);
	for (i = 0; i < WAITERS; i++) {
		pthread_create(&thread[i], NULL, take_one, pool);
		wait_for_waiters(pool, (unsigned int)i + 1);
	}
	for (i = 0; i < WAITERS; i++) {
		mempool_free(element, pool);
		/* Nobody else can have it, so this ends only if the first in the queue got it. */
		pthread_join(thread[i], &got);
		cr_expect_eq(got, element);
		cr_expect_eq(stat_of(pool).waiting, (unsigned int)(WAITERS - 1 - i));
	}
	cr_expect_lt(os_now_ns() - start, 4000000000u, "nobody waited for the poll");
	cr_expect_eq(stat_of(pool).waits, WAITERS);
	cr_expect_geq(stat_of(pool).longest_wait_ns, 500000u);
	cr_expect_geq(stat_of(pool).wait_ns, stat_of(pool).longest_wait_ns);
	mempool_free(element, pool);
	mempool_destroy(pool);
	cr_expect_eq(below.live, 0);
}

Test(mempool, memory_that_comes_back_below_is_found_by_the_poll, .timeout = 20)
{
	mempool_t *pool = make(1);
	uint64_t start = os_now_ns();
	pthread_t thread;
	void *element, *got;

	below.fail = true;
	element = mempool_alloc(pool, GFP_KERNEL);
	pthread_create(&thread, NULL, take_one, pool);
	wait_for_waiters(pool, 1);
	below.fail = false;
	pthread_join(thread, &got);
	cr_expect_not_null(got);
	cr_expect_neq(got, element);
	cr_expect_geq(os_now_ns() - start, 4900000000u);
	cr_expect_lt(os_now_ns() - start, 8000000000u);
	mempool_free(got, pool);
	mempool_free(element, pool);
}

Test(mempool, who_got_memory_elsewhere_passes_the_promise_on)
{
	mempool_t *pool = make(1);
	uint64_t start = os_now_ns();
	pthread_t thread[2];
	void *element, *got;
	int i;

	below.fail = true;
	element = mempool_alloc(pool, GFP_KERNEL);
	for (i = 0; i < 2; i++) {
		pthread_create(&thread[i], NULL, take_one, pool);
		wait_for_waiters(pool, (unsigned int)i + 1);
	}
	below.fail = false;
	mempool_free(element, pool);
	for (i = 0; i < 2; i++) {
		pthread_join(thread[i], &got);
		mempool_free(got, pool);
	}
	cr_expect_lt(os_now_ns() - start, 4000000000u, "the second was not woken");
	mempool_destroy(pool);
	cr_expect_eq(below.live, 0);
}

Test(mempool, a_pool_that_shrinks_keeps_what_is_promised)
{
	enum { WAITERS = 3 };
	mempool_t *pool = make(WAITERS);
	pthread_t thread[WAITERS];
	void *element[WAITERS], *got;
	unsigned int i;

	below.fail = true;
	for (i = 0; i < WAITERS; i++)
		element[i] = mempool_alloc(pool, GFP_KERNEL);
	for (i = 0; i < WAITERS; i++) {
		pthread_create(&thread[i], NULL, take_one, pool);
		wait_for_waiters(pool, i + 1);
	}
	/* Awake, they try the allocator below first, and stay there. */
	WRITE_ONCE(below.hold, true);
	for (i = 0; i < WAITERS; i++)
		mempool_free(element[i], pool);
	cr_expect_eq(mempool_resize(pool, 1), 0);
	cr_expect_eq(stat_of(pool).curr_nr, WAITERS);
	WRITE_ONCE(below.hold, false);
	for (i = 0; i < WAITERS; i++) {
		pthread_join(thread[i], &got);
		cr_expect_not_null(got);
		mempool_free(got, pool);
	}
	cr_expect_eq(below.live, 1);
	mempool_destroy(pool);
	cr_expect_eq(below.live, 0);
}

Test(mempool, the_reserve_is_looked_at_again_before_waiting)
{
	mempool_t *pool = make(1);
	uint64_t start = os_now_ns();
	void *element;

	below.fail = true;
	element = mempool_alloc(pool, GFP_KERNEL);
	below.pool = pool;
	below.free_inside = element;
	cr_expect_eq(mempool_alloc(pool, GFP_KERNEL), element);
	cr_expect_lt(os_now_ns() - start, 1000000000u);
	cr_expect_eq(stat_of(pool).waits, 0);
}

Test(mempool, a_pool_without_reserve_wakes_too)
{
	mempool_t *pool = make(0);
	pthread_t thread;
	void *element, *got;

	below.fail = true;
	element = mempool_alloc(pool, GFP_KERNEL);
	cr_assert_not_null(element, "one is kept for those who wait");
	pthread_create(&thread, NULL, take_one, pool);
	wait_for_waiters(pool, 1);
	mempool_free(element, pool);
	pthread_join(thread, &got);
	cr_expect_eq(got, element);
	mempool_free(got, pool);
	mempool_destroy(pool);
	cr_expect_eq(below.live, 0);
}

/* ---- many at once ---- */

Test(mempool, bulk_takes_from_both_sources)
{
	mempool_t *pool = make(4);
	void *elems[4] = { NULL }, *already = kmalloc(64, GFP_KERNEL);
	unsigned int i;

	elems[1] = already;
	below.fail = true;
	cr_expect_eq(mempool_alloc_bulk(pool, elems, 4, 1), 0);
	cr_expect_eq(elems[1], already, "it was there");
	for (i = 0; i < 4; i++)
		cr_expect_not_null(elems[i]);
	cr_expect_eq(stat_of(pool).curr_nr, 1);
	below.live++;
	cr_expect_eq(mempool_free_bulk(pool, elems, 4), 3);
	cr_expect(!elems[0] && !elems[1] && !elems[2] && elems[3]);
	mempool_free(elems[3], pool);
	mempool_destroy(pool);
	cr_expect_eq(below.live, 0);
}

struct bulk {
	mempool_t *pool;
	unsigned int count;
	void *elems[8];
};

static void *take_bulk(void *bulk)
{
	struct bulk *b = bulk;

	mempool_alloc_bulk(b->pool, b->elems, b->count, 0);
	return NULL;
}

Test(mempool, a_bulk_that_waits_is_not_overtaken)
{
	mempool_t *pool = make(3);
	struct bulk bulk = { .pool = pool, .count = 3 };
	void *a, *b, *got;
	pthread_t first, second;

	below.fail = true;
	a = mempool_alloc(pool, GFP_KERNEL);
	b = mempool_alloc(pool, GFP_KERNEL);
	pthread_create(&first, NULL, take_bulk, &bulk);
	wait_for_waiters(pool, 1);
	cr_expect_eq(stat_of(pool).curr_nr, 1, "three or none");
	pthread_create(&second, NULL, take_one, pool);
	wait_for_waiters(pool, 2);
	mempool_free(a, pool);
	usleep(20000);
	cr_expect_eq(stat_of(pool).waiting, 2);
	mempool_free(b, pool);
	pthread_join(first, NULL);
	cr_expect_eq(stat_of(pool).waiting, 1);
	cr_expect_eq(mempool_free_bulk(pool, bulk.elems, 3), 3);
	pthread_join(second, &got);
	mempool_free(got, pool);
	mempool_destroy(pool);
	cr_expect_eq(below.live, 0);
}

Test(mempool, a_bulk_beyond_the_reserve_is_reported_and_ends_when_memory_does_come)
{
	mempool_t *pool = make(2);
	void *elems[5] = { NULL };
	int i;

	capture_start();
	cr_expect_eq(mempool_alloc_bulk(pool, elems, 5, 0), 0);
	cr_expect_str_eq(capture_end(),
			 "kmem: mempool_alloc_bulk(mempool-0): count 5 is beyond min_nr 2: it may wait for ever\n");
	for (i = 0; i < 5; i++)
		mempool_free(elems[i], pool);
	mempool_destroy(pool);
	cr_expect_eq(below.live, 0);
}

/* ---- resizing ---- */

Test(mempool, resize_grows_and_shrinks)
{
	mempool_t *pool = make(4);

	cr_expect_eq(mempool_resize(pool, 100), 0);
	cr_expect_eq(below.live, 100);
	cr_expect_eq(stat_of(pool).curr_nr, 100);
	cr_expect_eq(mempool_resize(pool, 3), 0);
	cr_expect_eq(below.live, 3);
	cr_expect_eq(mempool_resize(pool, 50), 0);
	cr_expect_eq(below.live, 50, "into the array that is still large enough");
	cr_expect_eq(stat_of(pool).resizes, 3);
	mempool_destroy(pool);
	cr_expect_eq(below.live, 0);
}

Test(mempool, a_resize_that_runs_out_is_made_up_for_by_frees)
{
	mempool_t *pool = make(1);
	void *a = mempool_alloc(pool, GFP_KERNEL), *b = mempool_alloc(pool, GFP_KERNEL);

	below.fail = true;
	cr_expect_eq(mempool_resize(pool, 3), 0);
	cr_expect_eq(stat_of(pool).min_nr, 3);
	cr_expect_eq(stat_of(pool).curr_nr, 1);
	mempool_free(a, pool);
	mempool_free(b, pool);
	cr_expect_eq(stat_of(pool).curr_nr, 3);
	mempool_destroy(pool);
}

Test(mempool, a_resize_that_is_refused_changes_nothing)
{
	mempool_t *pool = make(1);

	capture_start();
	cr_expect_eq(mempool_resize(pool, 0), -EINVAL);
	cr_expect_str_eq(capture_end(), "kmem: mempool_resize(mempool-0, 0): the size must be positive\n");
	cr_expect_eq(mempool_resize(pool, 1 << 20), -ENOMEM, "8 MiB of pointers");
	cr_expect_eq(stat_of(pool).min_nr, 1);
}

/* ---- misuse, events ---- */

Test(mempool, an_element_freed_twice_is_not_two)
{
	mempool_t *pool = make(3);
	void *a = mempool_alloc_preallocated(pool), *b = mempool_alloc_preallocated(pool), *elems[2];
	char want[200];

	mempool_free(a, pool);
	snprintf(want, sizeof(want), "kmem: BUG mempool mempool-0: mempool_free(%p): it is in the reserve already; "
		 "it was left alone\n", a);
	capture_start();
	mempool_free(hidden(a), pool);
	elems[0] = hidden(a);
	elems[1] = b;
	cr_expect_eq(mempool_free_bulk(pool, elems, 2), 2);
	cr_expect_str_eq(strstr(capture_end(), "\n") + 1, want);
	cr_expect_eq(stat_of(pool).curr_nr, 3);
	cr_expect_eq(stat_of(pool).refills, 2);
	mempool_destroy(pool);
	cr_expect_eq(below.live, 0);
}

Test(mempool, events_do_not_change_what_happens)
{
	mempool_t *pool = make(2);
	void *a, *b, *elems[2] = { NULL };

	trace_watch(true);
	a = mempool_alloc(pool, GFP_KERNEL);
	cr_expect_eq(stat_of(pool).reserve_hits, 0);
	b = mempool_alloc_preallocated(pool);
	mempool_free(a, pool);
	mempool_free(b, pool);
	mempool_alloc_bulk(pool, elems, 2, 0);
	mempool_free_bulk(pool, elems, 2);
	mempool_resize(pool, 1);
	mempool_free(elems[0], pool);
	mempool_free(elems[1], pool);
	mempool_destroy(pool);
	trace_watch(false);
	cr_expect_eq(below.live, 0);
}

/* ---- threads ---- */

enum { THREADS = 64 };

static struct {
	mempool_t *pool;
	unsigned int rounds;
	bool bulk, resize;
	uint64_t taken[THREADS];
	uint64_t longest_ns[THREADS]; /* that one call took */
} crowd;

/* Whoever has an element has it alone: it writes its number, and finds it again. */
static void use(uint64_t *element, uint64_t me)
{
	WRITE_ONCE(element[0], me);
	if (me % 3 == 0)
		sched_yield();
	if (READ_ONCE(element[0]) != me)
		abort();
	WRITE_ONCE(element[0], 0);
}

static void one_round(uint64_t me, unsigned int i)
{
	void *elems[4] = { NULL };
	unsigned int j, given, count = crowd.bulk && i % 8 == 0 ? 4 : 1;
	uint64_t start_ns = os_now_ns(), took_ns;

	if (count == 1)
		elems[0] = mempool_alloc(crowd.pool, GFP_KERNEL);
	else
		mempool_alloc_bulk(crowd.pool, elems, count, 0);
	took_ns = os_now_ns() - start_ns;
	crowd.longest_ns[me - 1] = MAX(crowd.longest_ns[me - 1], took_ns);
	for (j = 0; j < count; j++)
		use(elems[j], me);
	given = count == 1 ? 0 : mempool_free_bulk(crowd.pool, elems, count);
	for (j = given; j < count; j++)
		mempool_free(elems[j], crowd.pool);
}

static void *member(void *arg)
{
	uint64_t me = (uint64_t)(uintptr_t)arg;
	unsigned int i;

	for (i = 0; i < crowd.rounds; i++) {
		one_round(me + 1, i);
		crowd.taken[me]++;
		if (crowd.resize && me < 3 && i % 4 == 0)
			mempool_resize(crowd.pool, 4 + (int)(i % 13));
	}
	return NULL;
}

static void run_crowd(int min_nr)
{
	pthread_t thread[THREADS];
	struct mempool_stat stat;
	uintptr_t i;

	for (i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_create(&thread[i], NULL, member, (void *)i), 0);
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	stat = stat_of(crowd.pool);
	for (i = 0; i < THREADS; i++) {
		cr_expect_eq(crowd.taken[i], crowd.rounds);
		cr_expect_lt(crowd.longest_ns[i], 4500000000u, "thread %lu waited for the poll: %lu ms", i,
			     crowd.longest_ns[i] / 1000000);
	}
	cr_expect_eq(stat.waiting, 0);
	cr_expect_eq(crowd.pool->live->promised, 0);
	cr_expect_eq(crowd.pool->live->waiter_head | crowd.pool->live->waiter_tail, 0);
	/* Two ends of one balance: what the pool holds, what the allocator below has given out. */
	cr_expect_eq(below.live, stat.curr_nr);
	if (min_nr) {
		cr_expect_eq(stat.curr_nr, min_nr);
		cr_expect_eq(stat.reserve_hits, stat.refills);
	}
	cr_expect_lt(stat.longest_wait_ns, 4000000000u, "somebody waited for the poll: %lu ms",
		     stat.longest_wait_ns / 1000000);
	mempool_destroy(crowd.pool);
	cr_expect_eq(below.live, 0, "elements were lost");
}

Test(mempool, many_threads_share_a_reserve_when_nothing_else_is_left, .timeout = 100)
{
	crowd.pool = make(4);
	crowd.rounds = 300;
	below.fail = true;
	run_crowd(4);
}

static void fail_mempool_alloc(unsigned long probability)
{
	struct fault_attr a;

	cr_assert_eq(kmem_fault_get(KMEM_FAIL_MEMPOOL_ALLOC, &a), 0);
	a.probability = probability;
	a.times = -1;
	a.verbose = 0;
	cr_assert_eq(kmem_fault_set(KMEM_FAIL_MEMPOOL_ALLOC, &a), 0);
}

Test(mempool, injected_failures_leave_the_reserve)
{
	mempool_t *pool = make(2);
	void *elems[2] = { NULL }, *element;

	fail_mempool_alloc(100);
	cr_expect_not_null(element = mempool_alloc(pool, GFP_KERNEL));
	cr_expect_eq(below.nr_calls, 0, "the allocator below is not asked");
	mempool_free(element, pool);
	cr_expect_eq(mempool_alloc_bulk(pool, elems, 2, 0), 0);
	cr_expect_eq(below.nr_calls, 0);
	cr_expect_eq(stat_of(pool).reserve_hits, 3);
	cr_expect_null(mempool_alloc(pool, GFP_ATOMIC), "and then it is empty");
	cr_expect_eq(mempool_free_bulk(pool, elems, 2), 2);
	fail_mempool_alloc(0);
	mempool_free(mempool_alloc(pool, GFP_KERNEL), pool);
	cr_expect_eq(below.nr_calls, 1);
	mempool_destroy(pool);
	cr_expect_eq(below.live, 0);
}

Test(mempool, many_threads_under_injected_failures, .timeout = 100)
{
	crowd.pool = make(4);
	crowd.rounds = 300;
	crowd.bulk = true;
	fail_mempool_alloc(100);
	run_crowd(4);
	crowd.pool = make(6);
	memset(crowd.taken, 0, sizeof(crowd.taken));
	fail_mempool_alloc(70);
	run_crowd(6);
}

static void *kmalloc_counted(gfp_t gfp, void *data)
{
	void *p = mempool_kmalloc(gfp, data);

	if (p)
		__atomic_add_fetch(&below.live, 1, __ATOMIC_RELAXED);
	return p;
}

/* The real thing: kmalloc() fails, mempools hold, and every object goes back. */
Test(mempool, many_threads_on_a_kmalloc_that_fails, .timeout = 100)
{
	struct kmem_cache *s = kmalloc_cache(1000, GFP_KERNEL);
	struct kmem_cache_stat before, after;
	struct fault_attr a;

	kmem_cache_stat(s, &before);
	crowd.pool = mempool_create(4, kmalloc_counted, below_free, (void *)1000);
	crowd.rounds = 300;
	cr_assert_eq(kmem_fault_get(KMEM_FAILSLAB, &a), 0);
	a.probability = 90;
	a.times = -1;
	a.verbose = 0;
	a.ignore_gfp_wait = false;
	cr_assert_eq(kmem_fault_set(KMEM_FAILSLAB, &a), 0);
	run_crowd(4);
	kmem_cache_stat(s, &after);
	cr_expect_eq(after.active, before.active);
}

Test(mempool, many_threads_on_an_allocator_that_fails_at_random, .timeout = 100)
{
	crowd.pool = make(6);
	crowd.rounds = 1000;
	crowd.bulk = true;
	below.chance = 30;
	run_crowd(6);
}

Test(mempool, many_threads_while_the_reserve_is_resized, .timeout = 100)
{
	crowd.pool = make(6);
	crowd.rounds = 500;
	crowd.bulk = true;
	crowd.resize = true;
	below.chance = 20;
	run_crowd(0);
}
