/* SPDX-License-Identifier: BSD-2-Clause */
/* trace_order.c - one order by time, over CPUs and chunks that come in any order. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "kmemtrace/sample.h"

TestSuite(trace_order, .fini = sample_clean);

#define MANY 200000u

/* Events of four CPUs, each a quarter of the times; buffers may come late. */
static void write_many(bool late)
{
	struct trace_writer *w = sample_begin(sample_path("t"), true);
	struct kmem_batch_record r[100];

	for (uint32_t i = 0; i < MANY / 100; i++) {
		uint32_t cpu = i % 4, turn = i / 4 * 4 + cpu;

		/* Every eighth buffer of a CPU changes places with the next. */
		if (late && (i / 4) % 8 < 2)
			turn = turn ^ 4;
		for (uint32_t k = 0; k < 100; k++)
			r[k] = sample_record(SAMPLE_TICKS + turn / 4 * 400 + k * 4 + cpu + 1, KMEM_BATCH_KMALLOC,
					     0x1000 + (turn * 100 + k) * 64);
		sample_put(w, cpu, r, 100);
		if (i % 97 == 0)
			trace_flush(w);
	}
	trace_finish(w, &(struct trace_totals){ 0 });
	trace_end(w);
}

static void expect_in_order(void)
{
	struct trace *t = sample_open(sample_path("t"));
	struct trace_event e;
	uint64_t nr = 0, last = 0;

	while (trace_next(t, &e)) {
		cr_assert_eq(e.time_ns, nr + 1, "event %lu", nr);
		cr_assert_eq(e.cpu, nr % 4);
		cr_assert_gt(e.time_ns, last);
		last = e.time_ns;
		nr++;
	}
	cr_expect_eq(nr, MANY);
	cr_expect_eq(trace_info(t)->damaged, 0);
	trace_close(t);
}

Test(trace_order, over_cpus)
{
	write_many(false);
	expect_in_order();
}

Test(trace_order, buffers_that_come_late)
{
	write_many(true);
	expect_in_order();
}

/* An interrupted append is older than the one before it. */
Test(trace_order, a_step_back_within_a_buffer)
{
	struct kmem_batch_record r[3] = { sample_record(SAMPLE_TICKS + 10, KMEM_BATCH_KMALLOC, 0x1000),
					  sample_record(SAMPLE_TICKS + 30, KMEM_BATCH_KMALLOC, 0x3000),
					  sample_record(SAMPLE_TICKS + 20, KMEM_BATCH_KMALLOC, 0x2000) };
	struct trace_writer *w = sample_begin(sample_path("t"), true);
	struct trace_event e;
	struct trace *t;

	sample_put(w, 0, r, 3);
	trace_finish(w, &(struct trace_totals){ 0 });
	trace_end(w);
	t = sample_open(sample_path("t"));
	for (uint64_t i = 1; i <= 3; i++) {
		cr_assert(trace_next(t, &e));
		cr_expect_eq(e.ptr, 0x1000 * i);
	}
	cr_expect_not(trace_next(t, &e));
	cr_expect_not(trace_next(t, &e));
	trace_close(t);
}
