/* SPDX-License-Identifier: BSD-2-Clause */
/* heap_slabs.c - tests of tools/common/heap_slabs.c: sums, neighbours, and the time for 10 000 slabs. */
#include <criterion/criterion.h>
#include <time.h>

#include "common/heap.h"
#include "fake.h"

#define SLABS 10000u

static double cpu_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

Test(heap_slabs, ten_thousand_slabs)
{
	struct heap_slabs slabs;
	struct target t;
	struct heap h;
	pid_t pid = fake_start("slabs=10000");
	uint64_t taken = 0, full = 0, empty = 0;
	double best = 1e9;

	cr_assert_eq(target_open(&t, pid), 0);
	cr_assert_eq(target_find_roots(&t), 0, "%s", t.message);
	heap_init(&h, &t, t.roots[0].addr);
	cr_assert_eq(heap_read(&h), 0);
	for (int i = 0; i < 20; i++) {
		double start = cpu_ms();

		cr_assert_eq(heap_read_slabs(&h, FAKE_MAIN, &slabs), 0, "%s", t.message);
		best = cpu_ms() - start < best ? cpu_ms() - start : best;
	}
	for (unsigned int i = 0; i < SLABS; i++) {
		taken += i % (FAKE_OBJECTS + 1);
		full += i % (FAKE_OBJECTS + 1) == FAKE_OBJECTS;
		empty += i % (FAKE_OBJECTS + 1) == 0;
	}
	cr_expect_eq(slabs.slabs, SLABS);
	cr_expect_eq(slabs.pages, SLABS);
	cr_expect_eq(slabs.objects, SLABS * FAKE_OBJECTS);
	cr_expect_eq(slabs.taken, taken);
	cr_expect_eq(slabs.inuse, taken);
	cr_expect_eq(slabs.full_slabs, full);
	cr_expect_eq(slabs.empty_slabs, empty);
	cr_expect_eq(slabs.fullness[10], full);
	cr_log_info("10 000 slabs in %.3f ms of CPU", best);
#if !defined(__SANITIZE_ADDRESS__)
	cr_expect_lt(best, 1.0, "took %.3f ms", best);
#endif
	cr_assert_eq(heap_read_slabs(&h, FAKE_DEAD, &slabs), 0);
	cr_expect_eq(slabs.slabs, 1);
	cr_assert_eq(heap_read_slabs(&h, FAKE_SHARED, &slabs), 0);
	cr_expect_eq(slabs.slabs, 0);
	heap_close(&h);
	target_close(&t);
	fake_stop(pid);
}
