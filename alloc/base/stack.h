/* SPDX-License-Identifier: BSD-2-Clause */
/* stack.h - the call stack of the running thread, by frame pointers. */
#ifndef BASE_STACK_H
#define BASE_STACK_H

#include <stdint.h>

#define STACK_FRAMES 16

/*
 * Return addresses from the call at `call_site` outwards into frame[max]; only
 * call_site when the chain does not lead there. Code without frame pointers
 * ends the chain early, and never makes this function fault. Return: how many, at least 1.
 */
unsigned int stack_capture(const void *call_site, uint64_t *frame, unsigned int max);

/* The same for code that was interrupted at pc with that value in the frame pointer. */
unsigned int stack_capture_at(uintptr_t pc, uintptr_t frame_pointer, uint64_t *frame, unsigned int max);

#endif
