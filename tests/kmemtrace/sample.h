/* SPDX-License-Identifier: BSD-2-Clause */
/* sample.h - a small trace for the tests: made, read, damaged. */
#ifndef TESTS_KMEMTRACE_SAMPLE_H
#define TESTS_KMEMTRACE_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtrace/trace_write.h"

#define SAMPLE_PID   77
#define SAMPLE_TICKS 1000000u /* of the first clock; the ticks are nanoseconds */

/* A folder of the test's own, removed by sample_clean(); "name" in it. */
const char *sample_path(const char *name);
void sample_clean(void);

/* One event of the library: one call site and cache, 64 bytes. */
struct kmem_batch_record sample_record(uint64_t tsc, enum kmem_batch_op op, uint64_t ptr);

/* Append them as one buffer of a CPU. */
void sample_put(struct trace_writer *w, uint32_t cpu, const struct kmem_batch_record *r, uint32_t nr);

/* An open writer with options for the library's events, its clock begun. */
struct trace_writer *sample_begin(const char *path, bool timed);

/* A small one of everything: two CPUs, 8 allocations and frees each in turn, a process, a module, snapshots. */
void sample_write(const char *path, bool timed);
#define SAMPLE_EVENTS 32

struct trace *sample_open(const char *path);

/* The file's contents, from malloc(). */
uint8_t *sample_load(const char *path, size_t *bytes);
void sample_store(const char *path, const uint8_t *data, size_t bytes);

#endif
