/* SPDX-License-Identifier: BSD-2-Clause */
/* sample.c - see sample.h. */
#include "kmemtrace/sample.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64];

const char *sample_path(const char *name)
{
	static char path[160];

	if (!folder[0]) {
		snprintf(folder, sizeof(folder), "/tmp/kmemtrace-test-%d-XX" "XX" "XX", getpid());
		cr_assert_not_null(mkdtemp(folder));
	}
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

void sample_clean(void)
{
	char command[96];

	if (!folder[0])
		return;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	cr_expect_eq(system(command), 0);
	folder[0] = '\0';
}

struct kmem_batch_record sample_record(uint64_t tsc, enum kmem_batch_op op, uint64_t ptr)
{
	return (struct kmem_batch_record){
		.tsc = tsc, .ptr = ptr, .site = 0x401000 + op, .cache = 5, .op = (uint8_t)op, .size = op & 1 ? 60 : 0,
	};
}

/* The site is the number of the stack, so that tests see that it arrives. */
static struct pack_names name(void *writer, const struct pack_event *e)
{
	uint64_t frames[2] = { e->site, 0x402000 };

	return (struct pack_names){ .stack = trace_add_stack(writer, e->pid, frames, 2), .cache = 1 };
}

void sample_put(struct trace_writer *w, uint32_t cpu, const struct kmem_batch_record *r, uint32_t nr)
{
	struct kmem_batch *b = calloc(1, sizeof(*b));

	b->cpu = cpu;
	b->count = nr;
	b->tsc_first = r[0].tsc;
	b->tsc_last = r[nr - 1].tsc;
	memcpy(b->record, r, nr * sizeof(*r));
	cr_assert_eq(trace_put_batch(w, SAMPLE_PID, b, nr, name, w), 0);
	free(b);
}

struct trace_writer *sample_begin(const char *path, bool timed)
{
	const struct trace_writer_options options = {
		.source = TRACE_LIBRARY, .command = "kmemtrace record -c test", .machine = "a machine", .nr_cpus = 2,
		.ticks_hz = 1000000000, .timed = timed, .stacks = true,
	};
	const struct trace_cache cache = {
		.name = "sample", .kind = TRACE_CACHE_SLAB, .pid = SAMPLE_PID, .id = 5, .object_size = 60, .size = 64,
		.align = 8, .objects = 64, .flags = 0xffffffff00000001,
	};
	struct trace_writer *w;
	char err[256];

	cr_assert_eq(trace_create(&w, path, &options, err, sizeof(err)), 0, "%s", err);
	cr_assert_eq(trace_put_clock(w, (struct trace_clock){ SAMPLE_TICKS, SAMPLE_TICKS }, 0), 0);
	cr_assert_eq(trace_add_cache(w, &cache), 1);
	return w;
}

static void put_snapshots(struct trace_writer *w)
{
	const struct trace_object begin[] = { { 0x9000, 60, 1, SAMPLE_PID }, { 0x8000, 60, 1, SAMPLE_PID } };
	const struct trace_block blocks[] = { { 0x8000, 8192, 1, SAMPLE_PID, 64, 2 } };

	trace_put_snapshot(w, TRACE_BEGIN, SAMPLE_PID, SAMPLE_TICKS, true, begin, 2, blocks, 1);
	trace_put_snapshot(w, TRACE_END, SAMPLE_PID, SAMPLE_TICKS + 5000, true, begin, 1, NULL, 0);
}

void sample_write(const char *path, bool timed)
{
	const struct trace_process process = {
		.pid = SAMPLE_PID, .command = "worker \xc3\xa4 1", .begin_ns = SAMPLE_TICKS + 10,
	};
	const struct trace_module module = {
		.path = "/opt/bin/worker", .start = 0x400000, .end = 0x500000, .offset = 0x1000,
		.build_id = { 0xab, 0xcd }, .build_id_len = 2, .pid = SAMPLE_PID,
	};
	struct trace_writer *w = sample_begin(path, timed);

	trace_put_process(w, &process);
	trace_add_module(w, &module);
	put_snapshots(w);
	for (uint32_t i = 0; i < SAMPLE_EVENTS / 4; i++) {
		/* What one CPU allocates the other one frees. */
		uint64_t at = SAMPLE_TICKS + 100 * i, ptr = 0x10000 + 0x40 * i, stamp = timed ? at : 0;
		struct kmem_batch_record a[2] = { sample_record(stamp, KMEM_BATCH_KMALLOC, ptr),
						  sample_record(stamp ? stamp + 1 : 0, KMEM_BATCH_KMALLOC, ptr + 0x10000) };
		struct kmem_batch_record f[2] = { sample_record(stamp ? stamp + 10 : 0, KMEM_BATCH_KFREE, ptr),
						  sample_record(stamp ? stamp + 11 : 0, KMEM_BATCH_KFREE, ptr + 0x10000) };

		sample_put(w, 0, a, 2);
		sample_put(w, 1, f, 2);
		if (i == 3)
			trace_flush(w);
	}
	trace_flush(w);
	trace_put_clock(w, (struct trace_clock){ SAMPLE_TICKS + 1000000000, SAMPLE_TICKS + 1000000000 }, 3);
	cr_assert_eq(trace_finish(w, &(struct trace_totals){ .lost = 3, .no_buffer = 2 }), 0);
	cr_assert_eq(trace_end(w), 0);
}

struct trace *sample_open(const char *path)
{
	struct trace *t;
	char err[256];

	cr_assert_eq(trace_open(&t, path, NULL, err, sizeof(err)), 0, "%s", err);
	return t;
}

uint8_t *sample_load(const char *path, size_t *bytes)
{
	FILE *f = fopen(path, "re");
	uint8_t *data = malloc(1 << 20);

	cr_assert_not_null(f, "%s", path);
	*bytes = fread(data, 1, 1 << 20, f);
	fclose(f);
	return data;
}

void sample_store(const char *path, const uint8_t *data, size_t bytes)
{
	FILE *f = fopen(path, "we");

	cr_assert_not_null(f);
	cr_assert_eq(fwrite(data, 1, bytes, f), bytes);
	fclose(f);
}
