/* SPDX-License-Identifier: BSD-2-Clause */
/* trace_write.c - what a writer does beyond what trace_read.c reads back. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "kmemtrace/sample.h"

TestSuite(trace_write, .fini = sample_clean);

static void fill(struct trace_writer *w, uint32_t buffers)
{
	struct kmem_batch_record r[500];

	for (uint32_t b = 0; b < buffers; b++) {
		for (uint32_t i = 0; i < 500; i++)
			r[i] = sample_record(SAMPLE_TICKS + b * 500 + i, i % 2 ? KMEM_BATCH_KFREE : KMEM_BATCH_KMALLOC, 0x1000);
		sample_put(w, b % 3, r, 500);
	}
}

Test(trace_write, chunks_are_written_when_they_are_full)
{
	struct trace_writer *w = sample_begin(sample_path("w"), true);
	uint64_t before = trace_written_bytes(w);

	fill(w, 30);
	cr_expect_eq(trace_written_events(w), 0);
	cr_expect_eq(trace_written_bytes(w), before);
	fill(w, 600);
	cr_expect_gt(trace_written_events(w), 100000);
	trace_flush(w);
	cr_expect_eq(trace_written_events(w), 630 * 500);
	cr_expect_lt(trace_written_bytes(w), 630 * 500 * 4, "packed");
	trace_end(w);
}

/* Names must be there before the events that use them, whatever is lost behind. */
Test(trace_write, names_come_first)
{
	struct trace_writer *w = sample_begin(sample_path("w"), true);
	struct trace_event e;
	struct trace *t;

	fill(w, 2);
	trace_flush(w);
	t = sample_open(sample_path("w"));
	cr_assert(trace_next(t, &e));
	cr_expect_str_eq(trace_cache(t, e.cache)->name, "sample");
	cr_expect_eq(trace_stack(t, e.stack)->nr, 2);
	trace_close(t);
	trace_end(w);
}

Test(trace_write, a_process_that_ends_gives_its_memory_back)
{
	struct trace_process p = { .pid = SAMPLE_PID, .os_pid = SAMPLE_PID, .command = "bad \xff name", .end_ns = 1 };
	struct trace_writer *w = sample_begin(sample_path("w"), true);
	const struct trace_process *list;
	struct trace *t;

	fill(w, 2);
	p.cut_off = true;
	cr_expect_eq(trace_put_process(w, &p), 0);
	cr_expect_eq(trace_written_events(w), 1000);
	trace_end(w);
	t = sample_open(sample_path("w"));
	cr_assert_eq(trace_processes(t, &list), 1);
	cr_expect_str_eq(list[0].command, "bad ? name");
	cr_expect(list[0].cut_off && list[0].os_pid == SAMPLE_PID);
	trace_close(t);
}

Test(trace_write, errors_stay)
{
	struct trace_writer *w = sample_begin(sample_path("w"), true);
	struct rlimit limit = { 4096, 4096 };
	struct trace_event e;
	struct trace *t;
	uint64_t nr = 0;

	signal(SIGXFSZ, SIG_IGN);
	fill(w, 2);
	cr_expect_eq(trace_flush(w), 0);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	trace_hurry(w, true);
	fill(w, 20);
	cr_expect_eq(trace_flush(w), -EFBIG);
	cr_expect_eq(trace_write_error(w), -EFBIG);
	cr_expect_eq(trace_finish(w, &(struct trace_totals){ 0 }), -EFBIG);
	cr_expect_eq(trace_end(w), -EFBIG);
	t = sample_open(sample_path("w"));
	while (trace_next(t, &e))
		nr++;
	cr_expect_geq(nr, 1000);
	cr_expect_not(trace_info(t)->complete);
	cr_expect_eq(trace_info(t)->damaged, 0);
	trace_close(t);
}

Test(trace_write, discarded)
{
	struct trace_writer *w = sample_begin(sample_path("w"), true);

	trace_discard(w);
	cr_expect_neq(access(sample_path("w"), F_OK), 0);
	trace_end(w);
	cr_expect_eq(trace_end(NULL), 0);
}
