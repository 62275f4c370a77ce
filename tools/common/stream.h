/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream.h - the complete event stream of processes that carry libkmem: every
 * allocation and free of objects and pages, in batches (kmem/observe_batch.h).
 *
 *	struct stream *s;
 *
 *	if (stream_open(&s, NULL, err, sizeof(err)) ||
 *	    stream_attach(s, &target, &target.roots[0], err, sizeof(err)))
 *		die("%s", err);
 *	while (!done) {
 *		stream_poll(s, handle, context);
 *		usleep(1000);
 *	}
 *	stream_detach(s, handle, context);
 *	stream_close(s);
 *
 * From the return of stream_attach() to the call of stream_detach() each event
 * is handed to `handle` once, or counted in the totals. Not thread safe. Needs
 * CAP_BPF and CAP_PERFMON (or root), and the right to read the process's memory.
 */
#ifndef COMMON_STREAM_H
#define COMMON_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <kmem/observe_batch.h>

#include "common/target.h"

struct stream;

struct stream_options {
	uint32_t mode;       /* enum kmem_batch_mode */
	uint32_t ring_bytes; /* what may wait to be read, a power of two; 0: 64 MiB */
};

/* What became of the records, over all processes. */
struct stream_totals {
	uint64_t delivered;  /* handed over */
	uint64_t lost;       /* the reader was too slow: no room in the ring */
	uint64_t unreadable; /* a buffer could not be read */
	uint64_t no_buffer;  /* the process had no buffer to put it in; since the processes began */
	uint64_t tails_lost; /* buffers that were not full, of processes that ended without exit() */
};

/*
 * nr records, in the order of one CPU (b->cpu). b is valid during the call;
 * b->record[] begins with the first new one, b->count is nr.
 */
typedef void stream_handler(void *context, pid_t pid, const struct kmem_batch *b, uint32_t nr);

/* Loads nothing yet. `options` may be NULL. Return: 0 or -errno with a line in err, as all of these. */
int stream_open(struct stream **stream, const struct stream_options *options, char *err, size_t len);

/*
 * Begin with the events of a process. Atomic: up to one moment no event is
 * recorded, from then on each. `t` must stay open until stream_detach().
 * -EPROTO: a libkmem without the batch probe; else as collect_attach_library().
 */
int stream_attach(struct stream *stream, struct target *t, const struct target_root *root, char *err, size_t len);

/* Hand over what is there. Return: number of buffers. */
size_t stream_poll(struct stream *stream, stream_handler *handle, void *context);

/*
 * Hand over everything up to now of a process that stands still, buffers that are
 * not full included. What happens afterwards is handed over as ever.
 */
void stream_sync(struct stream *stream, pid_t pid, stream_handler *handle, void *context);

/*
 * No more of one process, which is about to end, or has ended: its probes are taken
 * back in the background. Its target may be closed, and another process attached.
 * `synced`: nothing has happened in it since the last stream_sync().
 */
void stream_forget(struct stream *stream, pid_t pid, bool synced, stream_handler *handle, void *context);

/* End, and hand over the rest, buffers that are not full included. Takes about a second. */
void stream_detach(struct stream *stream, stream_handler *handle, void *context);

int stream_read_totals(struct stream *stream, struct stream_totals *totals, char *err, size_t len);

/* NULL is fine. */
void stream_close(struct stream *stream);

#endif
