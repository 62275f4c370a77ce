/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stack.c - walking frame pointers. Code without them leaves any value in the
 * register, so nothing is believed: a frame lies above the one before and not far
 * from it, and every page between has been found readable.
 */
#include "base/stack.h"

#include "base/base.h"
#include "base/os.h"

#define PAGE     ((uintptr_t)4096)
#define MAX_WALK 64 /* frames of this library in front of call_site, and the program's */

__thread struct stack_known stack_known;

/* Whether all bytes of the frame at `at`, above the known part, can be read. */
static bool extend_to(uintptr_t at)
{
	while (stack_known.last < at) {
		if (!os_readable((const void *)(stack_known.last + sizeof(struct stack_frame))))
			return false;
		stack_known.last += PAGE;
	}
	return true;
}

static STACK_UNCHECKED const struct stack_frame *next_frame(const struct stack_frame *frame)
{
	uintptr_t up = stack_above(frame);

	return up && extend_to(up) ? (const struct stack_frame *)up : NULL;
}

/* Look at the stack anew when the running code is not within what is known of it. */
static void know(uintptr_t at)
{
	if (at >= stack_known.start && at <= stack_known.last)
		return;
	stack_known.start = ALIGN_DOWN(at, PAGE);
	stack_known.last = ALIGN_UP(at + sizeof(struct stack_frame), PAGE) - sizeof(struct stack_frame);
}

noinline STACK_UNCHECKED unsigned int stack_capture(const void *call_site, uint64_t *frames, unsigned int max)
{
	const struct stack_frame *frame = __builtin_frame_address(0);
	unsigned int nr = 0, steps;

	know((uintptr_t)frame);
	for (steps = 0; frame && nr < max && steps < MAX_WALK; steps++) {
		if ((nr || frame->return_address == call_site) && frame->return_address)
			frames[nr++] = (uintptr_t)frame->return_address;
		frame = next_frame(frame);
	}
	if (!nr)
		frames[nr++] = (uintptr_t)call_site;
	return nr;
}

STACK_UNCHECKED unsigned int stack_capture_at(uintptr_t pc, uintptr_t frame_pointer, uint64_t *frames, unsigned int max)
{
	const struct stack_frame *frame = (const struct stack_frame *)frame_pointer;
	unsigned int nr = 0;

	frames[nr++] = pc;
	/* Nothing is known of that stack: it may be another than the handler's. */
	if (frame_pointer % sizeof(void *) || !os_readable(frame) || !os_readable((const uint8_t *)(frame + 1) - 1))
		return nr;
	know(frame_pointer);
	for (; frame && nr < max && frame->return_address; frame = next_frame(frame))
		frames[nr++] = (uintptr_t)frame->return_address;
	return nr;
}
