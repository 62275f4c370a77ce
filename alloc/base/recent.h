/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recent.h - stacks by handle, at a fraction of the cost of a walk and a look into the depot for
 * those that repeat: of these every frame is compared with what it was, and that is all.
 */
#ifndef BASE_RECENT_H
#define BASE_RECENT_H

#include <stdint.h>

#define RECENT_FRAMES 8

/* Reserve the table. 0 or -ENOMEM. */
int recent_init(void);

/*
 * Handle of the call's stack in the depot, of at most RECENT_FRAMES addresses: what depot_save() of
 * stack_capture() gives. frame_address: __builtin_frame_address(0) of the caller, which was called
 * (or jumped to) by the function that returns to call_site, or by one that this one called.
 */
uint32_t recent_stack(const void *call_site, const void *frame_address);

#endif
