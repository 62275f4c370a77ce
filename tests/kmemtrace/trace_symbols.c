/* SPDX-License-Identifier: BSD-2-Clause */
/* trace_symbols.c - names for addresses of this program; files elsewhere and stripped: symbols.sh. */
#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "kmemtrace/modules.h"
#include "kmemtrace/sample.h"

TestSuite(trace_symbols, .fini = sample_clean);

static uint64_t inner_return;

static __attribute__((noinline)) void note_return(void)
{
	inner_return = (uintptr_t)__builtin_return_address(0);
}

static inline __attribute__((always_inline)) void symbols_inlined(void)
{
	note_return();
	__asm__ volatile("" ::: "memory");
}

__attribute__((noinline)) void symbols_outer(void)
{
	symbols_inlined();
	__asm__ volatile("" ::: "memory");
}

static struct trace *write_modules(const struct trace_options *options)
{
	struct trace_writer *w = sample_begin(sample_path("y"), true);
	struct modules modules = { 0 };
	struct target t;
	struct trace *trace;
	char err[256];

	cr_assert_eq(target_open(&t, getpid()), 0);
	modules_read(&modules, &t, SAMPLE_PID, w);
	trace_flush(w);
	trace_end(w);
	target_close(&t);
	modules_free(&modules);
	cr_assert_eq(trace_open(&trace, sample_path("y"), options, err, sizeof(err)), 0, "%s", err);
	return trace;
}

Test(trace_symbols, functions_lines_and_inlined_ones)
{
	struct trace *t = write_modules(NULL);
	struct trace_frame f[8];
	char text[256];
	size_t nr;

	symbols_outer();
	nr = trace_symbolize(t, SAMPLE_PID, inner_return, f, 8);
	cr_assert_geq(nr, 1);
	cr_expect_str_eq(f[nr - 1].function, "symbols_outer");
	cr_expect_not(f[nr - 1].inlined);
	cr_expect(strstr(f[0].file, "trace_symbols.c"), "%s", f[0].file);
	cr_expect_gt(f[0].line, 10);
	/* Without optimisation for it there is no inlined function to tell. */
	if (nr > 1) {
		cr_expect_str_eq(f[0].function, "symbols_inlined");
		cr_expect(f[0].inlined);
		cr_expect_gt(f[1].line, f[0].line, "where it was called");
	}
	trace_describe(t, SAMPLE_PID, inner_return, text, sizeof(text));
	cr_expect(!strncmp(text, "symbols_outer+0x", 16) && strstr(text, "[unit-kmemtrace] trace_symbols.c:"), "%s", text);
	/* Fewer than there are: the last is whose code it is. */
	cr_expect_eq(trace_symbolize(t, SAMPLE_PID, inner_return, f, 1), 1);
	cr_expect_str_eq(f[0].function, "symbols_outer");
	trace_close(t);
}

Test(trace_symbols, without_files)
{
	struct trace *t = write_modules(&(struct trace_options){ .no_symbols = true });
	char text[256];

	symbols_outer();
	trace_describe(t, SAMPLE_PID, inner_return, text, sizeof(text));
	cr_expect(!strncmp(text, "[unit-kmemtrace+0x", 18), "%s", text);
	cr_expect_str_eq(trace_describe(t, SAMPLE_PID, 0x10, text, sizeof(text)), "0x10");
	trace_close(t);
}

/* A file of that name with another build-id is another file. */
Test(trace_symbols, another_file_of_that_name)
{
	struct trace_writer *w = sample_begin(sample_path("y"), true);
	struct trace_module m = { .start = 0x400000, .end = 0x500000, .pid = SAMPLE_PID, .build_id_len = 20 };
	struct trace *t;
	char self[256], text[256];

	self[readlink("/proc/self/exe", self, sizeof(self) - 1)] = '\0';
	m.path = self;
	trace_add_module(w, &m);
	trace_flush(w);
	trace_end(w);
	t = sample_open(sample_path("y"));
	cr_expect_str_eq(trace_describe(t, SAMPLE_PID, 0x400123, text, sizeof(text)), "[unit-kmemtrace+0x123]");
	trace_close(t);
}
