/* SPDX-License-Identifier: BSD-2-Clause */
/* background.h - KMEM_OPTIONS=background=on: a thread that gives memory back when the program does not call. */
#ifndef ENTRY_BACKGROUND_H
#define ENTRY_BACKGROUND_H

#include <stdbool.h>

/*
 * Start the thread when memory has moved for the first time, as the purge policy
 * decay says; `on` false: never. From the constructor: not before threads may be made.
 */
void background_init(bool on, unsigned int decay_ms);

/* Around fork(), before all other locks. The child starts a thread of its own when it needs one. */
void background_lock_for_fork(void);
void background_unlock_after_fork(bool child);

#endif
