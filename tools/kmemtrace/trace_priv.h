/* SPDX-License-Identifier: BSD-2-Clause */
/* trace_priv.h - an open trace, for the files that read it: trace_read.c, trace_order.c, trace_symbols.c. */
#ifndef KMEMTRACE_TRACE_PRIV_H
#define KMEMTRACE_TRACE_PRIV_H

#include <jansson.h>

#include "kmemtrace/chunk.h"
#include "kmemtrace/trace_file.h"

struct trace_chunk {
	uint64_t offset;
	struct chunk_events head;
	bool damaged; /* found so, and counted */
};

struct trace_symbol {
	uint64_t address, offset; /* in the function */
	const char *function;
};

struct trace_order;
struct trace_names;

struct trace {
	struct chunk_in in;
	struct trace_info info;
	struct trace_options options;
	struct trace_chunk *chunks;        /* of events, by time_first */
	size_t nr_chunks, chunks_room;
	struct trace_cache *caches;
	uint32_t nr_caches, caches_room;
	struct trace_stack *stacks;
	uint32_t nr_stacks, stacks_room;
	struct trace_process *processes;
	size_t nr_processes, processes_room;
	struct trace_module *modules;      /* as recorded: a later one may lie where an earlier one was */
	size_t nr_modules, modules_room;
	struct trace_symbol *symbols;      /* the kernel's, by address */
	size_t nr_symbols, symbols_room;
	struct { uint64_t offset; uint32_t moment; } *snapshot_chunks;
	size_t nr_snapshot_chunks, snapshot_chunks_room;
	struct trace_snapshot snapshot[2];
	bool snapshot_read[2];
	struct chunk_clock clock_first, clock_last;
	unsigned int nr_clocks;
	uint64_t clock_hz;                 /* said by the recorder */
	json_t *documents;                 /* hold the strings */
	uint8_t **bodies;                  /* hold the stacks */
	size_t nr_bodies, bodies_room;
	struct trace_order *order;         /* made by the first trace_next() */
	struct trace_names *names;         /* made by the first trace_symbolize() */
};

/* A chunk of events turned out to be damaged. */
void trace_damaged(struct trace *t, uint64_t offset, uint64_t events);

/* Nanoseconds since the recording began. */
uint64_t trace_ns(const struct trace *t, uint64_t ticks);

/* Make room for one more item of a list. Return false without memory. */
bool trace_room(void **list, size_t nr, size_t *room, size_t bytes);

void trace_order_free(struct trace_order *order);
void trace_names_free(struct trace_names *names);

#endif
