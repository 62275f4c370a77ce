/* SPDX-License-Identifier: BSD-2-Clause */
/* trace_read.c - everything in a file is read; damage anywhere is found and survived. */
#include "kmemtrace/sample.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(trace_read, .fini = sample_clean, .timeout = 300);

static uint64_t count(struct trace *t)
{
	struct trace_event e;
	uint64_t nr = 0;

	while (trace_next(t, &e))
		nr++;
	return nr;
}

Test(trace_read, what_was_said)
{
	const struct trace_process *processes;
	const struct trace_info *info;
	struct trace *t;

	sample_write(sample_path("a"), true);
	t = sample_open(sample_path("a"));
	info = trace_info(t);
	cr_expect_str_eq(info->command, "kmemtrace record -c test");
	cr_expect_str_eq(info->machine, "a machine");
	cr_expect(info->complete && info->timed && info->stacks && !info->truncated);
	cr_expect_eq(info->source, TRACE_LIBRARY);
	cr_expect_eq(info->events, SAMPLE_EVENTS);
	cr_expect_eq(info->lost, 3);
	cr_expect_eq(info->no_buffer, 2);
	cr_expect_eq(info->tsc_hz, 1000000000);
	cr_expect_eq(info->duration_ns, 1000000000);
	cr_assert_eq(trace_processes(t, &processes), 1);
	cr_expect_eq(processes[0].pid, SAMPLE_PID);
	cr_expect_eq(processes[0].begin_ns, 10);
	cr_expect_str_eq(processes[0].command, "worker \xc3\xa4 1");
	cr_expect_eq(count(t), SAMPLE_EVENTS);
	cr_expect_eq(info->damaged, 0);
	trace_rewind(t);
	cr_expect_eq(count(t), SAMPLE_EVENTS);
	trace_close(t);
}

Test(trace_read, what_events_name)
{
	const struct trace_module *m;
	const struct trace_cache *c;
	const struct trace_stack *s;
	struct trace_event e;
	struct trace *t;

	sample_write(sample_path("a"), true);
	t = sample_open(sample_path("a"));
	cr_assert(trace_next(t, &e));
	c = trace_cache(t, e.cache);
	cr_expect_str_eq(c->name, "sample");
	cr_expect(c->kind == TRACE_CACHE_SLAB && c->pid == SAMPLE_PID && c->id == 5 && c->object_size == 60 &&
		  c->size == 64 && c->align == 8 && c->objects == 64 && c->flags == 0xffffffff00000001);
	s = trace_stack(t, e.stack);
	cr_expect(s->nr == 2 && s->pid == SAMPLE_PID);
	cr_expect_eq(s->address[0], 0x401000 + KMEM_BATCH_KMALLOC);
	cr_expect_eq(s->address[1], 0x402000);
	m = trace_module_of(t, SAMPLE_PID, 0x401000);
	cr_assert_not_null(m);
	cr_expect_str_eq(m->name, "worker");
	cr_expect(m->build_id_len == 2 && m->build_id[0] == 0xab && m->offset == 0x1000);
	cr_expect_null(trace_module_of(t, SAMPLE_PID, 0x500000));
	cr_expect_null(trace_module_of(t, 1, 0x401000));
	/* Numbers that nobody gave. */
	cr_expect_str_eq(trace_cache(t, 999)->name, "?");
	cr_expect_eq(trace_stack(t, 999)->nr, 0);
	trace_close(t);
}

/* A recorder that was killed: no end, nothing but what was flushed. */
Test(trace_read, a_recorder_that_did_not_finish)
{
	struct kmem_batch_record r[2] = { sample_record(SAMPLE_TICKS + 1, KMEM_BATCH_KMALLOC, 0x1000),
					  sample_record(SAMPLE_TICKS + 2, KMEM_BATCH_KFREE, 0x1000) };
	struct trace_writer *w = sample_begin(sample_path("a"), true);
	struct trace *t;

	sample_put(w, 0, r, 2);
	trace_flush(w);
	trace_put_clock(w, (struct trace_clock){ SAMPLE_TICKS + 9, SAMPLE_TICKS + 9 }, 4);
	sample_put(w, 0, r, 2);
	t = sample_open(sample_path("a"));
	cr_expect_not(trace_info(t)->complete);
	cr_expect_eq(trace_info(t)->events, 2);
	cr_expect_eq(trace_info(t)->lost, 4);
	cr_expect_eq(count(t), 2);
	cr_expect_eq(trace_info(t)->damaged, 0);
	trace_close(t);
	trace_end(w);
}

static void refused(const char *name, int error, const char *word)
{
	char err[256] = "";
	struct trace *t;

	cr_expect_eq(trace_open(&t, sample_path(name), NULL, err, sizeof(err)), error, "%s", err);
	cr_expect(strstr(err, word), "%s", err);
	cr_expect_null(strchr(err, '\n'));
	cr_expect_null(t);
}

Test(trace_read, no_traces)
{
	uint8_t text[] = "this is no trace, but long enough to be one", version[16];
	size_t bytes;
	uint8_t *data;

	refused("none", -ENOENT, "No such file");
	refused(".", -EPROTO, "regular file");
	sample_store(sample_path("text"), text, sizeof(text));
	refused("text", -EPROTO, "no trace");
	sample_store(sample_path("empty"), text, 0);
	refused("empty", -EPROTO, "no trace");
	sample_write(sample_path("a"), true);
	data = sample_load(sample_path("a"), &bytes);
	/* A right header of a version to come: 2. */
	memcpy(version, data, 16);
	version[8] = 2;
	memcpy(version + 12, "\x00\x00\x00\x00", 4);
	sample_store(sample_path("new"), version, sizeof(version));
	refused("new", -EBADMSG, "offset 0");
	free(data);
}

/* Reads all there is, as a report does. */
static uint64_t read_everything(struct trace *t)
{
	struct trace_snapshot s;
	uint64_t nr = count(t);
	char line[256];

	trace_read_snapshot(t, TRACE_BEGIN, &s);
	trace_read_snapshot(t, TRACE_END, &s);
	for (uint32_t i = 0; i < trace_nr_stacks(t); i++)
		for (uint32_t k = 0; k < trace_stack(t, i)->nr; k++)
			trace_describe(t, trace_stack(t, i)->pid, trace_stack(t, i)->address[k], line, sizeof(line));
	return nr;
}

Test(trace_read, any_byte_flipped_is_found)
{
	size_t bytes, chunks = 0;
	struct trace *t;
	uint8_t *data;
	char err[256];

	sample_write(sample_path("a"), true);
	data = sample_load(sample_path("a"), &bytes);
	for (size_t i = 0; i < bytes; i++) {
		data[i] ^= 0x21;
		sample_store(sample_path("b"), data, bytes);
		data[i] ^= 0x21;
		if (trace_open(&t, sample_path("b"), NULL, err, sizeof(err))) {
			cr_assert_lt(i, 16, "only a damaged header is refused: byte %zu, %s", i, err);
			continue;
		}
		cr_assert_leq(read_everything(t), SAMPLE_EVENTS);
		cr_assert_geq(trace_info(t)->damaged, 1, "byte %zu", i);
		cr_assert_leq(trace_info(t)->damage_offset, i);
		chunks++;
		trace_close(t);
	}
	cr_expect_eq(chunks, bytes - 16);
	free(data);
}

Test(trace_read, one_lost_chunk_costs_its_events_only)
{
	size_t bytes;
	struct trace *t;
	uint8_t *data;
	uint64_t nr;

	sample_write(sample_path("a"), true);
	data = sample_load(sample_path("a"), &bytes);
	/* Somewhere in the events of the second half. */
	for (size_t i = 16; i < bytes; i++) {
		data[i] ^= 1;
		sample_store(sample_path("b"), data, bytes);
		data[i] ^= 1;
		t = sample_open(sample_path("b"));
		nr = count(t);
		cr_assert_geq(nr, SAMPLE_EVENTS - 8, "byte %zu", i);
		trace_close(t);
	}
	free(data);
}

Test(trace_read, any_length)
{
	size_t bytes, whole = 0;
	uint64_t last = 0, nr;
	struct trace *t;
	uint8_t *data;
	char err[256];

	sample_write(sample_path("a"), true);
	data = sample_load(sample_path("a"), &bytes);
	for (size_t i = 0; i < bytes; i++) {
		sample_store(sample_path("b"), data, i);
		if (i < 16) {
			cr_assert_eq(trace_open(&t, sample_path("b"), NULL, err, sizeof(err)), -EPROTO);
			continue;
		}
		t = sample_open(sample_path("b"));
		nr = read_everything(t);
		cr_assert(nr >= last && !trace_info(t)->complete);
		last = nr;
		/* Between two chunks there is no trace of what follows; else it is told where it breaks off. */
		whole += !trace_info(t)->truncated;
		cr_assert(!trace_info(t)->truncated || trace_info(t)->damaged == 1);
		trace_close(t);
	}
	cr_expect_eq(last, SAMPLE_EVENTS);
	cr_expect(whole > 5 && whole < 30, "%zu", whole);
	free(data);
}
