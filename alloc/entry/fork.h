/* SPDX-License-Identifier: BSD-2-Clause */
/* fork.h - keeping the allocator usable in the child of a multi-threaded process. */
#ifndef ENTRY_FORK_H
#define ENTRY_FORK_H

/* Register the handlers. Call once, from the constructor: it may allocate. */
void fork_init(void);

#endif
