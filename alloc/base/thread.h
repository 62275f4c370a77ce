/* SPDX-License-Identifier: BSD-2-Clause */
/* thread.h - the library's own threads: started when there is something for them to do. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <stdbool.h>

/*
 * Start a detached thread on `run`, with a small stack and all signals blocked: the
 * program's are not for it. Only the first call for `started` does; it is false
 * again when the system has no thread to give, so that a later call tries anew.
 * No lock held.
 */
void thread_start_once(bool *started, void *(*run)(void *));

#endif
