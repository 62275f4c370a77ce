/* SPDX-License-Identifier: BSD-2-Clause */
/* The reserve of a mempool: a stack, a queue served in order, promises that nobody else takes, poison. */
#include "support.h"

#include <pthread.h>

#include "base/os.h"
#include "pool/reserve.h"

enum { MIN_NR = 8 };
static void *room[MIN_NR];
static struct kmem_mempool m;
static uint64_t element[MIN_NR][8];

static void setup(void)
{
	m = (struct kmem_mempool){ .min_nr = MIN_NR, .capacity = MIN_NR, .elements = (uintptr_t)room,
				   .low_water = MIN_NR };
	strcpy(m.name, "test");
}

TestSuite(reserve, .init = setup);

static void push(int nr)
{
	while (nr--)
		reserve_push(&m, element[m.curr_nr]);
}

Test(reserve, is_a_stack_that_knows_its_low_water)
{
	push(3);
	cr_expect_eq(m.curr_nr, 3);
	cr_expect_eq(reserve_pop(&m), element[2]);
	cr_expect_null(room[2], "a leak scan would find it");
	cr_expect_eq(reserve_pop(&m), element[1]);
	push(1);
	cr_expect_eq(m.curr_nr, 2);
	cr_expect_eq(m.low_water, 1);
}

Test(reserve, knows_what_came_last)
{
	static void *many[200];
	static char thing[200];
	int i;

	m = (struct kmem_mempool){ .min_nr = 200, .capacity = 200, .elements = (uintptr_t)many };
	cr_expect_not(reserve_holds(&m, &thing[0]));
	for (i = 0; i < 199; i++)
		reserve_push(&m, &thing[i]);
	cr_expect(reserve_holds(&m, &thing[198]));
	cr_expect(reserve_holds(&m, &thing[198 - 63]));
	cr_expect_not(reserve_holds(&m, &thing[198 - 64]), "the search has an end");
	cr_expect_not(reserve_holds(&m, &thing[199]));
}

Test(reserve, a_push_beyond_its_size_is_a_bug, .signal = SIGABRT)
{
	push(MIN_NR + 1);
}

Test(reserve, a_pop_of_an_empty_one_is_a_bug, .signal = SIGABRT)
{
	reserve_pop(&m);
}

Test(reserve, whoever_waits_is_served_first)
{
	struct reserve_waiter a, b;

	reserve_join(&m, &a, 1);
	reserve_join(&m, &b, 1);
	cr_expect_eq(m.nr_waiting, 2);
	push(1);
	cr_expect_not(reserve_has(&m, 1, true), "it is for the first in the queue");
	cr_expect(reserve_has(&m, 1, false), "who cannot wait need not");
	reserve_grant(&m);
	cr_expect(a.granted && !b.granted);
	cr_expect_eq(m.promised, 1);
	cr_expect_not(reserve_has(&m, 1, false), "it is promised");
	push(2);
	reserve_grant(&m);
	cr_expect(b.granted);
	cr_expect_eq(m.promised, 2);
	cr_expect(reserve_has(&m, 1, true), "one is left, and nobody waits for it");
	cr_expect_not(reserve_has(&m, 2, true));
}

Test(reserve, a_promise_that_is_not_taken_is_passed_on)
{
	struct reserve_waiter a, b;

	reserve_join(&m, &a, 2);
	reserve_join(&m, &b, 1);
	push(1);
	reserve_grant(&m);
	cr_expect_not(a.granted || b.granted, "the second does not overtake the first");
	push(1);
	reserve_grant(&m);
	cr_expect(a.granted && !b.granted);
	reserve_leave(&m, &a);
	reserve_grant(&m);
	cr_expect(b.granted);
	cr_expect_eq(m.promised, 1);
	reserve_leave(&m, &b);
	cr_expect_eq(m.promised, 0);
	cr_expect_eq(m.nr_waiting, 0);
	cr_expect_eq(m.waiter_head | m.waiter_tail, 0);
}

Test(reserve, what_can_never_be_had_holds_up_nobody)
{
	struct reserve_waiter greedy, modest;

	reserve_join(&m, &greedy, MIN_NR + 1);
	reserve_join(&m, &modest, 1);
	push(1);
	reserve_grant(&m);
	cr_expect_not(greedy.granted);
	cr_expect(modest.granted);
	push(1);
	cr_expect(reserve_has(&m, 1, true));
}

Test(reserve, any_waiter_may_leave)
{
	struct reserve_waiter w[4];
	static const int order[] = { 1, 3, 0, 2 };
	int i;

	for (i = 0; i < 4; i++)
		reserve_join(&m, &w[i], 1);
	for (i = 0; i < 4; i++)
		reserve_leave(&m, &w[order[i]]);
	cr_expect_eq(m.nr_waiting, 0);
	cr_expect_eq(m.waiter_head | m.waiter_tail, 0);
	reserve_join(&m, &w[0], 1);
	push(1);
	reserve_grant(&m);
	cr_expect(w[0].granted);
}

static void *sleeper(void *w)
{
	reserve_sleep(w);
	return NULL;
}

Test(reserve, a_grant_wakes)
{
	struct reserve_waiter w;
	uint64_t start = os_now_ns();
	pthread_t thread;

	reserve_lock(&m);
	reserve_join(&m, &w, 1);
	reserve_unlock(&m);
	pthread_create(&thread, NULL, sleeper, &w);
	usleep(20000);
	reserve_lock(&m);
	push(1);
	reserve_grant(&m);
	reserve_unlock(&m);
	pthread_join(thread, NULL);
	cr_expect_lt(os_now_ns() - start, 3000000000u, "it slept until the poll");
	cr_expect_eq(m.seq, 4, "readers see when it changes");
}

Test(reserve, elements_in_it_are_poisoned_and_checked)
{
	m.poison_bytes = 64;
	push(2);
	cr_expect(all_bytes(element[1], 63, 0x6b));
	cr_expect_eq(((uint8_t *)element[1])[63], 0xa5);
	capture_start();
	cr_expect_eq(reserve_pop(&m), element[1]);
	cr_expect_str_eq(capture_end(), "");
	cr_expect(all_bytes(element[1], 64, 0x5a));
	((uint8_t *)element[0])[7] = 1;
	capture_start();
	reserve_pop(&m);
	cr_expect_not_null(strstr(capture_end(), "BUG: mempool element poison mismatch: test: byte 7 of "));
}

Test(reserve, the_child_of_fork_has_no_waiters)
{
	struct reserve_waiter w;

	reserve_join(&m, &w, 1);
	push(1);
	reserve_grant(&m);
	m.lock = 1;
	reserve_after_fork(&m);
	cr_expect_eq(m.lock, 0);
	cr_expect_eq(m.nr_waiting, 0);
	cr_expect(reserve_has(&m, 1, true));
}
