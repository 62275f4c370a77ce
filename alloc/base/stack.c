/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stack.c - walking frame pointers. Code without them leaves any value in the
 * register, so nothing is believed: a frame lies above the one before and not far
 * from it, and every page between has been found readable.
 */
#include "base/stack.h"

#include "base/base.h"
#include "base/os.h"

#define PAGE      ((uintptr_t)4096)
#define MAX_FRAME ((uintptr_t)256 << 10) /* bytes of one function's frame */
#define MAX_WALK  64                     /* frames of this library in front of call_site, and the program's */

/* What a wrong frame pointer leads to may be anything that can be read: a variable's red zone, too. */
#define UNCHECKED __attribute__((no_sanitize("address")))

struct frame {
	const struct frame *up;
	const void *return_address;
};

/* The part of the stack that was readable when it was last looked at. A thread's stack does not shrink. */
static __thread struct {
	uintptr_t start, end;
} known;

/* Whether all bytes from the start of the known part to `end` can be read. */
static bool extend_to(uintptr_t end)
{
	while (known.end < end) {
		if (!os_readable((const void *)known.end))
			return false;
		known.end += PAGE;
	}
	return true;
}

static UNCHECKED const struct frame *next_frame(const struct frame *frame)
{
	uintptr_t at = (uintptr_t)frame, up = (uintptr_t)frame->up;

	if (up <= at || up - at > MAX_FRAME || up % sizeof(void *))
		return NULL;
	return extend_to(up + sizeof(*frame)) ? frame->up : NULL;
}

/* Look at the stack anew when the running code is not within what is known of it. */
static void know(uintptr_t at)
{
	if (at >= known.start && at + sizeof(struct frame) <= known.end)
		return;
	known.start = ALIGN_DOWN(at, PAGE);
	known.end = ALIGN_UP(at + sizeof(struct frame), PAGE);
}

noinline UNCHECKED unsigned int stack_capture(const void *call_site, uint64_t *frames, unsigned int max)
{
	const struct frame *frame = __builtin_frame_address(0);
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

UNCHECKED unsigned int stack_capture_at(uintptr_t pc, uintptr_t frame_pointer, uint64_t *frames, unsigned int max)
{
	const struct frame *frame = (const struct frame *)frame_pointer;
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
