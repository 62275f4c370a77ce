/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * followed.h - one recorded process: the stream from it, its snapshots, and the
 * trace's numbers for its caches and stacks.
 *
 *	f = followed_new(pid, parent, stream, writer);
 *	followed_find(f, ...)      has it libkmem yet?
 *	followed_attach(f, ...)    its events come, but are left out
 *	followed_begin(f, ...)     it stands still: from here on they are recorded
 *	followed_end(f, ...)       it stands still: up to here
 *	followed_free(f);
 */
#ifndef KMEMTRACE_FOLLOWED_H
#define KMEMTRACE_FOLLOWED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/stream.h"
#include "common/target.h"
#include "kmemtrace/trace_write.h"

enum followed_state {
	FOLLOWED_WAITS,    /* no libkmem found in it yet */
	FOLLOWED_ATTACHED,
	FOLLOWED_RECORDS,
	FOLLOWED_DONE,
};

struct followed;

/* `key`: the trace's number for it, as trace_process.pid. */
struct followed *followed_new(pid_t pid, uint32_t key, uint32_t parent, struct stream *stream,
			      struct trace_writer *writer);
void followed_free(struct followed *f);

pid_t followed_pid(const struct followed *f);
uint32_t followed_key(const struct followed *f);
uint32_t followed_parent(const struct followed *f);
enum followed_state followed_state(const struct followed *f);

/*
 * Look for libkmem. Return 0: there, and so far that events can be recorded; -EAGAIN: not so far
 * yet; -ENOENT none; or as target_open(), with one line in err[len].
 */
int followed_find(struct followed *f, char *err, size_t len);

/* Return 0 or -errno with one line in err[len]. */
int followed_attach(struct followed *f, char *err, size_t len);

/*
 * Record from this moment on, and what lives. `exact`: no thread is inside of the allocator.
 * followed_write() puts what was found into the trace when it runs again. 0 or -errno with one line in err[len].
 */
int followed_begin(struct followed *f, bool exact, char *err, size_t len);

/*
 * No events after this moment; `handle` gets those up to it. `alive`: what lives is noted, too.
 * `gone`: the process ends, its probes are not needed any more.
 */
void followed_end(struct followed *f, stream_handler *handle, void *context, bool alive, bool exact, bool gone);

/* The events up to now of a process that stands still. */
void followed_sync(struct followed *f, stream_handler *handle, void *context);

/* The same, and what lives now, kept for the case that this is its end: it is about to exec. */
void followed_checkpoint(struct followed *f, stream_handler *handle, void *context);

/* Write what followed_begin() or followed_end() noted. Return 0 or -errno of the file. */
int followed_write(struct followed *f);

/* Events of this process. Those that are not to be recorded are left out. Return 0 or -errno of the file. */
int followed_put(struct followed *f, const struct kmem_batch *b, uint32_t nr);

/* Look again whether ids of caches have new owners; about once a second. */
void followed_refresh(struct followed *f);

/*
 * Is a thread with these instruction, stack and frame pointers in the code of libkmem, or in a function
 * that it called, as memset()?
 */
bool followed_is_busy(struct followed *f, uint64_t ip, uint64_t sp, uint64_t fp);

/* Ticks and CLOCK_MONOTONIC now. */
struct trace_clock followed_clock(void);

#endif
