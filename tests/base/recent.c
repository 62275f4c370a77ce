/* SPDX-License-Identifier: BSD-2-Clause */
/* Handles of stacks that repeat: whatever changes in between, and wherever, they are what a walk gives. */
#include "support.h"

#include <pthread.h>
#include <signal.h>
#include <sys/time.h>

#include "base/depot.h"
#include "base/recent.h"
#include "base/stack.h"
#include "entry/init.h"

#pragma GCC optimize("no-omit-frame-pointer", "no-optimize-sibling-calls")

static bool is_stack(uint32_t handle, const uint64_t *frame, unsigned int nr)
{
	const struct kmem_depot_record *record = depot_stack(handle);

	return record && record->nr == nr && !memcmp(record->frame, frame, nr * sizeof(*frame));
}

/* As the functions that record: called, or jumped to, by the one that returns to the call site. */
static noinline bool check(const void *call_site)
{
	uint64_t frame[RECENT_FRAMES];
	uint32_t handle = recent_stack(call_site, __builtin_frame_address(0));

	return is_stack(handle, frame, stack_capture(call_site, frame, RECENT_FRAMES));
}

static noinline bool allocate(void)
{
	bool right = check(__builtin_return_address(0));

	__asm__ volatile("" ::: "memory");
	return right;
}

/* Not known to the compiler: the calls stay two. */
static volatile int nothing;

/* All paths of that many bits, of which each chooses one of two callers at the same depth. */
static noinline bool path(unsigned int bits, unsigned int left)
{
	bool right;

	if (!left)
		right = allocate();
	else if (bits & 1)
		right = path(bits >> 1, left - 1);
	else
		right = !!path(bits >> 1, left - 1) + nothing;
	__asm__ volatile("" ::: "memory");
	return right;
}

static unsigned int wrong_paths(unsigned int depth, unsigned int rounds)
{
	unsigned int i, wrong = 0, random = 88172645;

	for (i = 0; i < rounds; i++) {
		random ^= random << 13;
		random ^= random >> 17;
		random ^= random << 5;
		wrong += !path(random >> 7, depth);
	}
	return wrong;
}

Test(recent, every_frame_counts)
{
	unsigned int depth;

	kmem_init();
	for (depth = 0; depth < 12; depth++)
		cr_expect_eq(wrong_paths(depth, 5000), 0, "depth %u", depth);
}

static noinline uint32_t handle_here(void)
{
	return recent_stack(__builtin_return_address(0), __builtin_frame_address(0));
}

Test(recent, the_same_call_has_the_same_handle)
{
	uint32_t handle = 0;
	unsigned int i;

	kmem_init();
	for (i = 0; i < 10; i++) {
		uint32_t now = handle_here();

		cr_expect(now && (!i || now == handle), "%u: %u after %u", i, now, handle);
		handle = now;
	}
}

Test(recent, an_unknown_call_site_stands_alone)
{
	const uint64_t site = 0x1234;

	kmem_init();
	cr_expect(is_stack(recent_stack((void *)0x1234, __builtin_frame_address(0)), &site, 1));
	cr_expect(is_stack(recent_stack((void *)0x1234, __builtin_frame_address(0)), &site, 1));
}

static void *work(void *wrong)
{
	*(unsigned int *)wrong = wrong_paths(9, 100000);
	return NULL;
}

/* Threads meet in the table, and a thread's stack is that of one that has ended. */
Test(recent, threads)
{
	unsigned int wrong[4], round, i;
	pthread_t thread[4];

	kmem_init();
	for (round = 0; round < 3; round++) {
		for (i = 0; i < 4; i++)
			pthread_create(&thread[i], NULL, work, &wrong[i]);
		for (i = 0; i < 4; i++) {
			pthread_join(thread[i], NULL);
			cr_expect_eq(wrong[i], 0);
		}
	}
}

static volatile unsigned int wrong_in_handler, handled;

static void in_handler(int signo)
{
	(void)signo;
	wrong_in_handler += wrong_paths(4, 20);
	handled++;
}

Test(recent, signal_handlers)
{
	struct itimerval often = { { 0, 100 }, { 0, 100 } }, never = { { 0, 0 }, { 0, 0 } };
	unsigned int wrong = 0;

	kmem_init();
	signal(SIGALRM, in_handler);
	setitimer(ITIMER_REAL, &often, NULL);
	while (handled < 50)
		wrong += wrong_paths(9, 10000);
	setitimer(ITIMER_REAL, &never, NULL);
	cr_expect_eq(wrong, 0);
	cr_expect_eq(wrong_in_handler, 0);
}

/* rbp as in code without frame pointers: neither a fault nor what is not there. */
static noinline bool with_register(uintptr_t rbp)
{
	bool right;

	__asm__ volatile("subq $128, %%rsp\n\t" /* the red zone */
			 "pushq %%rbp\n\t"
			 "movq %%rsp, %%rbx\n\t"
			 "andq $-16, %%rsp\n\t"
			 "movq %[rbp], %%rbp\n\t"
			 "call *%[call]\n\t"
			 "movq %%rbx, %%rsp\n\t"
			 "popq %%rbp\n\t"
			 "subq $-128, %%rsp\n\t"
			 : "=a"(right)
			 : [rbp] "r"(rbp), [call] "r"(allocate)
			 : "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc");
	return right;
}

Test(recent, any_value_in_the_register)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	uintptr_t value[] = { 0, 1, 24, here, here + 1, here + 8, here + 64, here + 4096, here + 200000, here + (8u << 20),
			      (uintptr_t)-16, (uintptr_t)value, (uintptr_t)"text" };
	size_t i, round;

	kmem_init();
	for (round = 0; round < 3; round++)
		for (i = 0; i < sizeof(value) / sizeof(value[0]); i++)
			cr_expect(with_register(value[i]), "%zx", (size_t)value[i]);
}
