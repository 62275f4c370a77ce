/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * observe.h - the root of what readers outside see (kmem/observe.h). Each layer
 * fills in the fields about itself, and keeps those up to date that change.
 */
#ifndef BASE_OBSERVE_H
#define BASE_OBSERVE_H

#include <kmem/observe.h>

#include "base/base.h"

extern KMEM_HIDDEN struct kmem_observe observe_root;

/* Fill in what is known at compile time and record the allocator's variables as black. */
void observe_init(void);

/* Record memory of the allocator itself: no root for a leak scan. */
void observe_black(const char *name, const void *start, const void *end);

/*
 * Requests from outside (struct kmem_control) go to the handler: 0 or -errno.
 * observe_poll() looks for one; call it where no lock is held and blocking is allowed.
 */
typedef int observe_handler(uint32_t cache_id, const char *attribute, int64_t value);
extern KMEM_HIDDEN struct kmem_control observe_control;
void observe_set_control(observe_handler *handler);
void observe_control_run(void);

extern KMEM_HIDDEN bool observe_errand_due;

static inline void observe_poll(void)
{
	if (unlikely(READ_ONCE(observe_control.request) != READ_ONCE(observe_control.done)) ||
	    unlikely(READ_ONCE(observe_errand_due)))
		observe_control_run();
}

/*
 * What a free may not do, because it makes no system call, the next allocation that
 * may block does: observe_call() sets the words that an observer sets to be noticed,
 * so that it comes to observe_poll(), and costs the others nothing. The errand calls
 * again when there is more to do. It is left when the allocation comes at once, within
 * some tenths of a millisecond: who goes on working reaches slow paths. One for the process.
 */
void observe_set_errand(void (*errand)(void));
void observe_call(void);

/* In the child: who was at it is gone. */
void observe_after_fork(void);

/* Say that everything is there. */
void observe_ready(void);

#endif
