/* SPDX-License-Identifier: BSD-2-Clause */
/* stack.h - the call stack of the running thread, by frame pointers. */
#ifndef BASE_STACK_H
#define BASE_STACK_H

#include "base/base.h"

#define STACK_FRAMES 16

#define STACK_MAX_FRAME ((uintptr_t)256 << 10) /* bytes of one function's frame */

/* What a wrong frame pointer leads to may be anything that can be read: a variable's red zone, too. */
#define STACK_UNCHECKED __attribute__((no_sanitize("address")))

struct stack_frame {
	const struct stack_frame *up;
	const void *return_address;
};

/*
 * The part of the thread's stack that was readable when it was last looked at: from `start` to behind
 * the frame at `last`. A thread's stack does not shrink.
 */
extern KMEM_HIDDEN __thread struct stack_known {
	uintptr_t start, last;
} stack_known;

/*
 * Where the frame above says it is; 0 when that is not to be believed: not above, too far, or not
 * aligned. Rotated, a distance that is negative or no multiple of 8 is too large as well.
 */
static STACK_UNCHECKED force_inline uintptr_t stack_above(const struct stack_frame *frame)
{
	uintptr_t up = (uintptr_t)frame->up, distance = up - (uintptr_t)frame;

	return (distance >> 3 | distance << 61) - 1 < STACK_MAX_FRAME / sizeof(void *) ? up : 0;
}

/*
 * Return addresses from the call at `call_site` outwards into frame[max]; only
 * call_site when the chain does not lead there. Code without frame pointers
 * ends the chain early, and never makes this function fault. Return: how many, at least 1.
 */
unsigned int stack_capture(const void *call_site, uint64_t *frame, unsigned int max);

/* The same for code that was interrupted at pc with that value in the frame pointer. */
unsigned int stack_capture_at(uintptr_t pc, uintptr_t frame_pointer, uint64_t *frame, unsigned int max);

#endif
