/* SPDX-License-Identifier: BSD-2-Clause */
/* trace_snapshot.c - what lived: sorted, of all chunks, and not exact when a part is missing. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "kmemtrace/sample.h"

TestSuite(trace_snapshot, .fini = sample_clean);

Test(trace_snapshot, both_moments)
{
	struct trace_snapshot s;
	struct trace *t;

	sample_write(sample_path("s"), true);
	t = sample_open(sample_path("s"));
	cr_assert(trace_read_snapshot(t, TRACE_BEGIN, &s));
	cr_expect(s.exact && s.time_ns == 0);
	cr_assert(s.nr_objects == 2 && s.nr_blocks == 1);
	cr_expect(s.objects[0].ptr == 0x8000 && s.objects[1].ptr == 0x9000 && s.objects[0].size == 60);
	cr_expect(s.blocks[0].bytes == 8192 && s.blocks[0].live == 2 && s.blocks[0].objects == 64);
	cr_assert(trace_read_snapshot(t, TRACE_END, &s));
	cr_expect(s.nr_objects == 1 && s.time_ns == 5000);
	trace_close(t);
}

Test(trace_snapshot, of_several_processes_and_none)
{
	struct trace_writer *w = sample_begin(sample_path("s"), true);
	const struct trace_object a = { 0x8000, 60, 1, 9 }, b = { 0x8000, 60, 1, 3 };
	struct trace_snapshot s;
	struct trace *t;

	trace_put_snapshot(w, TRACE_END, 9, SAMPLE_TICKS, true, &a, 1, NULL, 0);
	trace_put_snapshot(w, TRACE_END, 3, SAMPLE_TICKS, false, &b, 1, NULL, 0);
	trace_put_snapshot(w, TRACE_END, 5, SAMPLE_TICKS, true, NULL, 0, NULL, 0);
	trace_end(w);
	t = sample_open(sample_path("s"));
	cr_expect_not(trace_read_snapshot(t, TRACE_BEGIN, &s));
	cr_expect(!s.nr_objects && !s.exact);
	cr_assert(trace_read_snapshot(t, TRACE_END, &s));
	cr_expect(s.nr_objects == 2 && s.objects[0].pid == 3 && s.objects[1].pid == 9);
	cr_expect_not(s.exact, "one of them was not");
	trace_close(t);
}
