/* SPDX-License-Identifier: BSD-2-Clause */
/* Fault injection: the kernel's attributes in the kernel's order. */
#include "support.h"

#include <errno.h>
#include <pthread.h>

#include "base/fault.h"
#include "base/trace.h"

#pragma GCC optimize("no-omit-frame-pointer", "no-optimize-sibling-calls")

#define HERE __builtin_return_address(0)

static struct fault_attr defaults(enum kmem_fault which)
{
	struct fault_attr a;

	cr_assert_eq(kmem_fault_get(which, &a), 0);
	return a;
}

/* failslab that always fails, silently, GFP_KERNEL too; for the tests to change. */
static struct fault_attr always(void)
{
	struct fault_attr a = defaults(KMEM_FAILSLAB);

	a.probability = 100;
	a.times = -1;
	a.verbose = 0;
	a.ignore_gfp_wait = false;
	return a;
}

static void set(struct fault_attr a)
{
	cr_assert_eq(kmem_fault_set(KMEM_FAILSLAB, &a), 0);
}

/* Failures among n allocations of 64 bytes. */
static unsigned int failures(unsigned int n)
{
	unsigned int failed = 0;

	while (n--)
		failed += fault_slab(GFP_KERNEL, 64, false, HERE);
	return failed;
}

Test(fault, defaults_are_the_kernels)
{
	struct fault_attr a = defaults(KMEM_FAILSLAB), p = defaults(KMEM_FAIL_PAGE_ALLOC);

	cr_expect_eq(a.probability, 0);
	cr_expect_eq(a.interval, 1);
	cr_expect_eq(a.times, 1);
	cr_expect_eq(a.space, 0);
	cr_expect_eq(a.verbose, 2);
	cr_expect_eq(a.stacktrace_depth, 32);
	cr_expect(a.ignore_gfp_wait && !a.cache_filter && !a.task_filter);
	cr_expect_eq(p.min_order, 1);
	cr_expect(p.ignore_gfp_wait);
	cr_expect_eq(failures(100), 0);
	cr_expect_not(trace_on(TRACE_KMALLOC));
}

Test(fault, probability)
{
	struct fault_attr a = always();
	unsigned int n;

	set(a);
	cr_expect(trace_on(TRACE_KMALLOC), "calls are watched");
	cr_expect_eq(failures(100), 100);
	a.probability = 20;
	set(a);
	n = failures(10000);
	cr_expect(n > 1600 && n < 2400, "%u of 10000", n);
	a.probability = 0;
	set(a);
	cr_expect_eq(failures(100), 0);
	cr_expect_not(trace_on(TRACE_KMALLOC));
}

Test(fault, interval_times_and_space)
{
	struct fault_attr a = always();

	a.interval = 10;
	set(a);
	cr_expect_eq(failures(100), 10);
	a.interval = 1;
	a.times = 3;
	set(a);
	cr_expect_eq(failures(100), 3);
	cr_expect_eq(defaults(KMEM_FAILSLAB).times, 0);
	a.times = -1;
	a.space = 64 * 10;
	set(a);
	cr_expect_eq(failures(100), 91, "the tenth would use it up");
}

Test(fault, the_interval_counts_what_passed_the_space)
{
	struct fault_attr a = always();

	a.space = 64 * 10;
	a.interval = 2;
	set(a);
	cr_expect_eq(failures(9), 0);
	cr_expect_eq(failures(1), 0);
	cr_expect_eq(failures(1), 1);
}

Test(fault, gfp_flags_spare)
{
	struct fault_attr a = always();

	set(a);
	cr_expect_not(fault_slab(GFP_KERNEL | __GFP_NOFAIL, 64, false, HERE));
	a.ignore_gfp_wait = true;
	set(a);
	cr_expect_not(fault_slab(GFP_KERNEL, 64, false, HERE));
	cr_expect(fault_slab(GFP_ATOMIC, 64, false, HERE));
	a.cache_filter = true;
	set(a);
	cr_expect_not(fault_slab(GFP_ATOMIC, 64, false, HERE));
	cr_expect(fault_slab(GFP_ATOMIC, 64, true, HERE));
}

Test(fault, pages_have_a_smallest_order)
{
	struct fault_attr a = always();

	cr_assert_eq(kmem_fault_set(KMEM_FAIL_PAGE_ALLOC, &a), 0);
	cr_expect(fault_pages(GFP_KERNEL, 0, HERE));
	a.min_order = 3;
	kmem_fault_set(KMEM_FAIL_PAGE_ALLOC, &a);
	cr_expect_not(fault_pages(GFP_KERNEL, 2, HERE));
	cr_expect(fault_pages(GFP_KERNEL, 3, HERE));
	cr_expect_not(fault_slab(GFP_ATOMIC, 64, false, HERE), "the other one is off");
}

static void *failures_of_thread(void *arg)
{
	(void)arg;
	return (void *)(uintptr_t)failures(10);
}

Test(fault, only_chosen_threads)
{
	struct fault_attr a = always();
	pthread_t thread;
	void *other;

	a.task_filter = true;
	set(a);
	cr_expect_eq(failures(10), 0);
	kmem_make_it_fail(true);
	cr_expect_eq(failures(10), 10);
	pthread_create(&thread, NULL, failures_of_thread, NULL);
	pthread_join(thread, &other);
	cr_expect_eq((uintptr_t)other, 0);
	kmem_make_it_fail(false);
	cr_expect_eq(failures(10), 0);
}

static noinline bool asks(void)
{
	bool failed = fault_slab(GFP_KERNEL, 64, false, HERE);

	__asm__ volatile("" ::: "memory");
	return failed;
}

Test(fault, stacks_may_be_required_or_rejected)
{
	struct fault_attr a = always();
	const uintptr_t here = (uintptr_t)fault_stacks_may_be_required_or_rejected_impl;

	a.require_start = here;
	a.require_end = here + 2000;
	set(a);
	cr_expect(asks());
	a.require_start = a.require_end - 1;
	set(a);
	cr_expect_not(asks());
	a.require_start = 0;
	a.require_end = UINTPTR_MAX;
	a.reject_start = here;
	a.reject_end = here + 2000;
	set(a);
	cr_expect_not(asks());
	a.stacktrace_depth = 0;
	set(a);
	cr_expect(asks(), "no look at the stack");
}

Test(fault, fail_nth_of_a_thread_comes_first)
{
	struct fault_attr a = defaults(KMEM_FAILSLAB);

	a.ignore_gfp_wait = false;
	a.verbose = 0;
	set(a);
	kmem_fail_nth_set(3);
	cr_expect(trace_on(TRACE_KMALLOC));
	cr_expect_eq(failures(2), 0);
	cr_expect_eq(kmem_fail_nth_get(), 1);
	cr_expect_not(fault_slab(GFP_KERNEL | __GFP_NOFAIL, 64, false, HERE), "never");
	cr_expect_eq(failures(1), 1);
	cr_expect_eq(kmem_fail_nth_get(), 0);
	cr_expect_not(trace_on(TRACE_KMALLOC));
	cr_expect_eq(failures(10), 0);
	kmem_fail_nth_set(5);
	kmem_fail_nth_set(0);
	cr_expect_not(trace_on(TRACE_KMALLOC));
	a = always();
	set(a);
	kmem_fail_nth_set(10);
	cr_expect_eq(failures(9), 0, "overrides the rest");
}

Test(fault, bad_attributes_are_refused)
{
	struct fault_attr a = always();

	cr_expect_eq(kmem_fault_get(KMEM_NR_FAULTS, &a), -EINVAL);
	a.probability = 101;
	cr_expect_eq(kmem_fault_set(KMEM_FAILSLAB, &a), -EINVAL);
	a = always();
	a.times = -2;
	cr_expect_eq(kmem_fault_set(KMEM_FAILSLAB, &a), -EINVAL);
	cr_expect_eq(failures(10), 0);
}

Test(fault, the_environment)
{
	struct fault_attr a;

	setenv("KMEM_FAILSLAB", "7,30,4096,-1,ignore-gfp-wait=n,cache-filter=y,verbose=1", 1);
	setenv("KMEM_FAIL_PAGE_ALLOC", "1,100,0,5,min-order=0", 1);
	setenv("KMEM_FAIL_MEMPOOL_ALLOC", "3,100,0,6", 1);
	setenv("KMEM_FAIL_MP_ALLOC", "1,25,100,-1,verbose=0", 1);
	fault_setup(getenv);
	a = defaults(KMEM_FAILSLAB);
	cr_expect_eq(a.interval, 7);
	cr_expect_eq(a.probability, 30);
	cr_expect_eq(a.space, 4096);
	cr_expect_eq(a.times, -1);
	cr_expect(!a.ignore_gfp_wait && a.cache_filter);
	cr_expect_eq(a.verbose, 1);
	a = defaults(KMEM_FAIL_PAGE_ALLOC);
	cr_expect_eq(a.times, 5);
	cr_expect_eq(a.min_order, 0);
	a = defaults(KMEM_FAIL_MEMPOOL_ALLOC);
	cr_expect_eq(a.interval, 3);
	cr_expect_eq(a.times, 6);
	a = defaults(KMEM_FAIL_MP_ALLOC);
	cr_expect_eq(a.probability, 25);
	cr_expect_eq(a.space, 100);
}

Test(fault, mistakes_in_the_environment_are_one_line)
{
	static const char *const bad[] = { "", "1", "1,2,3", "1,2,3,4,", "1,2,3,4,x=1", "1,101,0,1", "a,b,c,d", "1,2,3,99999999999",
					   "1,2,3,4,verbose=", "-1,2,3,4", "1,2,-3,4" };
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *said;

		capture_start();
		setenv("KMEM_FAILSLAB", bad[i], 1);
		fault_setup(getenv);
		said = capture_end();
		cr_expect(!strncmp(said, "kmem: KMEM_FAILSLAB: cannot read \"", 34), "%s: %s", bad[i], said);
		cr_expect_eq(strchr(said, '\n'), said + strlen(said) - 1);
	}
	capture_start();
	unsetenv("KMEM_FAILSLAB");
	setenv("KMEM_FAIL_NTH", "0", 1);
	fault_setup(getenv);
	cr_expect(strstr(capture_end(), "KMEM_FAIL_NTH: cannot read \"0\""));
	cr_expect_eq(failures(10), 0);
}

Test(fault, fail_nth_of_the_process_tells_where)
{
	int fd[2];
	char text[4096] = "";

	cr_assert_eq(pipe(fd), 0);
	char number[32];

	snprintf(number, sizeof(number), "3:%d", fd[1]);
	setenv("KMEM_FAIL_NTH", number, 1);
	fault_setup(getenv);
	cr_expect_eq(failures(1), 0);
	cr_expect_not(fault_pages(GFP_KERNEL, 1, HERE), "a slab's pages do not count");
	cr_expect_not(fault_object(GFP_KERNEL, HERE));
	cr_expect_eq(failures(5), 1, "in spite of ignore_gfp_wait");
	cr_expect_gt(read(fd[0], text, sizeof(text) - 1), 0);
	cr_expect(!strncmp(text, "kmem: FAULT_INJECTION: fail-nth\nkmem:  ", 38), "%s", text);
	cr_expect_not(trace_on(TRACE_KMALLOC));
}

Test(fault, a_failure_is_told)
{
	struct fault_attr a = always();
	const char *said;

	a.verbose = 2;
	set(a);
	capture_start();
	failures(1);
	said = capture_end();
	cr_expect(!strncmp(said, "kmem: FAULT_INJECTION: forcing a failure. name failslab, interval 1, probability 100, "
				 "space 0, times -1\nkmem:  ", 100), "%s", said);
	capture_start();
	cr_expect(fault_slab(GFP_KERNEL | __GFP_NOWARN, 64, false, HERE));
	cr_expect_str_empty(capture_end());
}
