/* SPDX-License-Identifier: BSD-2-Clause */
/* Stacks by frame pointers: the callers in order, and no fault whatever the register holds. */
#include "support.h"

#include <pthread.h>

#include "base/stack.h"

#pragma GCC optimize("no-omit-frame-pointer", "no-optimize-sibling-calls")

static noinline unsigned int third(uint64_t *frame)
{
	unsigned int nr = stack_capture(__builtin_return_address(0), frame, STACK_FRAMES);

	__asm__ volatile("" ::: "memory");
	return nr;
}

static noinline unsigned int second(uint64_t *frame, const void **site)
{
	unsigned int nr = third(frame);

	*site = __builtin_return_address(0);
	return nr;
}

Test(stack, callers_from_the_call_site_on)
{
	uint64_t frame[STACK_FRAMES];
	const void *site;
	unsigned int nr = second(frame, &site);

	cr_assert_gt(nr, 1);
	cr_expect(frame[0] - (uintptr_t)second < 128, "into second()");
	cr_expect_eq(frame[1], (uintptr_t)site);
}

Test(stack, an_unknown_call_site_stands_alone)
{
	uint64_t frame[STACK_FRAMES];

	cr_expect_eq(stack_capture((void *)0x1234, frame, STACK_FRAMES), 1);
	cr_expect_eq(frame[0], 0x1234);
}

Test(stack, no_more_than_asked_for)
{
	uint64_t frame[2] = { 0, 77 };

	cr_expect_eq(stack_capture(__builtin_return_address(0), frame, 1), 1);
	cr_expect_eq(frame[1], 77);
}

/* Call third() with rbp as it may be in code without frame pointers. */
static noinline unsigned int with_register(uintptr_t rbp, uint64_t *frame)
{
	unsigned int nr;

	__asm__ volatile("subq $128, %%rsp\n\t" /* the red zone */
			 "pushq %%rbp\n\t"
			 "movq %%rsp, %%rbx\n\t"
			 "andq $-16, %%rsp\n\t"
			 "movq %[rbp], %%rbp\n\t"
			 "call *%[third]\n\t"
			 "movq %%rbx, %%rsp\n\t"
			 "popq %%rbp\n\t"
			 "subq $-128, %%rsp\n\t"
			 : "=a"(nr), "+D"(frame)
			 : [rbp] "r"(rbp), [third] "r"(third)
			 : "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory", "cc");
	return nr;
}

Test(stack, garbage_in_the_frame_pointer_is_no_fault)
{
	static const intptr_t off[] = { -8, 0, 8, 64, 4096, 65536, 200000, 1 << 20, INT32_MAX };
	uint64_t frame[STACK_FRAMES];
	unsigned int i;

	for (i = 0; i < sizeof(off) / sizeof(off[0]); i++) {
		cr_expect_geq(with_register((uintptr_t)__builtin_frame_address(0) + (uintptr_t)off[i], frame), 1);
		cr_expect_geq(with_register((uintptr_t)off[i], frame), 1);
	}
}

static void *on_small_stack(void *arg)
{
	uint64_t frame[STACK_FRAMES];
	uintptr_t top = (uintptr_t)arg, at;

	/* Frames that claim to lie at the end of the stack and in the guard page behind it. */
	for (at = top - 64; at < top + 4096; at += 8)
		with_register(at, frame);
	return NULL;
}

Test(stack, the_end_of_the_stack_is_not_crossed)
{
	char *memory = mmap(NULL, 4096 * 66, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_attr_t attr;
	pthread_t thread;

	cr_assert_eq(mprotect(memory + 4096 * 64, 4096, PROT_NONE), 0);
	pthread_attr_init(&attr);
	cr_assert_eq(pthread_attr_setstack(&attr, memory, 4096 * 64), 0);
	cr_assert_eq(pthread_create(&thread, &attr, on_small_stack, memory + 4096 * 64), 0);
	pthread_join(thread, NULL);
}

Test(stack, an_interrupted_place_and_its_callers)
{
	uint64_t frame[STACK_FRAMES];

	cr_expect_geq(stack_capture_at(0x1234, (uintptr_t)__builtin_frame_address(0), frame, STACK_FRAMES), 2);
	cr_expect_eq(frame[0], 0x1234);
	cr_expect_eq(frame[1], (uintptr_t)__builtin_return_address(0));
	cr_expect_eq(stack_capture_at(0x1234, 24, frame, STACK_FRAMES), 1, "no stack there");
	cr_expect_eq(stack_capture_at(0x1234, 3, frame, STACK_FRAMES), 1);
}
