/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace_write.h - writing a trace file.
 *
 *	trace_create(&w, path, &options, err, sizeof(err));
 *	trace_put_process(), trace_add_module(), trace_add_cache() ...   when they are met
 *	trace_put_batch(w, pid, b, nr, name, context);    events
 *	trace_flush(w);                                   about once a second
 *	trace_finish(w, &totals);                         the recorder's last word
 *	trace_end(w);
 *
 * What is in the file after a flush stays readable, whatever becomes of the
 * writer. Errors of writing stay and are reported by each call from then on.
 */
#ifndef KMEMTRACE_TRACE_WRITE_H
#define KMEMTRACE_TRACE_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <kmem/observe_batch.h>

#include "kmemtrace/pack.h"
#include "kmemtrace/trace_file.h"

struct trace_writer;

struct trace_writer_options {
	enum trace_source source;
	const char *command;  /* of the recorder */
	const char *machine;
	uint32_t nr_cpus;
	uint64_t ticks_hz;    /* about */
	bool timed, stacks;
	bool force;           /* replace an existing file */
};

/* As in struct trace_info. */
struct trace_totals {
	uint64_t lost, unreadable, no_buffer, tails_lost;
};

/* Ticks of the stamps and CLOCK_MONOTONIC, of one moment. */
struct trace_clock {
	uint64_t ticks, ns;
};

/* Return 0 or -errno with one line in err[len]. */
int trace_create(struct trace_writer **writer, const char *path, const struct trace_writer_options *options, char *err,
		 size_t len);

/* The first call gives the moment that time counts from; each flush should bring another. `lost` so far. */
int trace_put_clock(struct trace_writer *w, struct trace_clock now, uint64_t lost);

/*
 * Times are those of the clock. Written at once; again with the same pid replaces what was said before.
 * One that has ended (end_ns) has no more events.
 */
int trace_put_process(struct trace_writer *w, const struct trace_process *process);

/* Their numbers, to be named by events. Written before the next events. `pid`, `kind` and so on as in trace_file.h. */
uint32_t trace_add_cache(struct trace_writer *w, const struct trace_cache *cache);
uint32_t trace_add_stack(struct trace_writer *w, uint32_t pid, const uint64_t *address, uint32_t nr);
void trace_add_module(struct trace_writer *w, const struct trace_module *module);

/* The function of a kernel address, and how far into it that is. */
void trace_add_symbol(struct trace_writer *w, uint64_t address, const char *function, uint64_t offset);

/* Append events of the library; `name` is called for kinds of events that are new, and may call trace_add_*(). */
int trace_put_batch(struct trace_writer *w, uint32_t pid, const struct kmem_batch *b, uint32_t nr, pack_namer *name,
		    void *context);

/* The same of another source, one by one, of one CPU in the order of time. */
int trace_put_event(struct trace_writer *w, uint32_t cpu, const struct pack_event *e, pack_namer *name, void *context);

/* Objects and blocks of one process. The arrays may be empty, which says that there were none. */
int trace_put_snapshot(struct trace_writer *w, enum trace_moment moment, uint32_t pid, uint64_t ticks, bool exact,
		       const struct trace_object *objects, size_t nr_objects, const struct trace_block *blocks,
		       size_t nr_blocks);

/* Put what waits into the file. `hurry`: the source is ahead, leave out compression for now. */
int trace_flush(struct trace_writer *w);
void trace_hurry(struct trace_writer *w, bool hurry);

/* So far. */
uint64_t trace_written_events(const struct trace_writer *w);
uint64_t trace_written_bytes(const struct trace_writer *w);

/* 0, or -errno of the first write that failed. */
int trace_write_error(const struct trace_writer *w);

/* Say that the recording is whole. */
int trace_finish(struct trace_writer *w, const struct trace_totals *totals);

/* Nothing came of it: remove the file. trace_end() is still to be called. */
void trace_discard(struct trace_writer *w);

/* Close the file and free everything. NULL is fine. Return 0 or -errno. */
int trace_end(struct trace_writer *w);

#endif
